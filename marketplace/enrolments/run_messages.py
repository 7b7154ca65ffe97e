"""A provider's words to everybody in a run: plain text, few a day, kept, and delivered like every message."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from ledger import uuid7
from marketplace import clock
from marketplace.catalogue.models import Run
from marketplace.enrolments import messages
from marketplace.enrolments.errors import NobodyToTell, TooManyMessages
from marketplace.enrolments.models import LIVE, Enrolment
from marketplace.enrolments.staff import require_staff
from marketplace.enrolments.tracking_models import RunMessage
from marketplace.errors import NotFound
from marketplace.identity import audit
from marketplace.identity.models import User
from marketplace.notifications import service as notifications
from marketplace.participants.models import Participant

LONGEST = 1_000
"""Characters of one message."""

MOST_A_DAY = 3
_DAY = timedelta(hours=24)


def send(session: Session, run_id: uuid.UUID, text: str, actor: User, key: str = "") -> RunMessage:
    """Tell everybody who is in a run now. One row, one message to each. A form that was sent before, by its
    `key`, with the same text has told them already.

    Raises NotFound for another provider's run, TooManyMessages after three in 24 hours, and NobodyToTell.
    """
    run = session.get(Run, run_id, with_for_update={"of": Run, "key_share": True})
    if run is None:
        raise NotFound("no such run")
    require_staff(session, actor, run.course.provider_id)
    message_id = uuid.uuid5(run_id, f"{key} {text}") if key else uuid7()
    sent = session.get(RunMessage, message_id)
    if sent is not None:
        return sent
    now = clock.wall_now()
    if _count_since(session, run_id, now - _DAY) >= MOST_A_DAY:
        raise TooManyMessages("enough for a day", most=MOST_A_DAY)
    people = _list_live(session, run_id)
    if not people:
        raise NobodyToTell("nobody is in the run")
    message = RunMessage(
        id=message_id, run_id=run_id, sent_by=actor.id, body=text, recipients=len(people), sent_at=now
    )
    session.add(message)
    session.flush()
    notifications.notify_many(
        session,
        [
            notifications.message_to(each.participant.user, *messages.from_provider(each, text))
            for each in people
        ],
    )
    audit.record(session, actor, "run.message", f"run:{run_id}", recipients=len(people), characters=len(text))
    return message


def list_messages(session: Session, run_id: uuid.UUID, limit: int = 50) -> Sequence[RunMessage]:
    """What was written to a run's participants, newest first, with who wrote it."""
    found = select(RunMessage).where(RunMessage.run_id == run_id).options(joinedload(RunMessage.sender))
    return session.scalars(found.order_by(RunMessage.sent_at.desc(), RunMessage.id).limit(limit)).all()


def _count_since(session: Session, run_id: uuid.UUID, since: datetime) -> int:
    sent = select(func.count()).where(RunMessage.run_id == run_id, RunMessage.sent_at > since)
    return session.scalar(sent) or 0


def _list_live(session: Session, run_id: uuid.UUID) -> Sequence[Enrolment]:
    people = joinedload(Enrolment.participant, innerjoin=True).joinedload(Participant.user, innerjoin=True)
    return session.scalars(
        select(Enrolment)
        .where(Enrolment.run_id == run_id, Enrolment.state.in_(LIVE))
        .options(people)
        .order_by(Enrolment.id)
    ).all()
