"""A participant's complaints: about one of their purchases, or in general."""

import uuid
from collections.abc import Sequence

from flask import Response as FileResponse
from flask import render_template, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import db
from marketplace.enrolments import queries as enrolments
from marketplace.identity.models import User
from marketplace.oversight import complaint_queries as queries
from marketplace.oversight import complaints as desk
from marketplace.oversight.complaint_steps import Words
from marketplace.oversight.complaints import LONGEST, Subject
from marketplace.oversight.models import Complaint
from marketplace.participants.queries import get_participant
from marketplace.web import complaining, complaint_words
from marketplace.web.acting import act_and_return
from marketplace.web.attachments import ACCEPTED
from marketplace.web.complaining import Place
from marketplace.web.forms import Form, empty, new_key
from marketplace.web.identity import current_participant, parse_id, signed_in_user
from marketplace.web.participant.blueprint import pages

_PLACE = Place("participant", "complaint_id", "attachment_id", complaint_words.FOR_PARTICIPANTS)


@pages.get("/pengaduan")
def complaints() -> str:
    """Every complaint, newest first."""
    participant_id = current_participant().id

    def find(after: uuid.UUID | None, limit: int) -> Sequence[Complaint]:
        return queries.list_for_participant(db.session(), participant_id, after, limit)

    return complaining.listed(_PLACE, find)


@pages.get("/pengaduan/baru")
def new_complaint() -> str:
    """The form, perhaps about one purchase already."""
    about = request.args.get("pendaftaran", "")
    if about:
        enrolments.get_for_participant(db.session(), parse_id(about), current_participant().id)
    return _form(empty(key=new_key(), enrolment=about))


@pages.post("/pengaduan/baru")
def open_complaint() -> Response | tuple[str, int]:
    """Send it to the programme office."""
    participant_id = current_participant().id

    def work(current: Session, subject: Subject, words: Words) -> Complaint:
        return desk.open_for_participant(current, get_participant(current, participant_id), subject, words)

    return complaining.open_complaint(_PLACE, _form, work)


@pages.get("/pengaduan/<uuid:complaint_id>")
def complaint(complaint_id: uuid.UUID) -> str:
    """One complaint with every answer."""
    return complaining.thread(_PLACE, _own(complaint_id))


@pages.get("/pengaduan/<uuid:complaint_id>/berkas/<uuid:attachment_id>")
def complaint_attachment(complaint_id: uuid.UUID, attachment_id: uuid.UUID) -> FileResponse:
    """A file that was sent with it."""
    return complaining.attachment(_own(complaint_id), attachment_id)


@pages.post("/pengaduan/<uuid:complaint_id>/balas")
def reply_complaint(complaint_id: uuid.UUID) -> Response | tuple[str, int]:
    """Write again."""
    return complaining.send(_PLACE, _own(complaint_id), desk.reply, _("Balasan Anda diterima."))


@pages.post("/pengaduan/<uuid:complaint_id>/belum-selesai")
def insist_complaint(complaint_id: uuid.UUID) -> Response | tuple[str, int]:
    """Ask for a second person."""
    return complaining.send(_PLACE, _own(complaint_id), desk.insist, _("Orang kedua akan memeriksanya."))


@pages.post("/pengaduan/<uuid:complaint_id>/selesai")
def accept_complaint(complaint_id: uuid.UUID) -> Response:
    """Say that it is solved."""
    found, user_id = _own(complaint_id), signed_in_user().id
    return act_and_return(
        lambda current: desk.accept(current, complaint_id, current.get_one(User, user_id)),
        _("Terima kasih. Pengaduan ini selesai."),
        _PLACE.href("complaint", found),
    )


def _own(complaint_id: uuid.UUID) -> Complaint:
    return queries.get_for_participant(db.session(), complaint_id, current_participant().id)


def _form(form: Form) -> str:
    bought = enrolments.list_for_participant(db.session(), current_participant().id)
    return render_template(
        "complaints/new.html",
        place=_PLACE,
        form=form,
        bought=[each.enrolment for each in bought],
        longest=LONGEST,
        accepted=ACCEPTED,
    )
