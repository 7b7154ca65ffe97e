"""The outbox's only writer. An event is written in the transaction of what it tells of."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import insert
from sqlalchemy.orm import Session

from ledger import uuid7
from marketplace import clock
from marketplace.events.models import Event
from marketplace.events.snapshot import snapshot


@dataclass(frozen=True, slots=True)
class Happening:
    """One event still to be written, for record_many."""

    type: str
    subject_id: uuid.UUID
    provider_id: uuid.UUID | None = None
    data: dict[str, object] = field(default_factory=dict)


def record(
    session: Session, type: str, subject_id: uuid.UUID, provider_id: uuid.UUID | None = None, **data: object
) -> None:
    """Write down that something happened, at programme time, with a snapshot of it."""
    record_many(session, [Happening(type, subject_id, provider_id, data)])


def record_many(session: Session, happenings: Iterable[Happening]) -> None:
    """Write down many events at once. What they tell of is written first."""
    now = clock.now(session)
    rows = [
        {
            "id": uuid7(),
            "type": each.type,
            "subject_id": each.subject_id,
            "provider_id": each.provider_id,
            "data": snapshot(each.data),
            "created_at": now,
        }
        for each in happenings
    ]
    if rows:
        session.flush()
        session.connection().execute(_EVENTS, rows)


_EVENTS = insert(Event)
