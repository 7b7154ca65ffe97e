"""An enrolment together with its attendance and its earning: what every list of them shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session, lazyload

from marketplace.catalogue.models import RunSession
from marketplace.enrolments import pay
from marketplace.enrolments.models import SEATED, Attendance, Earning, EarningState, Enrolment, stands
from marketplace.participants.models import Participant


@dataclass(frozen=True, slots=True)
class Progress:
    """An enrolment with how many of its promised sessions or units were attended."""

    enrolment: Enrolment
    attended: int
    promised: int
    earning: Earning | None

    @property
    def percent(self) -> int:
        """Attended of promised, rounded down."""
        return 100 * self.attended // self.promised if self.promised else 0

    @property
    def provider_share(self) -> Decimal:
        """Net rupiah for the provider: what was earned, or what full attendance would earn."""
        if self.earning is not None:
            return self.earning.net
        if self.enrolment.state not in SEATED:
            return Decimal(0)
        return pay.split(self.enrolment.price, 100, self.enrolment.fee_rate).net


def standing_earning() -> ColumnElement[bool]:
    """The join from an enrolment to its earning, past those that were corrected."""
    return (Earning.enrolment_id == Enrolment.id) & (Earning.state != EarningState.CORRECTED)


def progress_select() -> Select[Any]:
    """Enrolment, earning, attended, promised: the columns that read_progress understands."""
    own = Attendance.enrolment_id == Enrolment.id
    attended = select(func.count()).select_from(Attendance).where(own, stands())
    promised = select(func.count()).select_from(RunSession).where(RunSession.run_id == Enrolment.run_id)
    return (
        select(
            Enrolment,
            Earning,
            attended.correlate(Enrolment).scalar_subquery(),
            promised.correlate(Enrolment).scalar_subquery(),
        )
        .outerjoin(Earning, standing_earning())
        .options(
            lazyload(Earning.enrolment),
            lazyload(Enrolment.participant, Participant.user),
        )
    )


def read_progress(session: Session, rows: Select[Any], **values: object) -> list[Progress]:
    """Run a select made by progress_select(), with the values that it has names for."""
    found: Sequence[Any] = session.execute(rows, values).all()
    return [Progress(row[0], row[2], row[3], row[1]) for row in found]
