"""Reading participants."""

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session, lazyload

from marketplace.errors import NotFound
from marketplace.participants.models import Participant


def find_by_user(session: Session, user_id: uuid.UUID) -> Participant | None:
    """The participant who signs in with this login, or None."""
    found = select(Participant).where(Participant.user_id == user_id)
    # whoever asks has the login already, so no second copy of it need be read
    return session.scalar(found.options(lazyload(Participant.user)))


def get_participant(session: Session, participant_id: uuid.UUID) -> Participant:
    """A participant. Raises NotFound."""
    participant = session.get(Participant, participant_id)
    if participant is None:
        raise NotFound(f"no participant {participant_id}")
    return participant
