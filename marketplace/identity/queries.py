"""Reading logins and sessions."""

import hashlib
import uuid
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, joinedload

from marketplace import clock
from marketplace.errors import NotFound
from marketplace.identity.contacts import Contact, ContactKind, parse_contact
from marketplace.identity.models import Role, User, UserRole, UserSession

_REFRESH_AFTER = timedelta(days=1)

LIVE_SESSION = (
    select(UserSession)
    .where(
        UserSession.token_hash == bindparam("token_hash"),
        UserSession.ended_at.is_(None),
        UserSession.expires_at > bindparam("now"),
    )
    # what they may do is asked at every page
    .options(joinedload(UserSession.user, innerjoin=True).joinedload(User.roles))
)
"""The session of a token, with its user and their roles."""


def find_session(session: Session, token: str) -> UserSession | None:
    """The live sign-in session of a cookie's token, or None. Nothing is written."""
    return session.scalars(LIVE_SESSION, of_token(token)).unique().one_or_none()


def of_token(token: str) -> dict[str, object]:
    """What LIVE_SESSION asks with."""
    return {"token_hash": hash_token(token), "now": clock.wall_now()}


def needs_refresh(found: UserSession) -> bool:
    """Was this session last seen more than a day ago? Then an edge calls service.refresh_session."""
    return clock.wall_now() - found.last_seen_at > _REFRESH_AFTER


def find_user(session: Session, contact: str) -> User | None:
    """The login of a contact as typed, or None. Raises ContactInvalid."""
    return find_user_of(session, parse_contact(contact))


def find_user_of(session: Session, contact: Contact) -> User | None:
    """The login of a contact, or None."""
    column = User.email if contact.kind is ContactKind.EMAIL else User.phone
    return session.scalar(select(User).where(column == contact.value))


def get_user(session: Session, user_id: uuid.UUID) -> User:
    """A login. Raises NotFound."""
    user = session.get(User, user_id)
    if user is None:
        raise NotFound(f"no user {user_id}")
    return user


def list_users(session: Session, role: Role) -> Sequence[User]:
    """Everybody who holds a role, by name."""
    holds = select(UserRole.user_id).where(UserRole.role == role)
    return session.scalars(select(User).where(User.id.in_(holds)).order_by(User.name, User.id)).all()


def hash_token(token: str) -> bytes:
    """What the table keeps of a token. The token itself is 32 random bytes, so no salt is needed."""
    return hashlib.sha256(token.encode()).digest()
