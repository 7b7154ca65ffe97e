"""How the service is, read from what its jobs left behind: messages, the log's seals, payouts."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

import ledger
from marketplace import clock
from marketplace.notifications.models import Notification, NotificationState
from marketplace.payouts.models import MOVING, Payout, PayoutRun

MESSAGES_LATE = timedelta(minutes=5)
_CAN_WRITE = "SELECT current_setting('transaction_read_only') = 'off' AND NOT pg_is_in_recovery()"


@dataclass(frozen=True, slots=True)
class Signs:
    """What there is to see; None where nothing has happened yet.

    `can_write` is False where the database is one that is only read, as a standby is.
    `oldest_message` was written then and nobody has tried to send it; `sealed_at` is when the log was
    sealed last; `moving` are payouts that the bank has and has not answered for.
    """

    now: datetime
    can_write: bool
    oldest_message: datetime | None
    sealed_at: datetime | None
    payout_day: date | None
    moving: int

    @property
    def messages_are_late(self) -> bool:
        """Codes come as messages: while they are late, nobody signs in."""
        return self.oldest_message is not None and self.now - self.oldest_message > MESSAGES_LATE


def read_signs(session: Session) -> Signs:
    """Look at all of them, in five queries."""
    seal = ledger.find_seal(session)
    waiting = select(func.min(Notification.created_at)).where(
        Notification.state == NotificationState.PENDING, Notification.attempts == 0
    )
    moving = select(func.count()).select_from(Payout).where(Payout.state.in_(MOVING))
    return Signs(
        now=clock.wall_now(),
        can_write=session.scalars(text(_CAN_WRITE)).one(),
        oldest_message=session.scalar(waiting),
        sealed_at=seal.sealed_at if seal else None,
        payout_day=session.scalar(select(func.max(PayoutRun.day))),
        moving=session.scalar(moving) or 0,
    )
