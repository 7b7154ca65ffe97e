"""Reading grants and what is left of them."""

import uuid
from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

import ledger
from marketplace import chart
from marketplace.batches.errors import GrantMissing
from marketplace.batches.models import Grant
from marketplace.participants.models import Participant


def find_grant(session: Session, participant_id: uuid.UUID) -> Grant | None:
    """A participant's grant in any state, or None."""
    return session.scalar(select(Grant).where(Grant.participant_id == participant_id))


def get_grant(session: Session, participant_id: uuid.UUID) -> Grant:
    """A participant's grant in any state. Raises GrantMissing."""
    grant = find_grant(session, participant_id)
    if grant is None:
        raise GrantMissing(f"no grant of participant {participant_id}")
    return grant


def balance_of(session: Session, participant_id: uuid.UUID) -> Decimal:
    """What can be spent of the training balance now, in rupiah; 0 for who has never been granted one."""
    try:
        return ledger.available(session, chart.benefit(participant_id))
    except ledger.UnknownAccount:
        return Decimal(0)


def set_aside_of(session: Session, participant_id: uuid.UUID) -> Decimal:
    """What is set aside in the training balance for seats that wait to be confirmed, in rupiah."""
    account = chart.benefit(participant_id)
    try:
        return ledger.balance(session, account) - ledger.available(session, account)
    except ledger.UnknownAccount:
        return Decimal(0)


def count_by_state(session: Session) -> dict[str, int]:
    """How many grants there are in each state."""
    counted = session.execute(select(Grant.state, func.count()).group_by(Grant.state))
    return dict(counted.all())


def list_without(session: Session, limit: int) -> Sequence[uuid.UUID]:
    """Registered people who may have a grant and have none, first come first."""
    found = select(Participant.id).where(*_without()).order_by(Participant.registered_at, Participant.id)
    return session.scalars(found.limit(limit)).all()


def count_without(session: Session) -> int:
    """How many people list_without would find."""
    return session.scalar(select(func.count()).select_from(Participant).where(*_without())) or 0


def _without() -> tuple[ColumnElement[bool], ...]:
    has_grant = exists().where(Grant.participant_id == Participant.id)
    return (Participant.blocked_code.is_(None), ~has_grant)
