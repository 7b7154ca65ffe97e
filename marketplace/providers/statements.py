"""Conflicts of interest: what a provider's staff state every year. Statements are only ever added."""

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.identity import audit
from marketplace.identity.models import User
from marketplace.providers.models import ConflictStatement

LONGEST = 2000


def state(session: Session, provider_id: uuid.UUID, actor: User, text: str) -> ConflictStatement:
    """Record what somebody states for this year; an empty text says that there is no conflict."""
    now = clock.now(session)
    statement = ConflictStatement(
        provider_id=provider_id,
        user_id=actor.id,
        year=clock.local_date(now).year,
        text=text[:LONGEST],
        stated_at=now,
    )
    session.add(statement)
    session.flush()
    subject = f"provider:{provider_id}"
    audit.record(session, actor, "conflict.stated", subject, statement=statement.id, has_conflict=bool(text))
    return statement


def latest_of(session: Session, provider_id: uuid.UUID, year: int) -> dict[uuid.UUID, ConflictStatement]:
    """The newest statement of each of a provider's staff for a year, by user."""
    made = select(ConflictStatement).where(
        ConflictStatement.provider_id == provider_id, ConflictStatement.year == year
    )
    in_order = session.scalars(made.order_by(ConflictStatement.id)).all()
    return {each.user_id: each for each in in_order}
