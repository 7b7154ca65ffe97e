"""The complaint desk: opened, answered, and either closed, upheld or handed to a second person.

Whoever changes a complaint holds its row, before any other lock. Source: 'complaint' in the life cycles.
"""

import uuid
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from ledger import uuid7
from marketplace import clock
from marketplace.enrolments import provider_queries, receipts
from marketplace.enrolments import queries as enrolments
from marketplace.identity.models import User
from marketplace.notifications import service as notifications
from marketplace.oversight import complaint_letters as letters
from marketplace.oversight import complaint_queries as queries
from marketplace.oversight import complaint_steps as steps
from marketplace.oversight.complaint_steps import Words
from marketplace.oversight.errors import ComplaintEnded
from marketplace.oversight.models import (
    Author,
    Category,
    Complaint,
    ComplaintState,
)
from marketplace.participants.models import Participant
from marketplace.payouts import queries as payouts
from marketplace.schemes import calendar
from marketplace.schemes import queries as schemes

LONGEST = 2_000
"""Characters of one text."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What somebody complains about; nothing named is a general complaint."""

    category: Category
    enrolment_id: uuid.UUID | None = None
    payout_id: uuid.UUID | None = None


def open_for_participant(
    session: Session, participant: Participant, subject: Subject, words: Words
) -> Complaint:
    """A participant complains, about one of their own enrolments or in general.

    Raises NotFound, and DocumentInvalid for a file that is not kept.
    """
    if subject.enrolment_id is not None:
        enrolments.get_for_participant(session, subject.enrolment_id, participant.id)
    return _open(session, participant.user, subject, words, participant=participant)


def open_for_provider(
    session: Session, provider_id: uuid.UUID, actor: User, subject: Subject, words: Words
) -> Complaint:
    """A provider complains through its staff, about its own enrolment or payout. Raises the same."""
    if subject.enrolment_id is not None:
        provider_queries.get_for_provider(session, subject.enrolment_id, provider_id)
    if subject.payout_id is not None:
        payouts.get_payout(session, subject.payout_id, provider_id=provider_id)
    return _open(session, actor, subject, words, provider_id=provider_id)


def reply(session: Session, complaint_id: uuid.UUID, actor: User, words: Words) -> Complaint:
    """Whoever complained writes again; after an answer the office has the next word once more.

    Raises NotFound, ComplaintEnded and DocumentInvalid.
    """
    found = _lock_open(session, complaint_id, words)
    if found is None:
        return queries.get(session, complaint_id)
    if found.state == ComplaintState.ANSWERED:
        steps.wait_for_office(session, found)
    steps.write(session, found, Author.COMPLAINANT, actor, words)
    steps.note(session, found, actor, "complaint.replied")
    return found


def insist(session: Session, complaint_id: uuid.UUID, actor: User, words: Words) -> Complaint:
    """'Still not solved': an answered complaint goes to a second person, until its time is over.

    Raises NotFound, ComplaintEnded and, before there is an answer, IllegalTransition.
    """
    found = _lock_open(session, complaint_id, words)
    if found is None:
        return queries.get(session, complaint_id)
    steps.write(session, found, Author.COMPLAINANT, actor, words)
    steps.pass_on(session, found)
    steps.note(session, found, actor, "complaint.insisted")
    return found


def accept(session: Session, complaint_id: uuid.UUID, actor: User) -> Complaint:
    """Whoever complained is content with the answer. A repeat changes nothing. Raises as insist."""
    found = steps.lock(session, complaint_id)
    if found.state == ComplaintState.CLOSED:
        return found
    steps.end(session, found, ComplaintState.CLOSED)
    steps.note(session, found, actor, "complaint.accepted")
    return found


def answer(session: Session, complaint_id: uuid.UUID, actor: User, words: Words) -> Complaint:
    """The office answers; whoever complained is told, and until when they may say more.

    Raises NotFound, ComplaintMoved, ComplaintEnded, and IllegalTransition where it is not the office's turn.
    """
    found = _lock_open(session, complaint_id, words)
    if found is None:
        return queries.get(session, complaint_id)
    steps.wait_for_reply(session, found, actor)
    steps.write_for_office(session, found, actor, words, "complaint.answered")
    return found


def escalate(session: Session, complaint_id: uuid.UUID, actor: User, words: Words) -> Complaint:
    """The office hands it to a second person, and says so. Raises as answer."""
    found = _lock_open(session, complaint_id, words)
    if found is None:
        return queries.get(session, complaint_id)
    if found.state == ComplaintState.OPENED:
        steps.wait_for_reply(session, found, actor)
    steps.pass_on(session, found)
    steps.write_for_office(session, found, actor, words, "complaint.escalated")
    return found


def close_silent(session: Session, limit: int = 200) -> int:
    """Close what was answered and not taken up again in time; how many."""
    now = clock.now(session)
    silent = session.scalars(
        select(Complaint)
        .where(Complaint.state == ComplaintState.ANSWERED, Complaint.due_at < now)
        .order_by(Complaint.due_at)
        .limit(limit)
        .with_for_update(of=Complaint, skip_locked=True)
    ).all()
    for found in silent:
        steps.end(session, found, ComplaintState.CLOSED)
        steps.note(session, found, None, "complaint.closed")
        notifications.notify(session, found.opener, *letters.fell_silent(found))
    return len(silent)


def _open(
    session: Session,
    actor: User,
    subject: Subject,
    words: Words,
    participant: Participant | None = None,
    provider_id: uuid.UUID | None = None,
) -> Complaint:
    now = clock.now(session)
    code = participant.scheme_code if participant else schemes.get_default_scheme(session).code
    days = schemes.get_scheme(session, code).complaint_answer_working_days
    made = session.scalar(
        insert(Complaint)
        .values(
            id=uuid7(),
            number=receipts.new_number(clock.local_date(now), "ADU"),
            opened_by=actor.id,
            key=words.key,
            participant_id=participant.id if participant else None,
            provider_id=provider_id,
            enrolment_id=subject.enrolment_id,
            payout_id=subject.payout_id,
            scheme_code=code,
            category=subject.category.value,
            state=ComplaintState.OPENED.value,
            opened_at=now,
            waiting_since=now,
            due_at=calendar.end_of_working_days(session, now, days),
        )
        .on_conflict_do_nothing(index_elements=["opened_by", "key"])
        .returning(Complaint.id)
    )
    found = session.scalars(
        select(Complaint).where(Complaint.opened_by == actor.id, Complaint.key == words.key)
    ).one()
    if made is not None:
        steps.write(session, found, Author.COMPLAINANT, actor, words)
        steps.note(session, found, actor, "complaint.opened")
        notifications.notify(session, actor, *letters.opened(found, actor))
    return found


def _lock_open(session: Session, complaint_id: uuid.UUID, words: Words) -> Complaint | None:
    found = steps.lock_for(session, complaint_id, words)
    if found is not None and (found.is_ended or _is_late(session, found)):
        raise ComplaintEnded("it has ended", number=found.number)
    return found


def _is_late(session: Session, found: Complaint) -> bool:
    """The time to take an answer up again is over, whether or not a sweep has said so."""
    is_answered = found.state == ComplaintState.ANSWERED
    return is_answered and found.due_at is not None and found.due_at < clock.now(session)
