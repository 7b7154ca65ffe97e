"""What a participant has bought, as rows of one question: home, history and money are told from them."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, bindparam, func, select, true
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.catalogue.models import Course, Run, RunKind, RunSession
from marketplace.enrolments.models import LIVE, Attendance, Earning, Enrolment, EnrolmentState, stands
from marketplace.enrolments.progress import standing_earning


@dataclass(frozen=True, slots=True)
class Bought:
    """One enrolment with its course and where its money is; amounts in rupiah.

    `attended` and `promised` count sessions or units. `earned` and `earning_state` are None until there is
    an earning that stands. `meeting` and `meets_at` are the session that is on or comes next, if any.
    """

    id: uuid.UUID
    state: str
    price: Decimal
    transaction_id: uuid.UUID | None
    settlement_id: uuid.UUID | None
    hold_id: uuid.UUID | None
    purchased_at: datetime
    confirm_by: datetime | None
    cancelled_at: datetime | None
    completed_at: datetime | None
    corrected_at: datetime | None
    percent: int | None
    course_title: str
    mode: str
    kind: str
    place: str
    ends_at: datetime
    earned: Decimal | None
    earning_state: str | None
    attended: int
    promised: int
    meeting: int | None
    meets_at: datetime | None

    @property
    def is_live(self) -> bool:
        """Bought, and neither cancelled nor completed yet."""
        return self.state in LIVE

    @property
    def is_awaiting(self) -> bool:
        """The provider has not said yet whether there is a seat."""
        return self.state == EnrolmentState.AWAITING_CONFIRMATION


def list_bought(session: Session, participant_id: uuid.UUID) -> list[Bought]:
    """Everything a participant ever bought, newest first."""
    asked = {"participant_id": participant_id, "now": clock.now(session)}
    return [Bought(*row) for row in session.execute(_BOUGHT, asked)]


def next_to_attend(mine: Iterable[Bought]) -> Bought | None:
    """Whose session is on or comes next, or None."""
    coming = [(each.meets_at, each.id, each) for each in mine if each.is_live and each.meets_at]
    return min(coming)[-1] if coming else None


def next_to_study(mine: Iterable[Bought], now: datetime) -> Bought | None:
    """A self-paced course with units left to do, the newest first, or None."""
    own_pace = (each for each in mine if each.is_live and each.kind == RunKind.SELF_PACED)
    return next((each for each in own_pace if each.ends_at > now and each.attended < each.promised), None)


def _statement() -> Select[Any]:
    coming = (
        select(RunSession.sequence, RunSession.starts_at)
        .where(RunSession.run_id == Enrolment.run_id, RunSession.ends_at >= bindparam("now"))
        .order_by(RunSession.starts_at, RunSession.id)
        .limit(1)
        .lateral()
    )
    attended = select(func.count()).where(Attendance.enrolment_id == Enrolment.id, stands())
    promised = select(func.count()).where(RunSession.run_id == Enrolment.run_id)
    return (
        select(*_ENROLMENT, *_RUN, Earning.gross, Earning.state)
        .add_columns(attended.scalar_subquery(), promised.scalar_subquery(), *coming.c)
        .select_from(Enrolment)
        .join(Run, Run.id == Enrolment.run_id)
        .join(Course, Course.id == Run.course_id)
        .outerjoin(Earning, standing_earning())
        .outerjoin(coming, true())
        .where(Enrolment.participant_id == bindparam("participant_id"))
        .order_by(Enrolment.purchased_at.desc(), Enrolment.id.desc())
    )


_ENROLMENT: tuple[Any, ...] = (
    Enrolment.id, Enrolment.state, Enrolment.price, Enrolment.transaction_id, Enrolment.settlement_id,
    Enrolment.hold_id, Enrolment.purchased_at, Enrolment.confirm_by, Enrolment.cancelled_at,
    Enrolment.completed_at, Enrolment.corrected_at, Enrolment.percent,
)  # fmt: skip
_RUN: tuple[Any, ...] = (Enrolment.course_title, Course.mode, Run.kind, Run.place, Run.ends_at)
_BOUGHT = _statement()
