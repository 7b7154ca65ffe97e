"""Reading enrolments as a provider: the list with its filters, a run, and who came to a session."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, func, or_, select, tuple_
from sqlalchemy.orm import Session, lazyload, selectinload

from marketplace.catalogue.models import Course, Run, RunSession
from marketplace.enrolments.models import (
    CANCELLED,
    Attendance,
    Earning,
    EarningState,
    Enrolment,
    EnrolmentState,
    stands,
)
from marketplace.enrolments.progress import Progress, progress_select, read_progress, standing_earning
from marketplace.errors import NotFound
from marketplace.participants.models import Participant

_ABSENT = (*CANCELLED, EnrolmentState.AWAITING_CONFIRMATION)
"""Whoever has bought no seat, or none any more."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What a provider looks for. `text` is part of a name or of a receipt number.

    `percent` is the least and most attendance, as declared or as it stands; `until` is not included.
    """

    text: str = ""
    course_id: uuid.UUID | None = None
    run_id: uuid.UUID | None = None
    states: Collection[EnrolmentState] = ()
    held: bool = False
    since: datetime | None = None
    until: datetime | None = None
    percent: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, what they add up to in all, and where the next page begins (None: nowhere).

    `price` is what was bought and not cancelled, without seats that wait to be confirmed; `gross` less `fee`
    is `earned`, the provider's; all rupiah.
    """

    rows: list[Progress]
    total: int
    next_cursor: uuid.UUID | None
    price: Decimal
    gross: Decimal
    fee: Decimal
    earned: Decimal


@dataclass(frozen=True, slots=True)
class RollCallRow:
    """Somebody in a run and whether they came to one session."""

    enrolment: Enrolment
    attendance: Attendance | None


def list_for_provider(
    session: Session,
    provider_id: uuid.UUID,
    filters: Filters | None = None,
    cursor: uuid.UUID | None = None,
    limit: int | None = 20,
) -> Page:
    """A provider's enrolments, newest first; `cursor` is the last id of the page before.

    `limit` None gives all, for exports. Raises NotFound for a cursor that is not this provider's.
    """
    filters = filters or Filters()
    total, *sums = session.execute(_totals(_filtered(provider_id, filters))).one()
    found = list_slice(session, provider_id, filters, cursor, limit + 1 if limit else None)
    more = limit is not None and len(found) > limit
    shown = found[:limit] if limit else found
    return Page(shown, total, shown[-1].enrolment.id if more else None, *sums)


def list_slice(
    session: Session,
    provider_id: uuid.UUID,
    filters: Filters,
    cursor: uuid.UUID | None = None,
    limit: int | None = None,
) -> list[Progress]:
    """The same rows without their sums, for who reads on and on. Raises NotFound for a foreign cursor."""
    rows = progress_select().where(Enrolment.id.in_(_filtered(provider_id, filters)))
    if cursor is not None:
        rows = rows.where(_position() < _cursor_position(session, provider_id, cursor))
    rows = rows.order_by(Enrolment.purchased_at.desc(), Enrolment.id.desc())
    return read_progress(session, rows.limit(limit))


def get_for_provider(session: Session, enrolment_id: uuid.UUID, provider_id: uuid.UUID) -> Progress:
    """One enrolment of a provider. Raises NotFound, for another provider's too."""
    own = (Enrolment.id == enrolment_id) & (Enrolment.provider_id == provider_id)
    found = read_progress(session, progress_select().where(own))
    if not found:
        raise NotFound("no such enrolment")
    return found[0]


def list_awaiting(session: Session, provider_id: uuid.UUID, limit: int) -> list[Progress]:
    """Whom a provider has not answered yet, the most pressing first."""
    rows = progress_select().where(_awaits(provider_id)).order_by(Enrolment.confirm_by, Enrolment.id)
    return read_progress(session, rows.limit(limit))


def count_awaiting(session: Session, provider_id: uuid.UUID) -> int:
    """How many a provider has not answered yet."""
    return session.scalars(select(func.count()).where(_awaits(provider_id))).one()


def list_for_run(session: Session, run_id: uuid.UUID) -> list[Progress]:
    """Everybody who bought a run, cancelled purchases too, by name."""
    rows = progress_select().join(Participant, Enrolment.participant_id == Participant.id)
    return read_progress(
        session, rows.where(Enrolment.run_id == run_id).order_by(Participant.full_name, Enrolment.id)
    )


def get_run_of_provider(session: Session, run_id: uuid.UUID, provider_id: uuid.UUID) -> Run:
    """A provider's run with its sessions. Raises NotFound, for another provider's too."""
    run = session.scalars(
        select(Run)
        .join(Course, Run.course_id == Course.id)
        .where(Run.id == run_id, Course.provider_id == provider_id)
        .options(selectinload(Run.sessions))
    ).first()
    if run is None:
        raise NotFound("no such run")
    return run


def get_meeting_of_provider(
    session: Session, run_session_id: uuid.UUID, provider_id: uuid.UUID
) -> tuple[RunSession, Run]:
    """A session of a provider's run, with the run. Raises NotFound, for another provider's too."""
    meeting = session.get(RunSession, run_session_id)
    if meeting is None:
        raise NotFound("no such session")
    return meeting, get_run_of_provider(session, meeting.run_id, provider_id)


