"""A provider's complaints: about an enrolment, a payout, or in general."""

import uuid
from collections.abc import Sequence

from flask import Response as FileResponse
from flask import abort, render_template, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import db
from marketplace.enrolments import provider_queries
from marketplace.identity.models import User
from marketplace.oversight import complaint_queries as queries
from marketplace.oversight import complaints as desk
from marketplace.oversight.complaint_steps import Words
from marketplace.oversight.complaints import LONGEST, Subject
from marketplace.oversight.models import Category, Complaint
from marketplace.payouts import queries as payouts
from marketplace.providers.models import StaffRole
from marketplace.web import complaining, complaint_words
from marketplace.web.acting import act_and_return
from marketplace.web.attachments import ACCEPTED
from marketplace.web.complaining import Place
from marketplace.web.forms import Form, empty, new_key
from marketplace.web.identity import current_provider, find_staff, parse_id, signed_in_user
from marketplace.web.provider.blueprint import pages
from marketplace.web.staff_rights import may_open


@pages.get("/pengaduan")
def complaints() -> str:
    """Every complaint that this part of the staff may see, newest first."""
    provider_id, sees_money = current_provider().id, _sees_money()

    def find(after: uuid.UUID | None, limit: int) -> Sequence[Complaint]:
        return queries.list_for_provider(db.session(), provider_id, after, with_money=sees_money, limit=limit)

    return complaining.listed(_place(), find)


@pages.get("/pengaduan/baru")
def new_complaint() -> str:
    """The form, perhaps about one enrolment or payout already."""
    about = {"enrolment": request.args.get("pendaftaran", ""), "payout": request.args.get("pembayaran", "")}
    chosen = Category.PAYOUT.value if about["payout"] else ""
    return _form(empty(key=new_key(), category=chosen, **about))


@pages.post("/pengaduan/baru")
def open_complaint() -> Response | tuple[str, int]:
    """Send it to the programme office."""
    provider_id, user_id, sees_money = current_provider().id, signed_in_user().id, _sees_money()

    def work(current: Session, subject: Subject, words: Words) -> Complaint:
        if not sees_money and (subject.payout_id or subject.category is Category.PAYOUT):
            abort(403)
        actor = current.get_one(User, user_id)
        return desk.open_for_provider(current, provider_id, actor, subject, words)

    return complaining.open_complaint(_place(), _form, work)


@pages.get("/pengaduan/<uuid:provider_complaint_id>")
def complaint(provider_complaint_id: uuid.UUID) -> str:
    """One complaint with every answer."""
    return complaining.thread(_place(), _own(provider_complaint_id))


@pages.get("/pengaduan/<uuid:provider_complaint_id>/berkas/<uuid:provider_attachment_id>")
def complaint_attachment(provider_complaint_id: uuid.UUID, provider_attachment_id: uuid.UUID) -> FileResponse:
    """A file that was sent with it."""
    return complaining.attachment(_own(provider_complaint_id), provider_attachment_id)


@pages.post("/pengaduan/<uuid:provider_complaint_id>/balas")
def reply_complaint(provider_complaint_id: uuid.UUID) -> Response | tuple[str, int]:
    """Write again."""
    return complaining.send(_place(), _own(provider_complaint_id), desk.reply, _("Balasan Anda diterima."))


@pages.post("/pengaduan/<uuid:provider_complaint_id>/belum-selesai")
def insist_complaint(provider_complaint_id: uuid.UUID) -> Response | tuple[str, int]:
    """Ask for a second person."""
    found = _own(provider_complaint_id)
    return complaining.send(_place(), found, desk.insist, _("Orang kedua akan memeriksanya."))


@pages.post("/pengaduan/<uuid:provider_complaint_id>/selesai")
def accept_complaint(provider_complaint_id: uuid.UUID) -> Response:
    """Say that it is solved."""
    found, user_id = _own(provider_complaint_id), signed_in_user().id
    return act_and_return(
        lambda current: desk.accept(current, provider_complaint_id, current.get_one(User, user_id)),
        _("Terima kasih. Pengaduan ini selesai."),
        _place().href("complaint", found),
    )


def _sees_money() -> bool:
    """Whoever may open the payouts may read what was written about them."""
    staff = find_staff()
    return staff is not None and may_open(StaffRole(staff.role), "/lembaga/pembayaran")


def _place() -> Place:
    money = _sees_money()
    chosen = tuple(each for each in complaint_words.FOR_PROVIDERS if money or each is not Category.PAYOUT)
    return Place("provider", "provider_complaint_id", "provider_attachment_id", chosen)


def _own(complaint_id: uuid.UUID) -> Complaint:
    return queries.get_for_provider(
        db.session(), complaint_id, current_provider().id, with_money=_sees_money()
    )


def _form(form: Form) -> str:
    current, provider_id = db.session(), current_provider().id
    enrolment, payout = form.typed.get("enrolment"), form.typed.get("payout")
    if payout and not _sees_money():
        abort(403)
    return render_template(
        "complaints/new.html",
        place=_place(),
        form=form,
        about=provider_queries.get_for_provider(current, parse_id(enrolment), provider_id).enrolment
        if enrolment
        else None,
        payout=payouts.get_payout(current, parse_id(payout), provider_id=provider_id) if payout else None,
        longest=LONGEST,
        accepted=ACCEPTED,
    )
