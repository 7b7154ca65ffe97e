"""Who acts for the provider, in which part, and what each of them has stated about conflicts of interest."""

import uuid
from collections.abc import Callable

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from marshmallow import validate
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import clock, db
from marketplace.broker import nudge
from marketplace.enrolments import conflicts
from marketplace.enrolments.errors import ReceiptUnknown
from marketplace.errors import NotFound
from marketplace.identity.errors import ContactInvalid
from marketplace.identity.models import User
from marketplace.notifications import tasks as notifications
from marketplace.providers import queries, statements
from marketplace.providers import staff as members
from marketplace.providers.errors import StaffTaken
from marketplace.providers.models import StaffRole
from marketplace.web.acting import act_and_return
from marketplace.web.errors import words_for
from marketplace.web.forms import Copied, Form, FormSchema, Paragraphs, Text, empty, submitted
from marketplace.web.identity import current_provider, signed_in_user
from marketplace.web.provider.blueprint import pages
from marketplace.web.state_words import staff_role_name

_ROLE = validate.OneOf(list(StaffRole), error=_l("Pilih tugasnya."))


class MemberForm(FormSchema):
    name = Text(_l("Tulis namanya."), validate=validate.Length(max=120, error=_l("Terlalu panjang.")))
    contact = Copied(_l("Tulis alamat e-mail atau nomor ponselnya."))
    role = Text(_l("Pilih tugasnya."), validate=_ROLE)


class RoleForm(FormSchema):
    role = Text(_l("Pilih tugasnya."), validate=_ROLE)


class StatementForm(FormSchema):
    has_conflict = Text(
        _l("Pilih salah satu."), validate=validate.OneOf(["yes", "no"], error=_l("Pilih salah satu."))
    )
    text = Paragraphs(
        required=False,
        load_default="",
        validate=validate.Length(
            max=statements.LONGEST, error=_l("Tulis paling banyak %(most)s huruf.", most=statements.LONGEST)
        ),
    )
    receipts = Paragraphs(required=False, load_default="", most=2000)


@pages.get("/staf")
def staff() -> str:
    """Everybody who acts for the provider, and the form for one more."""
    return _page(empty())


@pages.post("/staf")
def add_member() -> Response | tuple[str, int]:
    """Let somebody act for the provider."""
    form = submitted(MemberForm())
    if form.is_valid:
        _add(form)
    if not form.is_valid:
        return _page(form), 400
    nudge(notifications.sweep)
    flash(_("%(name)s bisa masuk dengan kontak itu sekarang.", name=form.data["name"]), "daun")
    return redirect(url_for("provider.staff"))


@pages.post("/staf/<uuid:staff_id>/tugas")
def change_member_role(staff_id: uuid.UUID) -> Response:
    """Give a colleague another part."""
    member = queries.find_staff(db.session(), staff_id)
    if member is None or member.provider_id != current_provider().id:
        raise NotFound("nobody of this provider")
    form = submitted(RoleForm())
    if not form.is_valid:
        flash(_("Pilih tugasnya."), "bata")
        return redirect(url_for("provider.staff"))
    role, provider_id = StaffRole(form.data["role"]), current_provider().id
    return _act(
        lambda current, actor: members.change_role(current, provider_id, staff_id, role, actor),
        _("Tugasnya diubah."),
    )


@pages.post("/staf/<uuid:staff_id>/keluarkan")
def remove_member(staff_id: uuid.UUID) -> Response:
    """Let a colleague act no more."""
    provider_id = current_provider().id
    return _act(
        lambda current, actor: members.remove_member(current, provider_id, staff_id, actor),
        _("Ia tidak bisa lagi membuka halaman lembaga."),
    )


@pages.get("/pernyataan")
def statement() -> str:
    """One's own yearly statement on conflicts of interest."""
    return _statement_page(empty())


@pages.post("/pernyataan")
def make_statement() -> Response | tuple[str, int]:
    """State it. What was stated before stays in the record."""
    form = submitted(StatementForm())
    if form.data.get("has_conflict") == "yes" and not form.data.get("text"):
        form.errors.setdefault("text", _("Tulis siapa dan hubungan apa."))
    if form.is_valid:
        _state(form)
    if not form.is_valid:
        return _statement_page(form), 400
    flash(_("Pernyataan Anda dicatat untuk tahun ini."), "daun")
    return redirect(url_for("provider.statement"))


def _state(form: Form) -> None:
    has_conflict = form.data["has_conflict"] == "yes"
    text = form.data["text"] if has_conflict else ""
    receipts = form.data["receipts"].replace(",", " ").split() if has_conflict else []
    if len(receipts) > conflicts.MOST_DECLARED:
        form.refuse("receipts", _("Sebut paling banyak %(most)s nomor.", most=conflicts.MOST_DECLARED))
        return
    provider_id, user_id = current_provider().id, signed_in_user().id

    def work(current: Session) -> object:
        return conflicts.declare(current, provider_id, current.get_one(User, user_id), text, receipts)

    try:
        db.run_in_transaction(work)
    except ReceiptUnknown as error:
        form.refuse("receipts", words_for(error))


def _page(form: Form) -> str:
    current, provider = db.session(), current_provider()
    year = clock.today(current).year
    return render_template(
        "provider/staff.html",
        members=queries.list_staff(current, provider.id),
        stated=statements.latest_of(current, provider.id, year),
        year=year,
        me=signed_in_user().id,
        roles=[(role.value, staff_role_name(role)) for role in StaffRole],
        role_name=staff_role_name,
        form=form,
    )


def _statement_page(form: Form) -> str:
    current, year = db.session(), clock.today(db.session()).year
    mine = statements.latest_of(current, current_provider().id, year).get(signed_in_user().id)
    named = conflicts.receipts_of(current, [mine.id]).get(mine.id, []) if mine else []
    return render_template("provider/statement.html", mine=mine, named=named, year=year, form=form)


def _add(form: Form) -> None:
    provider_id, user_id = current_provider().id, signed_in_user().id

    def work(current: Session) -> object:
        actor = current.get_one(User, user_id)
        return members.add_member(
            current, provider_id, actor,
            name=form.data["name"], contact=form.data["contact"], role=StaffRole(form.data["role"]),
        )  # fmt: skip

    try:
        db.run_in_transaction(work)
    except (ContactInvalid, StaffTaken) as error:
        form.refuse("contact", words_for(error))


def _act(act: Callable[[Session, User], object], done: str) -> Response:
    user_id = signed_in_user().id
    return act_and_return(
        lambda current: act(current, current.get_one(User, user_id)), done, url_for("provider.staff")
    )