def roll_call(session: Session, meeting: RunSession) -> list[RollCallRow]:
    """Who is in a session's run, by name, and who of them came to it."""
    here = (Attendance.enrolment_id == Enrolment.id) & (Attendance.session_id == meeting.id)
    rows = session.execute(
        select(Enrolment, Attendance)
        .join(Participant, Enrolment.participant_id == Participant.id)
        .outerjoin(Attendance, here & stands())
        .where(Enrolment.run_id == meeting.run_id, Enrolment.state.not_in(_ABSENT))
        .options(
            lazyload(Attendance.session),  # its inner join would drop who did not come
            lazyload(Enrolment.participant, Participant.user),
        )
        .order_by(Participant.full_name, Enrolment.id)
    )
    return [RollCallRow(enrolment, attendance) for enrolment, attendance in rows]


def count_attendance(session: Session, run_id: uuid.UUID) -> dict[uuid.UUID, int]:
    """How many came to each session of a run; a session that nobody came to is not there."""
    rows = select(Attendance.session_id, func.count()).join(
        RunSession, Attendance.session_id == RunSession.id
    )
    return dict(
        session.execute(
            rows.where(RunSession.run_id == run_id, stands()).group_by(Attendance.session_id)
        ).all()
    )


def list_courses_sold(session: Session, provider_id: uuid.UUID) -> list[tuple[uuid.UUID, str]]:
    """Id and title of each course of a provider that somebody ever bought, by title."""
    sold = select(Run.course_id).join(Enrolment, Enrolment.run_id == Run.id)
    rows = select(Course.id, Course.title).where(
        Course.provider_id == provider_id, Course.id.in_(sold.where(Enrolment.provider_id == provider_id))
    )
    return [(course_id, title) for course_id, title in session.execute(rows.order_by(Course.title))]


def list_runs_sold(
    session: Session, provider_id: uuid.UUID, course_id: uuid.UUID | None = None, limit: int = 100
) -> Sequence[Run]:
    """A provider's runs that somebody ever bought, of one course or of all, the latest first."""
    sold = select(Enrolment.run_id).where(Enrolment.provider_id == provider_id)
    rows = select(Run).where(Run.id.in_(sold)).order_by(Run.starts_at.desc(), Run.id)
    if course_id:
        rows = rows.where(Run.course_id == course_id)
    return session.scalars(rows.limit(limit)).all()


def _awaits(provider_id: uuid.UUID) -> ColumnElement[bool]:
    return (Enrolment.provider_id == provider_id) & (Enrolment.state == EnrolmentState.AWAITING_CONFIRMATION)


def _totals(wanted: Select[Any]) -> Select[*tuple[Any, ...]]:
    bought = func.sum(Enrolment.price).filter(Enrolment.state.not_in(_ABSENT))
    sums = (bought, func.sum(Earning.gross), func.sum(Earning.fee), func.sum(Earning.net))
    return (
        select(func.count(), *(func.coalesce(each, Decimal(0)) for each in sums))
        .select_from(Enrolment)
        .outerjoin(Earning, standing_earning())
        .where(Enrolment.id.in_(wanted))
    )


def _filtered(provider_id: uuid.UUID, filters: Filters) -> Select[Any]:
    rows = select(Enrolment.id).where(Enrolment.provider_id == provider_id)
    if filters.text:
        name = Participant.full_name.icontains(filters.text, autoescape=True)
        number = Enrolment.receipt_number.icontains(filters.text, autoescape=True)
        rows = rows.join(Participant, Enrolment.participant_id == Participant.id).where(or_(name, number))
    if filters.course_id:
        rows = rows.where(Enrolment.run_id.in_(select(Run.id).where(Run.course_id == filters.course_id)))
    if filters.run_id:
        rows = rows.where(Enrolment.run_id == filters.run_id)
    if filters.states:
        rows = rows.where(Enrolment.state.in_(filters.states))
    if filters.held:
        held = select(Earning.enrolment_id).where(Earning.state == EarningState.HELD)
        rows = rows.where(Enrolment.id.in_(held))
    if filters.since:
        rows = rows.where(Enrolment.purchased_at >= filters.since)
    if filters.until:
        rows = rows.where(Enrolment.purchased_at < filters.until)
    return rows.where(_percent().between(*filters.percent)) if filters.percent else rows


def _percent() -> Any:
    """As declared; before that attended of promised, rounded down."""
    own = Attendance.enrolment_id == Enrolment.id
    attended = select(func.count()).select_from(Attendance).where(own, stands())
    promised = select(func.count()).select_from(RunSession).where(RunSession.run_id == Enrolment.run_id)
    counts = [each.correlate(Enrolment).scalar_subquery() for each in (attended, promised)]
    return func.coalesce(Enrolment.percent, 100 * counts[0] // func.nullif(counts[1], 0, type_=Integer), 0)


def _position() -> Any:
    return tuple_(Enrolment.purchased_at, Enrolment.id)


def _cursor_position(session: Session, provider_id: uuid.UUID, cursor: uuid.UUID) -> Any:
    own = (Enrolment.id == cursor) & (Enrolment.provider_id == provider_id)
    purchased_at = session.scalar(select(Enrolment.purchased_at).where(own))
    if purchased_at is None:
        raise NotFound("no such cursor")
    return tuple_(purchased_at, cursor)
