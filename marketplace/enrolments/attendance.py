"""Attendance, the evidence for pay: the rotating code, the provider's list, self-paced units."""

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.catalogue.models import Run, RunKind, RunSession
from marketplace.enrolments import messages
from marketplace.enrolments.check_in_codes import current_code, require_code
from marketplace.enrolments.errors import NotEnrolled, NotYet, SessionOver
from marketplace.enrolments.models import (
    ENROLMENT_TRANSITIONS,
    LIVE,
    Attendance,
    AttendanceMethod,
    Enrolment,
    EnrolmentState,
)
from marketplace.enrolments.staff import require_staff
from marketplace.errors import IllegalTransition, NotFound
from marketplace.events import service as events
from marketplace.identity import audit
from marketplace.identity.models import User
from marketplace.notifications import service as notifications
from marketplace.states import move

__all__ = [
    "OPENS_BEFORE",
    "check_in",
    "current_code",
    "get_meeting",
    "is_open",
    "mark_unit",
    "upload_attendance",
]

OPENS_BEFORE = timedelta(minutes=15)


def is_open(meeting: RunSession, now: datetime) -> bool:
    """Whether the code of a session is taken now (programme time)."""
    if meeting.starts_at is None or meeting.ends_at is None:
        return False
    return meeting.starts_at - OPENS_BEFORE <= now <= meeting.ends_at


def check_in(session: Session, participant_id: uuid.UUID, run_session_id: uuid.UUID, code: str) -> Attendance:
    """Record that a participant is here, by the code on the screen; a repeat changes nothing.

    Open from 15 minutes before the session to its end. Raises NotFound, NotEnrolled, NotYet,
    SessionOver, CheckInBlocked after ten wrong codes, and CheckInCodeWrong, which is `recorded`.
    """
    meeting = get_meeting(session, run_session_id)
    enrolment = _lock_live(session, participant_id, meeting.run_id)
    earlier = _find(session, enrolment.id, meeting.id)
    if earlier is not None:
        return earlier
    _require_open(meeting, clock.now(session))
    require_code(session, enrolment, meeting, code)
    return _record(session, enrolment, meeting, AttendanceMethod.CODE, enrolment.participant.user_id)


def upload_attendance(
    session: Session, run_session_id: uuid.UUID, enrolment_ids: Collection[uuid.UUID], actor: User
) -> int:
    """Record the provider's own list for one session; each person named is told. How many were new.

    Raises NotFound for a session or enrolment that is not the actor's provider's, NotYet before the
    session's start, and IllegalTransition when one of the enrolments has ended.
    """
    meeting = get_meeting(session, run_session_id)
    run = session.get_one(Run, meeting.run_id)
    require_staff(session, actor, run.course.provider_id)
    opens_at = meeting.starts_at or run.starts_at
    if clock.now(session) < opens_at:
        raise NotYet("the session has not begun", opens_at=opens_at)
    enrolments = _lock_listed(session, run.id, set(enrolment_ids))
    present = set(session.scalars(select(Attendance.enrolment_id).where(Attendance.session_id == meeting.id)))
    fresh = [each for each in enrolments if each.id not in present]
    for enrolment in fresh:
        _record(session, enrolment, meeting, AttendanceMethod.UPLOAD, actor.id)
        user = enrolment.participant.user
        notifications.notify(session, user, *messages.attendance_uploaded(enrolment, meeting))
    if fresh:
        audit.record(session, actor, "attendance.upload", f"session:{meeting.id}", enrolments=len(fresh))
    return len(fresh)


def mark_unit(session: Session, participant_id: uuid.UUID, run_session_id: uuid.UUID) -> Attendance:
    """Record that a participant has done a unit of a self-paced run; a repeat changes nothing.

    Raises NotFound (also for a scheduled session), NotEnrolled, NotYet before access begins and
    SessionOver after it has ended.
    """
    unit = session.get(RunSession, run_session_id)
    run = session.get(Run, unit.run_id) if unit else None
    if unit is None or run is None or run.kind != RunKind.SELF_PACED:
        raise NotFound("no such unit")
    enrolment = _lock_live(session, participant_id, run.id)
    earlier = _find(session, enrolment.id, unit.id)
    if earlier is not None:
        return earlier
    _require_within(run.starts_at, run.ends_at, clock.now(session))
    return _record(session, enrolment, unit, AttendanceMethod.UNIT, enrolment.participant.user_id)


def get_meeting(session: Session, run_session_id: uuid.UUID) -> RunSession:
    """A session with a time. Raises NotFound, also for units of self-paced runs, which are not attended."""
    meeting = session.get(RunSession, run_session_id)
    if meeting is None or meeting.starts_at is None:
        raise NotFound("no such session")
    return meeting


def _require_open(meeting: RunSession, now: datetime) -> None:
    if meeting.starts_at is None or meeting.ends_at is None:
        raise NotFound("a unit has no hours")
    _require_within(meeting.starts_at - OPENS_BEFORE, meeting.ends_at, now)


def _require_within(opens_at: datetime, ends_at: datetime, now: datetime) -> None:
    if now < opens_at:
        raise NotYet("not open yet", opens_at=opens_at)
    if now > ends_at:
        raise SessionOver("over", ended_at=ends_at)


def _lock_live(session: Session, participant_id: uuid.UUID, run_id: uuid.UUID) -> Enrolment:
    found = session.scalars(
        select(Enrolment)
        .where(
            Enrolment.participant_id == participant_id,
            Enrolment.run_id == run_id,
            Enrolment.state.in_(LIVE),
        )
        .with_for_update(of=Enrolment, key_share=True)
        .execution_options(populate_existing=True)
    ).first()
    if found is None:
        raise NotEnrolled("no live enrolment in this run")
    return found


def _lock_listed(session: Session, run_id: uuid.UUID, ids: set[uuid.UUID]) -> Sequence[Enrolment]:
    found = session.scalars(
        select(Enrolment)
        .where(Enrolment.id.in_(ids), Enrolment.run_id == run_id)
        .order_by(Enrolment.id)
        .with_for_update(of=Enrolment, key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    if len(found) != len(ids):
        raise NotFound("an enrolment of the list is not in this run")
    for enrolment in found:
        if enrolment.state not in LIVE:
            raise IllegalTransition("ended", current=enrolment.state, receipt=enrolment.receipt_number)
    return found


def _find(session: Session, enrolment_id: uuid.UUID, run_session_id: uuid.UUID) -> Attendance | None:
    return session.scalars(
        select(Attendance).where(
            Attendance.enrolment_id == enrolment_id, Attendance.session_id == run_session_id
        )
    ).first()


def _record(
    session: Session, enrolment: Enrolment, meeting: RunSession, method: AttendanceMethod, by: uuid.UUID
) -> Attendance:
    """Add the row. The enrolment is locked, so nobody adds the same one meanwhile."""
    attendance = Attendance(
        enrolment_id=enrolment.id,
        session_id=meeting.id,
        method=method.value,
        recorded_at=clock.now(session),
        recorded_by=by,
    )
    session.add(attendance)
    if enrolment.state == EnrolmentState.PURCHASED:
        move(enrolment, EnrolmentState.ATTENDING, ENROLMENT_TRANSITIONS)
    session.flush()
    events.record(
        session,
        "attendance.recorded",
        attendance.id,
        provider_id=enrolment.provider_id,
        enrolment_id=enrolment.id,
        sequence=meeting.sequence,
        method=method.value,
    )
    return attendance
