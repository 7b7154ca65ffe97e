"""Signing in by one-time code, sessions, and who may do what."""

import secrets
from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.identity import audit, codes, queries
from marketplace.identity.audit import Actor
from marketplace.identity.contacts import Contact, ContactKind, parse_contact
from marketplace.identity.errors import ContactTaken
from marketplace.identity.models import Role, User, UserRole, UserSession
from marketplace.notifications import service as notifications
from marketplace.notifications.models import Channel

IDLE = timedelta(days=30)
_DEVICE_LENGTH = 200

_MESSAGES = {
    "id": (
        "Kode masuk Bekal",
        "Kode masuk Bekal Anda {code}. Berlaku 10 menit dan hanya untuk satu kali masuk.\n\n"
        "Jangan berikan kode ini kepada siapa pun, termasuk petugas. "
        "Abaikan pesan ini bila Anda tidak memintanya.",
    ),
    "en": (
        "Bekal sign-in code",
        "Your Bekal sign-in code is {code}. It is valid for 10 minutes and for one sign-in.\n\n"
        "Give it to nobody, officers included. Ignore this message if you did not ask for it.",
    ),
}


def request_code(session: Session, contact: str, locale: str = "id") -> None:
    """Send a code to an e-mail address or telephone number, known or not: the answer is the same.

    Raises ContactInvalid, and RateLimited after five codes in fifteen minutes.
    """
    found = parse_contact(contact)
    code = codes.issue(session, found.value)
    subject, body = _MESSAGES.get(locale, _MESSAGES["id"])
    notifications.notify_contact(
        session,
        Channel.EMAIL if found.kind is ContactKind.EMAIL else Channel.SMS,
        found.value,
        subject=subject,
        body=body.format(code=code),
        secret=True,
    )


def sign_in(session: Session, contact: str, code: str, device: str, locale: str = "id") -> tuple[User, str]:
    """The user behind a contact, made if new, and the token of a new session.

    `locale` is the language in which somebody new will be written to.
    Raises ContactInvalid, CodeExpired and CodeWrong. CodeWrong is `recorded`: `transaction()`
    commits the attempt that it counted.
    """
    found = parse_contact(contact)
    codes.redeem(session, found.value, "".join(code.split()))
    user = queries.find_user_of(session, found) or _add_user(session, found, name="", locale=locale)
    return user, start_session(session, user, device)


def start_session(session: Session, user: User, device: str) -> str:
    """Sign a user in on a device. The token is for the cookie alone; the table keeps its hash."""
    token = secrets.token_urlsafe(32)
    now = clock.wall_now()
    session.add(
        UserSession(
            token_hash=queries.hash_token(token),
            user=user,
            device=device[:_DEVICE_LENGTH],
            created_at=now,
            last_seen_at=now,
            expires_at=now + IDLE,
            proved_at=now,
        )
    )
    session.flush()
    return token


def refresh_session(session: Session, token: str) -> None:
    """The user is still there: thirty more days. A session that has ended stays ended."""
    found = queries.find_session(session, token)
    if found is not None:
        found.last_seen_at = clock.wall_now()
        found.expires_at = found.last_seen_at + IDLE
        session.flush()


def choose_locale(session: Session, user: User, locale: str) -> None:
    """Write to a user in this language from now on."""
    user.locale = locale
    session.flush()


def end_session(session: Session, token: str) -> None:
    """Sign out. Ending what has ended already changes nothing."""
    live = (UserSession.token_hash == queries.hash_token(token), UserSession.ended_at.is_(None))
    session.execute(update(UserSession).where(*live).values(ended_at=clock.wall_now()))


def create_user(
    session: Session,
    *,
    name: str,
    contact: str,
    roles: Iterable[Role] = (),
    locale: str = "id",
    actor: Actor = None,
) -> User:
    """Make a login. Raises ContactInvalid and ContactTaken."""
    found = parse_contact(contact)
    if queries.find_user_of(session, found) is not None:
        raise ContactTaken("this contact has a login already")
    user = _add_user(session, found, name=name, locale=locale)
    audit.record(session, actor, "user.created", f"user:{user.id}")
    for role in roles:
        grant_role(session, user, role, actor)
    return user


def grant_role(session: Session, user: User, role: Role, actor: Actor = None) -> None:
    """Let a user act in a role. Granting it again changes nothing."""
    if user.has_role(role):
        return
    user.roles.append(UserRole(role=role.value))
    audit.record(session, actor, "user.role_granted", f"user:{user.id}", role=role.value)


def revoke_role(session: Session, user: User, role: Role, actor: Actor = None) -> None:
    """Take a role away. Taking away what is not held changes nothing."""
    held = [each for each in user.roles if each.role == role]
    for each in held:
        user.roles.remove(each)
    if held:
        audit.record(session, actor, "user.role_revoked", f"user:{user.id}", role=role.value)


def end_all_sessions(session: Session, user: User, actor: Actor = None) -> int:
    """Sign a user out everywhere; returns on how many devices."""
    live = (UserSession.user_id == user.id, UserSession.ended_at.is_(None))
    ended = session.execute(
        update(UserSession).where(*live).values(ended_at=clock.wall_now()).returning(UserSession.id)
    ).all()
    audit.record(session, actor, "user.signed_out_everywhere", f"user:{user.id}", sessions=len(ended))
    return len(ended)


def _add_user(session: Session, contact: Contact, *, name: str, locale: str) -> User:
    user = User(name=name, locale=locale, created_at=clock.wall_now(), roles=[])
    if contact.kind is ContactKind.EMAIL:
        user.email = contact.value
    else:
        user.phone = contact.value
    session.add(user)
    session.flush()
    return user
