"""Reading the outbox."""

import uuid
from collections.abc import Sequence

from sqlalchemy import select
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
