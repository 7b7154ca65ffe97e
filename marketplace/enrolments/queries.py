"""Reading enrolments: a participant's own and their money here, a provider's in provider_queries."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session, lazyload

from marketplace.batches import queries as grants
from marketplace.catalogue.models import RunSession
from marketplace.enrolments.figures import Figures, Stage, enrolments_per_day, figures_for_provider
from marketplace.enrolments.history import HistoryRow, cash_history, history
from marketplace.enrolments.models import (
    LIVE,
    SEATED,
    UNPAID,
    Attendance,
    Earning,
    EarningState,
    Enrolment,
    stands,
)
from marketplace.enrolments.progress import Progress, progress_select, read_progress
from marketplace.enrolments.provider_queries import (
    Filters,
    Page,
    RollCallRow,
    RunRow,
    count_attendance,
    get_for_provider,
    get_meeting_of_provider,
    get_run_of_provider,
    list_courses_sold,
    list_for_provider,
    list_for_run,
    list_runs_of_provider,
    roll_call,
)
from marketplace.errors import NotFound

__all__ = [
    "AttendedMeeting",
    "Figures",
    "Filters",
    "HistoryRow",
    "Money",
    "NextMeeting",
    "Page",
    "Progress",
    "RollCallRow",
    "RunRow",
    "Stage",
    "cash_history",
    "count_attendance",
    "enrolments_per_day",
    "figures_for_provider",
    "find_by_receipt",
    "find_for_run",
    "find_next_meeting",
    "get_for_participant",
    "get_for_provider",
    "get_meeting_of_provider",
    "get_progress",
    "get_run_of_provider",
    "history",
    "list_courses_sold",
    "list_for_participant",
    "list_for_provider",
    "list_for_run",
    "list_meetings",
    "list_runs_of_provider",
    "money_of_participant",
    "roll_call",
]


@dataclass(frozen=True, slots=True)
class Money:
    """Where a participant's benefit is, in rupiah; the portions add up to the total.

    `set_aside` waits for a provider's confirmation; `due` is the providers' but not yet paid by the bank;
    `returned` went back to the programme.
    """

    available: Decimal
    set_aside: Decimal
    escrow: Decimal
    due: Decimal
    paid: Decimal
    returned: Decimal
    total: Decimal


@dataclass(frozen=True, slots=True)
class NextMeeting:
    """The next session a participant should come to."""

    progress: Progress
    meeting: RunSession


@dataclass(frozen=True, slots=True)
class AttendedMeeting:
    """One promised session or unit of a run and the participant's attendance, if any."""

    meeting: RunSession
    attendance: Attendance | None


def get_for_participant(session: Session, enrolment_id: uuid.UUID, participant_id: uuid.UUID) -> Enrolment:
    """One's own enrolment. Raises NotFound, for somebody else's too."""
    return get_progress(session, enrolment_id, participant_id).enrolment


def get_progress(session: Session, enrolment_id: uuid.UUID, participant_id: uuid.UUID) -> Progress:
    """One's own enrolment with its attendance. Raises NotFound, for somebody else's too."""
    own = (Enrolment.id == enrolment_id) & (Enrolment.participant_id == participant_id)
    found = read_progress(session, progress_select().where(own))
    if not found:
        raise NotFound("no such enrolment")
    return found[0]


def list_for_participant(session: Session, participant_id: uuid.UUID) -> list[Progress]:
    """Everything a participant ever bought, newest first, in one query."""
    rows = progress_select().where(Enrolment.participant_id == participant_id)
    return read_progress(session, rows.order_by(Enrolment.purchased_at.desc(), Enrolment.id.desc()))


def find_by_receipt(session: Session, number: str) -> Enrolment | None:
    """The enrolment of a receipt number as people type it, or None. For staff."""
    wanted = number.strip().upper()
    return session.scalars(select(Enrolment).where(Enrolment.receipt_number == wanted)).first()


def find_for_run(session: Session, participant_id: uuid.UUID, run_id: uuid.UUID) -> Enrolment | None:
    """A participant's enrolment in a run that has not ended, or None."""
    mine = (Enrolment.participant_id == participant_id) & (Enrolment.run_id == run_id)
    return session.scalars(select(Enrolment).where(mine, Enrolment.state.in_(SEATED))).first()


def find_next_meeting(session: Session, participant_id: uuid.UUID, now: datetime) -> NextMeeting | None:
    """The session that is on or comes next among all that a participant has bought, or None."""
    upcoming = (
        progress_select()
        .add_columns(RunSession)
        .join(RunSession, RunSession.run_id == Enrolment.run_id)
        .where(
            Enrolment.participant_id == participant_id, Enrolment.state.in_(LIVE), RunSession.ends_at >= now
        )
        .order_by(RunSession.starts_at, RunSession.id)
        .limit(1)
    )
    row = session.execute(upcoming).first()
    return NextMeeting(Progress(row[0], row[2], row[3], row[1]), row[4]) if row else None


def list_meetings(session: Session, enrolment: Enrolment) -> list[AttendedMeeting]:
    """The run's sessions or units in order, each with this enrolment's attendance."""
    own = (Attendance.session_id == RunSession.id) & (Attendance.enrolment_id == enrolment.id)
    rows = session.execute(
        select(RunSession, Attendance)
        .outerjoin(Attendance, own & stands())
        .options(lazyload(Attendance.session))  # its inner join would drop who did not come
        .where(RunSession.run_id == enrolment.run_id)
        .order_by(RunSession.sequence)
    )
    return [AttendedMeeting(meeting, attendance) for meeting, attendance in rows]


def money_of_participant(session: Session, participant_id: uuid.UUID) -> Money:
    """The portions of one participant's benefit; all zero before a grant is credited."""
    total = grants.credited_to(session, participant_id)
    funds = grants.funds_of(session, participant_id)
    escrow, due, paid = _spent(session, participant_id)
    returned = total - funds.balance - escrow - due - paid
    return Money(funds.available, funds.held, escrow, due, paid, returned, total)


def _spent(session: Session, participant_id: uuid.UUID) -> tuple[Decimal, Decimal, Decimal]:
    """What waits for classes, is owed to providers, and has been paid to them."""
    standing = (Earning.enrolment_id == Enrolment.id) & (Earning.state != EarningState.CORRECTED)
    sums = (
        func.sum(Enrolment.price).filter(Enrolment.state.in_(LIVE)),
        func.sum(Earning.gross).filter(Earning.state.in_(UNPAID)),
        func.sum(Earning.gross).filter(Earning.state == EarningState.PAID),
    )
    rows = select(*(func.coalesce(each, Decimal(0)) for each in sums)).outerjoin_from(
        Enrolment, Earning, standing
    )
    found = session.execute(rows.where(Enrolment.participant_id == participant_id)).one()
    return found[0], found[1], found[2]
