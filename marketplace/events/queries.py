"""Reading the outbox."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.events.models import Event


def list_for_provider(session: Session, provider_id: uuid.UUID, limit: int = 20) -> Sequence[Event]:
    """A provider's business, newest first."""
    found = select(Event).where(Event.provider_id == provider_id)
    return session.scalars(found.order_by(Event.created_at.desc(), Event.id.desc()).limit(limit)).all()


def list_for_subject(session: Session, subject_id: uuid.UUID) -> Sequence[Event]:
    """Everything that happened to one thing, oldest first."""
    found = select(Event).where(Event.subject_id == subject_id)
    return session.scalars(found.order_by(Event.created_at, Event.id)).all()


def newest_of_provider(
    session: Session, provider_id: uuid.UUID, since: datetime
) -> tuple[uuid.UUID | None, int]:
    """The newest of a provider's events, and how many there are since an instant (programme time)."""
    own = Event.provider_id == provider_id
    newest = select(Event.id).where(own).order_by(Event.created_at.desc(), Event.id.desc()).limit(1)
    count = select(func.count()).select_from(Event).where(own, Event.created_at >= since)
    row = session.execute(select(newest.scalar_subquery(), count.scalar_subquery())).one()
    return row[0], row[1]
