"""What acts on a complaint are made of: its lock, whose turn it is, what was written, who is told."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.errors import NotFound
from marketplace.events import service as events
from marketplace.identity import audit
from marketplace.identity.models import User
from marketplace.notifications import service as notifications
from marketplace.oversight import complaint_files
from marketplace.oversight import complaint_letters as letters
from marketplace.oversight.complaint_files import Upload
from marketplace.oversight.errors import ComplaintEnded, ComplaintMoved
from marketplace.oversight.models import (
    COMPLAINT_TRANSITIONS,
    Author,
    Complaint,
    ComplaintMessage,
    ComplaintState,
)
from marketplace.schemes import calendar
from marketplace.schemes import queries as schemes
from marketplace.states import move


@dataclass(frozen=True, slots=True)
class Words:
    """One text, with its files and the key of the form it came from: sending the form twice has one effect.

    `seen` is the last message that its writer had read, where that matters.
    """

    body: str
    key: str
    seen: uuid.UUID | None = None
    files: Sequence[Upload] = ()


def lock(session: Session, complaint_id: uuid.UUID) -> Complaint:
    """A complaint as it is now, and nobody else's until the end of the transaction. Raises NotFound."""
    found = session.scalars(
        select(Complaint)
        .where(Complaint.id == complaint_id)
        .with_for_update(of=Complaint, key_share=True)
        .execution_options(populate_existing=True)
    ).first()
    if found is None:
        raise NotFound("no such complaint")
    return found


def lock_for(session: Session, complaint_id: uuid.UUID, words: Words) -> Complaint | None:
    """The same for who writes: None where these very words were taken already. Raises ComplaintMoved, too."""
    found = lock(session, complaint_id)
    wrote = select(ComplaintMessage.id).where(ComplaintMessage.complaint_id == complaint_id)
    if session.scalar(wrote.where(ComplaintMessage.key == words.key)) is not None:
        return None
    last = session.scalar(wrote.order_by(ComplaintMessage.id.desc()).limit(1))
    if words.seen is not None and words.seen != last:
        raise ComplaintMoved("somebody has written")
    return found


def wait_for_reply(session: Session, found: Complaint, actor: User) -> None:
    """The next word is with whoever complained."""
    scheme = schemes.get_scheme(session, found.scheme_code)
    now = clock.now(session)
    move(found, ComplaintState.ANSWERED, COMPLAINT_TRANSITIONS)
    found.answered_by, found.waiting_since = actor.id, now
    found.due_at = calendar.end_of_period(session, now, scheme.complaint_reply_days)


def pass_on(session: Session, found: Complaint) -> None:
    """The next word is with a second person of the office."""
    scheme = schemes.get_scheme(session, found.scheme_code)
    now = clock.now(session)
    move(found, ComplaintState.ESCALATED, COMPLAINT_TRANSITIONS)
    found.waiting_since = now
    found.due_at = calendar.end_of_working_days(session, now, scheme.complaint_decision_working_days)
    session.flush()


def end(session: Session, found: Complaint, state: ComplaintState) -> None:
    """Nobody has a next word."""
    now = clock.now(session)
    if found.is_ended:
        raise ComplaintEnded("it has ended")
    move(found, state, COMPLAINT_TRANSITIONS)
    found.ended_at, found.waiting_since, found.due_at = now, now, None
    session.flush()


def write_for_office(session: Session, found: Complaint, actor: User, words: Words, what: str) -> None:
    """The office's text, its audit line, and the message that whoever complained gets."""
    write(session, found, Author.OFFICE, actor, words)
    note(session, found, actor, what)
    notifications.notify(session, found.opener, *letters.written(found, words.body))


def wait_for_office(session: Session, found: Complaint) -> None:
    """The next word is with the office again."""
    scheme = schemes.get_scheme(session, found.scheme_code)
    now = clock.now(session)
    move(found, ComplaintState.OPENED, COMPLAINT_TRANSITIONS)
    found.waiting_since = now
    found.due_at = calendar.end_of_working_days(session, now, scheme.complaint_answer_working_days)


def write(session: Session, found: Complaint, author: Author, actor: User, words: Words) -> None:
    """Keep one text with its files. Raises DocumentInvalid."""
    message = ComplaintMessage(
        complaint_id=found.id,
        author=author.value,
        written_by=actor.id,
        key=words.key,
        body=words.body,
        written_at=clock.now(session),
    )
    session.add(message)
    session.flush()
    complaint_files.keep(session, message, words.files)


def note(session: Session, found: Complaint, actor: User | None, what: str) -> None:
    """The audit line and the event of an act."""
    session.flush()
    audit.record(session, actor, what, f"complaint:{found.id}", state=found.state)
    events.record(session, what, found.id, found.provider_id, number=found.number, state=found.state)
