"""Development only: every message sent, and sign-in as anybody, with one click as the demo's people."""

import json
from datetime import datetime
from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from marketplace import db
from marketplace.identity import queries as identity_queries
from marketplace.identity import service as identity
from marketplace.identity.errors import ContactInvalid
from marketplace.identity.models import User
from marketplace.web.account import ContactForm, home_of
from marketplace.web.errors import words_for
from marketplace.web.forms import Form, empty, submitted
from marketplace.web.identity import parse_id, remember

pages = Blueprint("dev", __name__, url_prefix="/dev")

_AT_ONCE = 20


@pages.get("/inbox")
def inbox() -> str:
    """Every message, the newest first, and the people one can be."""
    return _page(empty())


@pages.get("/components")
def components() -> str:
    """Every component of the design system on one page."""
    return render_template("dev/components.html")


@pages.post("/sign-in")
def sign_in() -> str | Response:
    """Become a demo person, or whoever has the contact that was typed, at once."""
    if "user" in request.form:
        return _become(identity_queries.get_user(db.session(), parse_id(request.form["user"])))
    form = submitted(ContactForm())
    user = _find(form) if form.is_valid else None
    return _become(user) if user else _page(form)


def _find(form: Form) -> User | None:
    try:
        user = identity_queries.find_user(db.session(), form.data["contact"])
    except ContactInvalid as error:
        form.refuse("contact", words_for(error))
        return None
    if user is None:
        form.refuse("contact", _("Belum ada akun dengan alamat atau nomor itu."))
    return user


def _become(user: User) -> Response:
    with db.transaction() as current:
        token = identity.start_session(current, user, "dev")
    remember(token, user)
    return redirect(home_of(user))


def _page(form: Form) -> str:
    messages, older = _messages(request.args.get("sebelum", ""))
    return render_template("dev/inbox.html", messages=messages, older=older, people=_people(), form=form)


def _messages(before: str) -> tuple[list[dict[str, Any]], str | None]:
    """Those before a message, or the newest, and the last one's name where there are older ones."""
    folder = current_app.extensions["settings"].message_folder
    files = {file.stem: file for file in folder.glob("*.json")} if folder.is_dir() else {}
    names = sorted((name for name in files if not before or name < before), reverse=True)
    messages = [json.loads(files[name].read_text()) for name in names[:_AT_ONCE]]
    older = names[_AT_ONCE - 1] if len(names) > _AT_ONCE else None
    return [each | {"sent_at": datetime.fromisoformat(each["sent_at"])} for each in messages], older


def _people() -> list[dict[str, Any]]:
    """Groups of demo people, as the seed wrote them: [{group, people: [{user, name, note}]}]."""
    file = current_app.extensions["settings"].home / "demo-people.json"
    found: list[dict[str, Any]] = json.loads(file.read_text()) if file.exists() else []
    return found
