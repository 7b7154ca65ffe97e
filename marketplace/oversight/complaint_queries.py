"""Reading complaints: one's own, and the office's queue."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, tuple_
from sqlalchemy.orm import Session, joinedload, selectinload

from marketplace.errors import NotFound
from marketplace.oversight.models import WAITING, Category, Complaint, ComplaintMessage, ComplaintState

OPEN = "waiting"
ALL = "all"
OVERDUE = "overdue"
WEEK = "week"
PARTICIPANTS, PROVIDERS = "participants", "providers"
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last complaint of a page: since when it waits, and which it is."""

    since: datetime
    id: uuid.UUID

    def __str__(self) -> str:
        return f"{int(self.since.timestamp() * 1_000_000)}.{self.id.hex}"


def read_cursor(text: str) -> Cursor | None:
    """What str() of a cursor wrote; None for anything else."""
    micros, _, hexadecimal = text.partition(".")
    try:
        since = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(micros))
        return Cursor(since, uuid.UUID(hex=hexadecimal))
    except (ValueError, OverflowError):
        return None


@dataclass(frozen=True, slots=True)
class Filters:
    """What the office wants to see; empty means everything of its kind."""

    state: str = OPEN
    category: str = ""
    age: str = ""
    who: str = ""

    @property
    def oldest_first(self) -> bool:
        """What waits is worked off from its end; what is over is looked up from its beginning."""
        return self.state in (OPEN, *WAITING, ComplaintState.ANSWERED)


@dataclass(frozen=True, slots=True)
class Page:
    """Some complaints, and where the next ones begin."""

    shown: Sequence[Complaint]
    next: Cursor | None


def get(session: Session, complaint_id: uuid.UUID) -> Complaint:
    """A complaint, for staff. Raises NotFound."""
    return _get(session, Complaint.id == complaint_id)


def get_for_participant(session: Session, complaint_id: uuid.UUID, participant_id: uuid.UUID) -> Complaint:
    """One's own. Raises NotFound, for somebody else's too."""
    return _get(session, (Complaint.id == complaint_id) & (Complaint.participant_id == participant_id))


def get_for_provider(
    session: Session, complaint_id: uuid.UUID, provider_id: uuid.UUID, *, with_money: bool
) -> Complaint:
    """A provider's own; those about payouts only for who may see money. Raises NotFound."""
    own = (Complaint.id == complaint_id) & (Complaint.provider_id == provider_id)
    return _get(session, own if with_money else own & _without_money())


def list_for_participant(
    session: Session, participant_id: uuid.UUID, after: uuid.UUID | None = None, limit: int = 50
) -> Sequence[Complaint]:
    """A participant's complaints, newest first, from those after one on."""
    return _newest(session, Complaint.participant_id == participant_id, limit, after)


def list_for_provider(
    session: Session,
    provider_id: uuid.UUID,
    after: uuid.UUID | None = None,
    *,
    with_money: bool,
    limit: int = 50,
) -> Sequence[Complaint]:
    """A provider's complaints, newest first, from those after one on; those about payouts only for who may
    see money.
    """
    own = Complaint.provider_id == provider_id
    return _newest(session, own if with_money else own & _without_money(), limit, after)


def list_for_enrolment(session: Session, enrolment_id: uuid.UUID) -> Sequence[Complaint]:
    """What was complained of about an enrolment, by either side, newest first; for staff."""
    return _newest(session, Complaint.enrolment_id == enrolment_id, 50)


def list_messages(session: Session, complaint_id: uuid.UUID) -> Sequence[ComplaintMessage]:
    """What was written, oldest first, with who wrote it and the names of the files."""
    found = select(ComplaintMessage).where(ComplaintMessage.complaint_id == complaint_id)
    return session.scalars(
        found.order_by(ComplaintMessage.id).options(
            joinedload(ComplaintMessage.writer), selectinload(ComplaintMessage.attachments)
        )
    ).all()


def list_queue(
    session: Session, filters: Filters, now: datetime, after: Cursor | None = None, size: int = 25
) -> Page:
    """The office's list, from a cursor on."""
    place = tuple_(Complaint.waiting_since, Complaint.id)
    rows = select(Complaint).where(*_conditions(filters, now))
    if after is not None:
        last = tuple_(after.since, after.id)
        rows = rows.where(place > last if filters.oldest_first else place < last)
    order = [Complaint.waiting_since, Complaint.id]
    rows = rows.order_by(*(order if filters.oldest_first else [each.desc() for each in order]))
    found = session.scalars(_with_people(rows.limit(size + 1))).all()
    shown = found[:size]
    more = len(found) > size
    return Page(shown, Cursor(shown[-1].waiting_since, shown[-1].id) if more else None)


def count_by_state(session: Session, filters: Filters, now: datetime) -> dict[str, int]:
    """How many there are in each state under the other filters."""
    others = _conditions(replace(filters, state=ALL), now)
    rows = session.execute(select(Complaint.state, func.count()).where(*others).group_by(Complaint.state))
    return {row[0]: row[1] for row in rows}


def _conditions(filters: Filters, now: datetime) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.state == OPEN:
        found.append(Complaint.state.in_(WAITING))
    elif filters.state in set(ComplaintState):
        found.append(Complaint.state == filters.state)
    if filters.category in set(Category):
        found.append(Complaint.category == filters.category)
    if filters.age == OVERDUE:
        found.append(Complaint.due_at < now)
    elif filters.age == WEEK:
        found.append(Complaint.waiting_since < now - _WEEK)
    if filters.who == PARTICIPANTS:
        found.append(Complaint.participant_id.is_not(None))
    elif filters.who == PROVIDERS:
        found.append(Complaint.provider_id.is_not(None))
    return found


def _without_money() -> ColumnElement[bool]:
    return (Complaint.category != Category.PAYOUT) & Complaint.payout_id.is_(None)


def _get(session: Session, wanted: ColumnElement[bool]) -> Complaint:
    about = (joinedload(Complaint.enrolment), joinedload(Complaint.payout), joinedload(Complaint.opener))
    rows = _with_people(select(Complaint).where(wanted)).options(*about)
    found: Complaint | None = session.scalars(rows).first()
    if found is None:
        raise NotFound("no such complaint")
    return found


def _newest(
    session: Session, wanted: ColumnElement[bool], limit: int, after: uuid.UUID | None = None
) -> Sequence[Complaint]:
    older = wanted if after is None else wanted & (Complaint.id < after)
    rows = select(Complaint).where(older).order_by(Complaint.id.desc()).limit(limit)
    return session.scalars(rows.options(selectinload(Complaint.enrolment))).all()


def _with_people(rows: Select[Any]) -> Select[Any]:
    return rows.options(joinedload(Complaint.participant), joinedload(Complaint.provider))
