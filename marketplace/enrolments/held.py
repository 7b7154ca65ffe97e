"""Earnings that wait for a person of the programme: which they are, and how one lets them go."""

import uuid
from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from marketplace.enrolments import earnings, held_letters
from marketplace.enrolments.models import Earning, EarningState
from marketplace.errors import IllegalTransition
from marketplace.identity.models import User
from marketplace.notifications import service as notifications
from marketplace.providers import queries as providers
from marketplace.providers.models import StaffRole

_SEES_MONEY = frozenset({StaffRole.OWNER, StaffRole.FINANCE})


def list_held(session: Session, limit: int = 100) -> Sequence[Earning]:
    """Earnings that are held, the longest waiting first, with enrolment, participant and course."""
    return session.scalars(_held().order_by(Earning.accrued_at, Earning.id).limit(limit)).all()


def sum_held(session: Session) -> tuple[int, Decimal]:
    """How many there are, and how much they come to in rupiah."""
    whole = select(func.count(), func.coalesce(func.sum(Earning.net), Decimal(0)))
    count, amount = session.execute(whole.where(Earning.state == EarningState.HELD)).one()
    return count, amount


def release(session: Session, earning_id: uuid.UUID, reason: str, actor: User) -> Earning:
    """Let the provider be paid after all; its staff who see money are told, with the reason.

    Raises NotFound, NotAllowed for anyone but finance staff, and IllegalTransition when it is not held.
    """
    earning = earnings.lock(session, earning_id)
    if earning.state != EarningState.HELD:
        raise IllegalTransition("not held", current=earning.state, target=EarningState.ACCRUED.value)
    earnings.unhold(session, earning_id, actor, reason)
    notifications.notify_many(
        session,
        [
            notifications.message_to(each.user, *held_letters.released(earning, reason, each.user.locale))
            for each in providers.list_staff(session, earning.provider_id)
            if each.role in _SEES_MONEY
        ],
    )
    return earning


def _held() -> Select[Earning]:
    return select(Earning).where(Earning.state == EarningState.HELD)
