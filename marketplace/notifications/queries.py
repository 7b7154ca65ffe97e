"""Reading messages."""

import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.notifications.models import Notification


def list_for_user(session: Session, user_id: uuid.UUID, limit: int = 50) -> Sequence[Notification]:
    """A user's messages, newest first; secret ones are left out."""
    found = select(Notification).where(Notification.user_id == user_id, Notification.secret.is_(False))
    return session.scalars(found.order_by(Notification.id.desc()).limit(limit)).all()
