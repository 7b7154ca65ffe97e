"""Messages: written with what they tell of, sent afterwards.

Sending is three steps, so that no transaction waits for the network: `claim` (moves the next attempt
into the future and is committed), the transport, then `mark_sent` or `mark_failed`. A worker that dies
in between leaves a row that is due again later: a message may come twice, never not at all.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from ledger import uuid7
from marketplace import clock
from marketplace.notifications.models import TRANSITIONS, Channel, Notification, NotificationState
from marketplace.states import move

MOST_ATTEMPTS = 8
_PROBLEM_LENGTH = 300
_BACK_OFF = (
    timedelta(seconds=30),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=4),
    timedelta(hours=12),
    timedelta(days=1),
)


class Recipient(Protocol):
    """A person who can be reached: a user."""

    @property
    def id(self) -> uuid.UUID: ...
    @property
    def email(self) -> str | None: ...
    @property
    def phone(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Message:
    """One message still to be written, for notify_many."""

    user_id: uuid.UUID | None
    channel: Channel
    destination: str
    subject: str
    body: str
    secret: bool = False


def message_to(user: Recipient, subject: str, body: str, secret: bool = False) -> Message:
    """A message to wherever a user can be reached: e-mail first, else SMS."""
    channel = Channel.EMAIL if user.email else Channel.SMS
    return Message(user.id, channel, user.email or user.phone or "", subject, body, secret)


def notify(session: Session, user: Recipient, subject: str, body: str, secret: bool = False) -> None:
    """Queue a message to a user in the running transaction."""
    notify_many(session, [message_to(user, subject, body, secret)])


def notify_contact(
    session: Session, channel: Channel, destination: str, *, subject: str, body: str, secret: bool = False
) -> None:
    """Queue a message to an address that need not belong to a user."""
    notify_many(session, [Message(None, channel, destination, subject, body, secret)])


def notify_many(session: Session, messages: Iterable[Message]) -> None:
    """Queue many messages at once. Who they go to is written first."""
    rows = [_values(each) for each in messages]
    if rows:
        session.flush()
        session.connection().execute(_NOTIFICATIONS, rows)


_NOTIFICATIONS = insert(Notification)


def list_due(session: Session, limit: int = 100) -> Sequence[uuid.UUID]:
    """The messages whose next attempt has come, codes first; those another worker holds are left out."""
    return session.scalars(
        select(Notification.id)
        .where(
            Notification.state == NotificationState.PENDING, Notification.next_attempt_at <= clock.wall_now()
        )
        .order_by(Notification.secret.desc(), Notification.next_attempt_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()


def claim(session: Session, notification_id: uuid.UUID) -> Notification | None:
    """Take one due message for sending, or None when it is sent, not due or in other hands.

    A message whose last attempt never came back (the worker died over it) is given up here.
    """
    now = clock.wall_now()
    found = session.scalar(
        select(Notification)
        .where(
            Notification.id == notification_id,
            Notification.state == NotificationState.PENDING,
            Notification.next_attempt_at <= now,
        )
        .with_for_update(skip_locked=True)
    )
    if found is None:
        return None
    if found.attempts >= MOST_ATTEMPTS:
        _abandon(found, found.problem or "the last attempt never came back")
        session.flush()
        return None
    found.next_attempt_at = now + _BACK_OFF[found.attempts]
    found.attempts += 1
    session.flush()
    return found


def mark_sent(session: Session, notification_id: uuid.UUID) -> None:
    """The transport took the message. A secret is forgotten."""
    found = _lock_pending(session, notification_id)
    if found is not None:
        move(found, NotificationState.SENT, TRANSITIONS)
        found.sent_at = clock.wall_now()
        found.problem = None
        _forget_secret(found)
        session.flush()


def mark_failed(session: Session, notification_id: uuid.UUID, problem: str) -> None:
    """The transport refused. After the eighth time the message is given up."""
    found = _lock_pending(session, notification_id)
    if found is not None:
        found.problem = problem[:_PROBLEM_LENGTH]
        if found.attempts >= MOST_ATTEMPTS:
            _abandon(found, found.problem)
        session.flush()


def _abandon(notification: Notification, problem: str) -> None:
    move(notification, NotificationState.ABANDONED, TRANSITIONS)
    notification.problem = problem
    _forget_secret(notification)


def _lock_pending(session: Session, notification_id: uuid.UUID) -> Notification | None:
    return session.scalar(
        select(Notification)
        .where(Notification.id == notification_id, Notification.state == NotificationState.PENDING)
        .with_for_update()
    )


def _forget_secret(notification: Notification) -> None:
    if notification.secret:
        notification.body = ""


def _values(message: Message) -> dict[str, object]:
    now = clock.wall_now()
    return {
        "id": uuid7(),
        "user_id": message.user_id,
        "channel": message.channel.value,
        "destination": message.destination,
        "subject": message.subject,
        "body": message.body,
        "secret": message.secret,
        "state": NotificationState.PENDING.value,
        "attempts": 0,
        "created_at": now,
        "next_attempt_at": now,
    }
