"""Reading the line for a full run: where somebody stands, what is kept for them, how many wait."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    SQLColumnExpression,
    bindparam,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session, aliased

from marketplace.catalogue.models import Course, Run
from marketplace.enrolments.places import IN_LINE, PlaceState, WaitingPlace
from marketplace.providers.models import Provider


@dataclass(frozen=True, slots=True)
class InLine:
    """A place with how many are before it."""

    place: WaitingPlace
    before: int

    @property
    def is_offered(self) -> bool:
        """A seat is kept for them."""
        return self.place.state == PlaceState.OFFERED


@dataclass(frozen=True, slots=True)
class Offer:
    """A seat that is kept for somebody until then; the table has no offer without its end."""

    run_id: uuid.UUID
    until: datetime | None
    course_title: str
    provider_name: str


def list_for_participant(session: Session, participant_id: uuid.UUID) -> list[InLine]:
    """Where somebody stands in line, offers first, in one query."""
    rows = session.execute(_PLACES, {"participant_id": participant_id})
    return [InLine(place, count) for place, count in rows]


def _places() -> Select[WaitingPlace, int]:
    other = aliased(WaitingPlace)
    before = select(func.count()).where(
        other.run_id == WaitingPlace.run_id,
        other.state == _is(PlaceState.WAITING),
        or_(
            other.joined_at < WaitingPlace.joined_at,
            (other.joined_at == WaitingPlace.joined_at) & (other.id < WaitingPlace.id),
        ),
    )
    return (
        select(WaitingPlace, before.correlate(WaitingPlace).scalar_subquery())
        .where(
            WaitingPlace.participant_id == bindparam("participant_id"),
            or_(*(WaitingPlace.state == _is(each) for each in IN_LINE)),
        )
        .order_by(WaitingPlace.state, WaitingPlace.joined_at, WaitingPlace.id)
    )


def _is(state: PlaceState) -> BindParameter[str]:
    """A state written into the statement: a plan that is made once can only then use the index of those in
    line."""
    return bindparam(None, state.value, literal_execute=True)


def list_offers(session: Session, participant_id: uuid.UUID) -> list[Offer]:
    """The seats that are kept for somebody, in the order in which they stood in line."""
    return [Offer(*row) for row in session.execute(_OFFERS, {"participant_id": participant_id})]


_PLACES = _places()
_OFFERS = (
    select(WaitingPlace.run_id, WaitingPlace.offer_until, Course.title, Provider.name)
    .join(Run, Run.id == WaitingPlace.run_id)
    .join(Course, Course.id == Run.course_id)
    .join(Provider, Provider.id == Course.provider_id)
    .where(
        WaitingPlace.participant_id == bindparam("participant_id"),
        WaitingPlace.state == _is(PlaceState.OFFERED),
    )
    .order_by(WaitingPlace.joined_at, WaitingPlace.id)
)


def find_for_run(session: Session, participant_id: uuid.UUID, run_id: uuid.UUID) -> InLine | None:
    """Where somebody stands in the line of one run, or None."""
    mine = list_for_participant(session, participant_id)
    return next((each for each in mine if each.place.run_id == run_id), None)


def stands_in_line(
    participant_id: ColumnElement[uuid.UUID], run_id: SQLColumnExpression[uuid.UUID]
) -> ColumnElement[bool]:
    """Whether somebody stands in the line of a run, as part of a query."""
    mine = (WaitingPlace.participant_id == participant_id) & (WaitingPlace.run_id == run_id)
    return exists().where(mine, WaitingPlace.state.in_(IN_LINE))


def count_in_line(session: Session, run_id: uuid.UUID) -> int:
    """How many stand in line for a run, those with an offer included."""
    waiting = select(func.count()).where(WaitingPlace.run_id == run_id, WaitingPlace.state.in_(IN_LINE))
    return session.scalar(waiting) or 0
