"""Reading participants."""

import uuid
from dataclasses import dataclass

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, lazyload

from marketplace import clock
from marketplace.errors import NotFound
from marketplace.identity import queries as sessions
from marketplace.identity.models import UserSession
from marketplace.participants.models import Participant

# whoever asks has the login already, so no second copy of it need be read
_BY_USER = (
    select(Participant).where(Participant.user_id == bindparam("user_id")).options(lazyload(Participant.user))
)
_READER = (
    sessions.LIVE_SESSION.add_columns(Participant, clock.AHEAD)
    .outerjoin(Participant, Participant.user_id == UserSession.user_id)
    .options(lazyload(Participant.user))
)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who is signed in, and their participant once they have registered."""

    session: UserSession
    participant: Participant | None


def find_reader(session: Session, token: str) -> Reader | None:
    """The live sign-in session of a cookie's token with the participant, or None: the first question of
    each page, which brings the clock with it."""
    found = session.execute(_READER, sessions.of_token(token))
    # a row for each role: the clock has moved on between them, so that no two are the same
    row = found.unique(lambda each: each[0]).one_or_none()
    if row is None:
        return None
    clock.note_offset(session, row[2])
    return Reader(row[0], row[1])


def find_by_user(session: Session, user_id: uuid.UUID) -> Participant | None:
    """The participant who signs in with this login, or None."""
    return session.scalar(_BY_USER, {"user_id": user_id})


def get_participant(session: Session, participant_id: uuid.UUID) -> Participant:
    """A participant. Raises NotFound."""
    participant = session.get(Participant, participant_id)
    if participant is None:
        raise NotFound(f"no participant {participant_id}")
    return participant
