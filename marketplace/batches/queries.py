"""Reading grants and what is left of them."""

import uuid
from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import ColumnElement, bindparam, exists, func, select
from sqlalchemy.orm import Session, lazyload

import ledger
from marketplace import chart
from marketplace.batches.errors import GrantMissing
from marketplace.batches.models import Grant
from marketplace.participants.models import Participant

# the participant is known to whoever asks by their id
_GRANT = (
    select(Grant)
    .where(Grant.participant_id == bindparam("participant_id"))
    .options(lazyload(Grant.participant))
)


def find_grant(session: Session, participant_id: uuid.UUID) -> Grant | None:
    """A participant's grant in any state, or None."""
    return session.scalar(_GRANT, {"participant_id": participant_id})


def get_grant(session: Session, participant_id: uuid.UUID) -> Grant:
    """A participant's grant in any state. Raises GrantMissing."""
    grant = find_grant(session, participant_id)
    if grant is None:
        raise GrantMissing(f"no grant of participant {participant_id}")
    return grant


def balance_of(session: Session, participant_id: uuid.UUID) -> Decimal:
    """What can be spent of the training balance now, in rupiah; 0 for who has never been granted one."""
    return funds_of(session, participant_id).available


def funds_of(session: Session, participant_id: uuid.UUID) -> ledger.Funds:
    """The training balance, and what of it is held for seats that wait to be confirmed; 0 without a grant."""
    try:
        return ledger.funds(session, chart.benefit(participant_id))
    except ledger.UnknownAccount:
        return ledger.Funds(Decimal(0), Decimal(0))


def passbook_of(session: Session, participant_id: uuid.UUID) -> ledger.Passbook:
    """The training balance with all that led to it, of one instant; nothing without a grant."""
    try:
        return ledger.passbook(session, chart.benefit(participant_id))
    except ledger.UnknownAccount:
        return ledger.Passbook(ledger.Funds(Decimal(0), Decimal(0)), [])


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
