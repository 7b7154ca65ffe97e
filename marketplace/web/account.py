"""Signing in with a one-time code, and signing out."""

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from marketplace import db
from marketplace.broker import nudge
from marketplace.identity import service as identity
from marketplace.identity.errors import CodeExpired, CodeWrong, ContactInvalid, RateLimited
from marketplace.identity.models import Role, User
from marketplace.notifications import tasks as notifications
from marketplace.web.errors import words_for
from marketplace.web.forms import Copied, Form, FormSchema, empty, submitted
from marketplace.web.identity import current_user, find_participant, forget, remember, signed_in_user
from marketplace.web.language import current_language

pages = Blueprint("account", __name__)


ASK_CODE = _l("Tulis enam angka dari pesan kami.")


class ContactForm(FormSchema):
    contact = Copied(_l("Tulis alamat e-mail atau nomor ponsel Anda."))


class CodeForm(FormSchema):
    code = Copied(ASK_CODE)


@pages.get("/masuk")
def sign_in() -> str | Response:
    """Ask for an e-mail address or a phone number."""
    if current_user():
        return redirect(home_of(signed_in_user()))
    session["next"] = local_path(request.args.get("next"))
    return render_template("account/sign_in.html", form=empty())


@pages.post("/masuk")
def send_code() -> str | Response:
    """Send a code. The answer is the same whether or not somebody is registered there."""
    form = submitted(ContactForm())
    if form.is_valid:
        try:
            with db.transaction() as current:
                identity.request_code(current, form.data["contact"], current_language())
        except (ContactInvalid, RateLimited) as error:
            form.refuse("contact", words_for(error))
    if not form.is_valid:
        return render_template("account/sign_in.html", form=form)
    nudge(notifications.sweep)
    session["contact"] = form.data["contact"]
    return redirect(url_for("account.enter_code"))


@pages.get("/masuk/kode")
def enter_code() -> str | Response:
    """Ask for the code that was sent."""
    if "contact" not in session:
        return redirect(url_for("account.sign_in"))
    return render_template("account/code.html", form=empty(), contact=session["contact"])


@pages.post("/masuk/kode")
def check_code() -> str | Response:
    """Sign in. A wrong try counts, so the transaction that counted it is committed."""
    contact = session.get("contact")
    if not contact:
        return redirect(url_for("account.sign_in"))
    form = submitted(CodeForm())
    user = _try_code(form, contact) if form.is_valid else None
    if user is None:
        return render_template("account/code.html", form=form, contact=contact)
    return redirect(_after_sign_in(user))


def _try_code(form: Form, contact: str) -> User | None:
    with db.transaction() as current:
        try:
            user, token = identity.sign_in(current, contact, form.data["code"], _device(), current_language())
        except (CodeWrong, CodeExpired) as error:
            form.refuse("code", words_for(error))
            return None
    following = session.get("next")
    remember(token, user)
    session["next"] = following
    return user


@pages.get("/akun")
def me() -> str | Response:
    """The reader's own account: who they are here, and the way out."""
    if current_user() is None:
        return redirect(url_for("account.sign_in"))
    return render_template("account/me.html", user=signed_in_user(), participant=find_participant())


@pages.post("/keluar")
def sign_out() -> Response:
    """Sign out here and on the server."""
    with db.transaction() as current:
        forget(current)
    flash(_("Anda sudah keluar."))
    return redirect(url_for("public.home"))


def home_of(user: User) -> str:
    """The page where a user's work begins."""
    if user.has_role(Role.FINANCE) or user.has_role(Role.AUDITOR):
        return url_for("finance.runs")
    if user.has_role(Role.DESK):
        return url_for("desk.queue")
    if user.has_role(Role.CURATOR):
        return url_for("curation.queue")
    if user.has_role(Role.PROVIDER):
        return url_for("provider.overview")
    if user.has_role(Role.PARTICIPANT):
        return url_for("participant.home")
    return url_for("registration.person")


def _after_sign_in(user: User) -> str:
    return session.pop("next", None) or home_of(user)


def _device() -> str:
    return (request.user_agent.string or "")[:200]


def local_path(target: str | None) -> str | None:
    """Only a path of this site: a link in a message must not lead elsewhere after signing in.

    Tabs and line breaks are refused too: whoever reads an address drops them, and what is left of
    `/<tab>/example.test` names another site.
    """
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return None
    return target if target.isprintable() else None
