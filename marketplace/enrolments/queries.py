"""Reading enrolments: a participant's own and their money here, a provider's in provider_queries."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, lazyload

from ledger import Funds
from marketplace.batches import queries as grants
from marketplace.batches.models import Grant
from marketplace.catalogue.models import RunSession
from marketplace.enrolments.bought import Bought, list_bought
from marketplace.enrolments.figures import Figures, Stage, enrolments_per_day, figures_for_provider
from marketplace.enrolments.history import HistoryRow, cash_history, history
from marketplace.enrolments.models import SEATED, UNPAID, Attendance, EarningState, Enrolment, stands
from marketplace.enrolments.progress import Progress, progress_select, read_progress
from marketplace.enrolments.provider_queries import (
    Filters,
    Page,
    RollCallRow,
    count_attendance,
    get_for_provider,
    get_meeting_of_provider,
    get_run_of_provider,
    list_courses_sold,
    list_for_provider,
    list_for_run,
    roll_call,
)
from marketplace.enrolments.run_list import RunRow, list_runs_of_provider
from marketplace.errors import NotFound

__all__ = [
    "AttendedMeeting",
    "Bought",
    "Figures",
    "Filters",
    "HistoryRow",
    "Money",
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
    "get_for_participant",
    "get_for_provider",
    "get_meeting_of_provider",
    "get_progress",
    "get_run_of_provider",
    "history",
    "list_bought",
    "list_courses_sold",
    "list_for_participant",
    "list_for_provider",
    "list_for_run",
    "list_meetings",
    "list_runs_of_provider",
    "money_of",
    "money_of_participant",
    "roll_call",
]

_NOTHING = Decimal(0)


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
class AttendedMeeting:
    """One promised session or unit of a run and the participant's attendance, if any."""

    meeting: RunSession
    attendance: Attendance | None


def get_for_participant(session: Session, enrolment_id: uuid.UUID, participant_id: uuid.UUID) -> Enrolment:
    """One's own enrolment. Raises NotFound, for somebody else's too."""
    return get_progress(session, enrolment_id, participant_id).enrolment


def get_progress(session: Session, enrolment_id: uuid.UUID, participant_id: uuid.UUID) -> Progress:
    """One's own enrolment with its attendance. Raises NotFound, for somebody else's too."""
    found = read_progress(session, _ONE, enrolment_id=enrolment_id, participant_id=participant_id)
    if not found:
        raise NotFound("no such enrolment")
    return found[0]


def list_for_participant(session: Session, participant_id: uuid.UUID) -> list[Progress]:
    """Everything a participant ever bought, newest first, in one query."""
    return read_progress(session, _ALL, participant_id=participant_id)


_OWN = progress_select().where(Enrolment.participant_id == bindparam("participant_id"))
_ONE = _OWN.where(Enrolment.id == bindparam("enrolment_id"))
_ALL = _OWN.order_by(Enrolment.purchased_at.desc(), Enrolment.id.desc())


def find_by_receipt(session: Session, number: str) -> Enrolment | None:
    """The enrolment of a receipt number as people type it, or None. For staff."""
    wanted = number.strip().upper()
    return session.scalars(select(Enrolment).where(Enrolment.receipt_number == wanted)).first()


def find_for_run(session: Session, participant_id: uuid.UUID, run_id: uuid.UUID) -> Enrolment | None:
    """A participant's enrolment in a run that has not ended, or None."""
    mine = (Enrolment.participant_id == participant_id) & (Enrolment.run_id == run_id)
    return session.scalars(select(Enrolment).where(mine, Enrolment.state.in_(SEATED))).first()


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
    grant, funds = grants.find_grant(session, participant_id), grants.funds_of(session, participant_id)
    return money_of(grant, funds, list_bought(session, participant_id))


def money_of(grant: Grant | None, funds: Funds, mine: Sequence[Bought]) -> Money:
    """The same of a grant, what is left of it, and everything that its owner bought."""
    total = grant.amount if grant and grant.transaction_id else _NOTHING
    escrow = sum((each.price for each in mine if each.is_live), _NOTHING)
    due = sum((each.earned or _NOTHING for each in mine if each.earning_state in UNPAID), _NOTHING)
    paid = sum(
        (each.earned or _NOTHING for each in mine if each.earning_state == EarningState.PAID), _NOTHING
    )
    returned = total - funds.balance - escrow - due - paid
    return Money(funds.available, funds.held, escrow, due, paid, returned, total)
