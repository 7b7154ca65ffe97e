"""My courses: what comes next, checking in, units, cancelling."""

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import clock, db
from marketplace.enrolments import (
    attendance,
    certificates,
    correction,
    line_queries,
    queries,
    reviewing,
    service,
)
from marketplace.enrolments.cancellation import cancellable_until
from marketplace.enrolments.models import CANCELLED, EnrolmentState
from marketplace.enrolments.queries import AttendedMeeting, Progress
from marketplace.enrolments.returned import returned
from marketplace.enrolments.timetable import list_learning
from marketplace.errors import MarketplaceError, NotFound
from marketplace.web.acting import act_and_return
from marketplace.web.errors import words_for
from marketplace.web.forms import Form, FormSchema, Text, empty, submitted
from marketplace.web.identity import current_participant
from marketplace.web.money_steps import Step, list_steps
from marketplace.web.participant.blueprint import pages
from marketplace.web.participant.reasons import why_certificate_waits, why_taken_back
from marketplace.web.state_words import enrolment_tag, money_tag

T = TypeVar("T")


class CheckInForm(FormSchema):
    code = Text(_l("Tulis enam angka di layar kelas."))


@pages.get("/kursus-saya")
def courses() -> str:
    """Every enrolment: what comes next first, what has ended last."""
    current = db.session()
    now = clock.now(current)
    return render_template(
        "participant/courses.html",
        lines=line_queries.list_for_participant(current, current_participant().id),
        learning=list_learning(current, current_participant().id, now),
        enrolment_tag=enrolment_tag,
        is_open=attendance.is_open,
        now=now,
    )


@pages.get("/kursus-saya/<uuid:enrolment_id>")
def enrolment(enrolment_id: uuid.UUID) -> str:
    """One enrolment: its sessions, the check-in, the receipt, cancelling."""
    return _enrolment(enrolment_id, empty())


@pages.post("/kursus-saya/<uuid:enrolment_id>/sesi/<uuid:session_id>")
def check_in(enrolment_id: uuid.UUID, session_id: uuid.UUID) -> str | Response | tuple[str, int]:
    """Check in with the code on the classroom's screen. A second time changes nothing."""
    form = submitted(CheckInForm())
    participant_id = current_participant().id
    if form.is_valid:
        try:
            with db.transaction() as current:
                _require_own(current, enrolment_id, session_id)
                attendance.check_in(current, participant_id, session_id, form.data["code"])
        except NotFound:
            raise
        except MarketplaceError as error:
            form.refuse("code", words_for(error))
    if not form.is_valid:
        return _enrolment(enrolment_id, form, session_id), 409
    flash(_("Kehadiran Anda tercatat."), "daun")
    return redirect(url_for("participant.enrolment", enrolment_id=enrolment_id))


@pages.post("/kursus-saya/<uuid:enrolment_id>/unit/<uuid:session_id>")
def mark_unit(enrolment_id: uuid.UUID, session_id: uuid.UUID) -> Response:
    """Say that a unit of a self-paced run is done."""
    participant_id = current_participant().id
    return _act(
        enrolment_id,
        lambda current: attendance.mark_unit(current, participant_id, session_id),
        _("Unit ini sudah selesai."),
    )


@pages.get("/kursus-saya/<uuid:enrolment_id>/batal")
def ask_cancel(enrolment_id: uuid.UUID) -> str:
    """Before cancelling: what comes back, and by when."""
    current = db.session()
    found = queries.get_for_participant(current, enrolment_id, current_participant().id)
    return render_template(
        "participant/cancel.html", enrolment=found, until=cancellable_until(found.run), now=clock.now(current)
    )


@pages.post("/kursus-saya/<uuid:enrolment_id>/batal")
def cancel(enrolment_id: uuid.UUID) -> Response:
    """Cancel before the start: all of the money comes back. What has ended already is said to have."""
    participant_id = current_participant().id

    def said(state: str) -> str:
        if state == EnrolmentState.CANCELLED_BY_PARTICIPANT:
            return _("Pembelian dibatalkan. Uangnya sudah kembali ke saldo Anda.")
        return _("Pembelian ini sudah berakhir, jadi tidak ada yang bisa dibatalkan.")

    return _act(
        enrolment_id, lambda current: service.cancel(current, enrolment_id, participant_id).state, said
    )


def _act(enrolment_id: uuid.UUID, act: Callable[[Session], T], done: str | Callable[[T], str]) -> Response:
    return act_and_return(act, done, url_for("participant.enrolment", enrolment_id=enrolment_id))


def _require_own(current: Session, enrolment_id: uuid.UUID, session_id: uuid.UUID) -> None:
    """The session of this very enrolment, so that nobody is thanked for another class than the one shown."""
    enrolment = queries.get_for_participant(current, enrolment_id, current_participant().id)
    if session_id not in {each.meeting.id for each in queries.list_meetings(current, enrolment)}:
        raise NotFound("no such session in this enrolment")


def _enrolment(enrolment_id: uuid.UUID, form: Form, tried: uuid.UUID | None = None) -> str:
    current = db.session()
    progress = queries.get_progress(current, enrolment_id, current_participant().id)
    meetings = queries.list_meetings(current, progress.enrolment)
    now = clock.now(current)
    steps = _ended_steps(current, progress)
    back = returned((step.record for step in steps), progress.enrolment)
    if "code" in form.errors:
        form.errors = {_field_of(progress, meetings, tried, now): form.errors["code"]}
    return render_template(
        "participant/enrolment.html",
        progress=progress,
        meetings=meetings,
        certificate=certificates.find_newest_of(current, enrolment_id),
        review=reviewing.find_of(current, enrolment_id),
        went=steps[-1].words if steps and progress.enrolment.state in CANCELLED else "",
        back=back,
        money_tag=money_tag(progress.enrolment, progress.earning, went_to_state=back.state > 0),
        corrections=correction.list_corrections(current, enrolment_id),
        form=form,
        tried=tried,
        until=cancellable_until(progress.enrolment.run),
        is_open=attendance.is_open,
        enrolment_tag=enrolment_tag,
        why_taken_back=why_taken_back,
        why_certificate_waits=why_certificate_waits,
        now=now,
    )


def _ended_steps(current: Session, progress: Progress) -> list[Step]:
    """What the ledger did with a purchase of which something came back; nothing for all others."""
    enrolment, earning = progress.enrolment, progress.earning
    is_earned_whole = earning is not None and earning.gross == enrolment.price
    return [] if enrolment.settlement_id is None or is_earned_whole else list_steps(current, enrolment)


def _field_of(
    progress: Progress, meetings: Sequence[AttendedMeeting], tried: uuid.UUID | None, now: datetime
) -> str:
    """The code field that an error belongs to; none where the session is over or not open yet."""
    for each in meetings:
        is_asked = each.attendance is None and attendance.is_open(each.meeting, now)
        if each.meeting.id == tried and is_asked and progress.enrolment.is_live:
            return f"code-{each.meeting.sequence}"
    return ""
