"""Who is asking: looked up once a request, from the token in their signed cookie."""

import uuid

from flask import abort, g, session
from sqlalchemy.orm import Session

from marketplace import db
from marketplace.identity import queries, service
from marketplace.identity.models import User, UserSession
from marketplace.participants import queries as participants
from marketplace.participants.models import Participant
from marketplace.providers import queries as providers
from marketplace.providers.models import Provider, ProviderStaff

_TOKEN = "token"  # noqa: S105 - the name of a cookie field


def current_user() -> User | None:
    """The signed-in user, or None."""
    if "user" not in g:
        token = session.get(_TOKEN)
        found = participants.find_reader(db.session(), token) if token else None
        if token and found and queries.needs_refresh(found.session):
            with db.transaction() as current:
                service.refresh_session(current, token)
        g.user, g.signed_in = (found.session.user, found.session) if found else (None, None)
        g.participant = found.participant if found else None
    user: User | None = g.user
    return user


def reading_session() -> UserSession:
    """The session of the reader's own browser as this page's first look found it."""
    signed_in_user()
    return g.get("signed_in") or signed_in_session(db.session())


def signed_in_session(current: Session) -> UserSession:
    """The same, read anew for a decision, on a page that only signed-in people reach."""
    return queries.find_session(current, session.get(_TOKEN, "")) or abort(401)


def signed_in_user() -> User:
    """The signed-in user of a page that only signed-in people reach."""
    return current_user() or abort(401)


def find_participant() -> Participant | None:
    """The signed-in user's participant, or None while they have not registered."""
    if "participant" not in g:
        user = current_user()
        g.participant = participants.find_by_user(db.session(), user.id) if user else None
    participant: Participant | None = g.participant
    return participant


def current_participant() -> Participant:
    """The participant behind a participant's page."""
    return find_participant() or abort(403)


def find_provider() -> Provider | None:
    """The provider whose staff is asking, or None."""
    staff = find_staff()
    return staff.provider if staff else None


def find_staff() -> ProviderStaff | None:
    """The place of who is asking at the provider that they act for, or None."""
    if "provider" not in g:
        user = current_user()
        g.provider = providers.find_staff(db.session(), user.id) if user else None
    staff: ProviderStaff | None = g.provider
    return staff


def current_provider() -> Provider:
    """The provider behind a provider's page. Other providers' things do not exist for them."""
    return find_provider() or abort(403)


def remember(token: str, user: User) -> None:
    """Sign this browser in. What an earlier person left in the cookie goes, the language stays."""
    language = session.get("language", user.locale)
    session.clear()
    session.permanent = True
    session[_TOKEN] = token
    session["language"] = language
    for name in ("participant", "zone"):
        g.pop(name, None)
    g.user = user


def forget(current: Session) -> None:
    """Sign this browser out, on the server too."""
    token = session.pop(_TOKEN, None)
    if token:
        service.end_session(current, token)
    session.clear()
    g.user = None


def parse_id(text: str) -> uuid.UUID:
    """An id from a form field. What is not one gets the answer of a thing that does not exist."""
    try:
        return uuid.UUID(text)
    except ValueError:
        abort(404)
