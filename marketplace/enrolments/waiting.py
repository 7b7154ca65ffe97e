"""The line for a full run: who comes next is kept a seat for some hours, and buys it like everybody else.

A seat that is offered stays counted as taken, so nobody else can buy it. Whoever frees, keeps or passes on
a seat holds the run's lock; who is in line is read after it. While a course is not sold nobody is kept a
seat, and everybody keeps their place. Source: 'Buying' in the rules.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, case, func, or_, select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.catalogue import service as catalogue
from marketplace.catalogue.models import Course, CourseState, Run, RunKind, RunState
from marketplace.enrolments import locks, offer, waiting_messages
from marketplace.enrolments.errors import AlreadyEnrolled, GrantMissing, LineClosed, SeatsLeft
from marketplace.enrolments.models import CANCELLED, Enrolment
from marketplace.enrolments.places import IN_LINE, PLACE_TRANSITIONS, PlaceState, WaitingPlace
from marketplace.errors import NotFound
from marketplace.events import service as events
from marketplace.notifications import service as notifications
from marketplace.providers.models import Provider
from marketplace.schemes.models import Scheme
from marketplace.states import move


def join(session: Session, participant_id: uuid.UUID, run_id: uuid.UUID) -> WaitingPlace:
    """Stand in line for a full run; who stands there already stays where they are.

    Raises NotFound, GrantMissing, AlreadyEnrolled, SeatsLeft, LineClosed, and what offer.check raises.
    """
    grant = locks.lock_grant_of(session, participant_id)
    run = locks.lock_seats(session, run_id)
    if grant is None:
        raise GrantMissing("no grant", state=None)
    present = _find(session, participant_id, run_id)
    if present is not None:
        return present
    now = clock.now(session)
    offer.check(grant, run, run.course.version, run.course.price, now)
    _require_absent(session, participant_id, run_id)
    if run.seats_left > 0:
        raise SeatsLeft("a seat is free")
    if now >= offer.offered_until(run, grant.scheme):
        raise LineClosed("too near to the start", starts_at=run.starts_at)
    place = WaitingPlace(run=run, participant=grant.participant, scheme=grant.scheme, joined_at=now)
    session.add(place)
    session.flush()
    events.record(session, "waiting.joined", place.id, run.course.provider_id, run_id=run.id)
    return place


def leave(session: Session, participant_id: uuid.UUID, run_id: uuid.UUID) -> None:
    """Stand in line no longer; a seat that was kept goes to the next. Raises NotFound for who does not."""
    run = locks.lock_seats(session, run_id)
    place = _find(session, participant_id, run_id)
    if place is None:
        raise NotFound("not in line")
    had_seat = place.state == PlaceState.OFFERED
    _end(session, place, PlaceState.LEFT)
    if had_seat and run.state == RunState.OPEN:
        free_seat(session, run)


def free_seat(session: Session, run: Run) -> None:
    """A seat has come free: it is kept for the first in line, or is anybody's. The run is locked."""
    place = _first(session, run, clock.now(session))
    if place is None:
        catalogue.release_seat(session, run.id)
    else:
        _offer(session, place)


def offer_free_seats(session: Session, run: Run) -> None:
    """Keep the seats that are free for those in line, as many as there are. The run is locked."""
    if not run.course.is_on_sale:
        return
    session.refresh(run, ["seats_taken"])
    for place in _line(session, run, PlaceState.WAITING)[: run.seats_left]:
        if clock.now(session) < offer.offered_until(run, place.scheme):
            catalogue.take_seat(session, run.id)
            _offer(session, place)


def take_offered(session: Session, participant_id: uuid.UUID, run_id: uuid.UUID, now: datetime) -> bool:
    """Whether a seat was kept for this buyer, who then takes no other. Their place in line is over."""
    if _find(session, participant_id, run_id) is None:
        return False
    locks.lock_seats(session, run_id)
    place = _find(session, participant_id, run_id)
    if place is None:
        return False
    is_kept = place.state == PlaceState.OFFERED
    if is_kept and (place.offer_until is None or now >= place.offer_until):
        return False
    _end(session, place, PlaceState.TAKEN)
    return is_kept


def move_on(session: Session, limit: int = 100) -> int:
    """Pass on seats that were not taken in time, offer those that came free otherwise, take back those that
    cannot be bought for now, and close lines whose runs are near or are sold no more; how many runs were
    looked at."""
    now = clock.now(session)
    overdue = (WaitingPlace.state == PlaceState.OFFERED) & (WaitingPlace.offer_until <= now)
    is_ended = or_(Run.state != RunState.OPEN, Course.state == CourseState.WITHDRAWN, _cut_off() <= now)
    is_on_sale = (Course.state == CourseState.PUBLISHED) & Provider.suspended_at.is_(None)
    is_stopped = (WaitingPlace.state == PlaceState.OFFERED) & ~is_on_sale
    has_seat = (WaitingPlace.state == PlaceState.WAITING) & (Run.seats_taken < Run.seats) & is_on_sale
    stirred = (
        select(Run.id)
        .join(WaitingPlace, WaitingPlace.run_id == Run.id)
        .join(Scheme, WaitingPlace.scheme_code == Scheme.code)
        .join(Course, Run.course_id == Course.id)
        .join(Provider, Course.provider_id == Provider.id)
        .where(WaitingPlace.state.in_(IN_LINE), or_(overdue, is_ended, is_stopped, has_seat))
    )
    run_ids = session.scalars(stirred.distinct().order_by(Run.id).limit(limit)).all()
    for run_id in run_ids:
        _move_on(session, locks.lock_seats(session, run_id), now)
    return len(run_ids)


def _move_on(session: Session, run: Run, now: datetime) -> None:
    is_ended = run.state != RunState.OPEN or run.course.state == CourseState.WITHDRAWN
    for place in _line(session, run, PlaceState.OFFERED):
        if is_ended:
            _end(session, place, PlaceState.CLOSED)
            if run.state == RunState.OPEN:
                catalogue.release_seat(session, run.id)
        elif not run.course.is_on_sale:
            _take_back(session, place)
        elif place.offer_until is not None and place.offer_until <= now:
            _end(session, place, PlaceState.MISSED)
            free_seat(session, run)
    for place in _line(session, run, PlaceState.WAITING):
        if is_ended or now >= offer.offered_until(run, place.scheme):
            _end(session, place, PlaceState.CLOSED)
    offer_free_seats(session, run)


def _offer(session: Session, place: WaitingPlace) -> None:
    run, now = place.run, clock.now(session)
    move(place, PlaceState.OFFERED, PLACE_TRANSITIONS)
    hours = timedelta(hours=place.scheme.waiting_offer_hours)
    place.offer_until = min(now + hours, offer.offered_until(run, place.scheme))
    session.flush()
    _tell(session, place, "waiting.offered")


def _take_back(session: Session, place: WaitingPlace) -> None:
    """Nobody can buy the seat for now: whom it was kept for waits again, where they stood."""
    move(place, PlaceState.WAITING, PLACE_TRANSITIONS)
    place.offer_until = None
    session.flush()
    catalogue.release_seat(session, place.run_id)
    _tell(session, place, "waiting.put_back")


def _end(session: Session, place: WaitingPlace, state: PlaceState) -> None:
    move(place, state, PLACE_TRANSITIONS)
    session.flush()
    _tell(session, place, f"waiting.{state.value}")


def _tell(session: Session, place: WaitingPlace, event: str) -> None:
    """The outbox, and the person where there is something to say."""
    provider_id = place.run.course.provider_id
    events.record(session, event, place.id, provider_id, run_id=place.run_id, until=place.offer_until)
    words = waiting_messages.about(place)
    if words is not None:
        notifications.notify(session, place.participant.user, *words)


def _find(session: Session, participant_id: uuid.UUID, run_id: uuid.UUID) -> WaitingPlace | None:
    mine = (WaitingPlace.participant_id == participant_id) & (WaitingPlace.run_id == run_id)
    in_line = select(WaitingPlace).where(mine, WaitingPlace.state.in_(IN_LINE))
    return session.scalars(in_line.execution_options(populate_existing=True)).first()


def _first(session: Session, run: Run, now: datetime) -> WaitingPlace | None:
    """Whom a seat is offered that has come free now; nobody near the start or while it is not sold."""
    line = _line(session, run, PlaceState.WAITING, most=1) if run.course.is_on_sale else ()
    return next((place for place in line if now < offer.offered_until(run, place.scheme)), None)


def _line(session: Session, run: Run, state: PlaceState, most: int | None = None) -> Sequence[WaitingPlace]:
    """Who stands in line, the first first. Under the run's lock nobody else changes it."""
    found = select(WaitingPlace).where(WaitingPlace.run_id == run.id, WaitingPlace.state == state)
    ordered = found.order_by(WaitingPlace.joined_at, WaitingPlace.id).limit(most)
    return session.scalars(ordered.execution_options(populate_existing=True)).all()


def _require_absent(session: Session, participant_id: uuid.UUID, run_id: uuid.UUID) -> None:
    mine = (Enrolment.participant_id == participant_id) & (Enrolment.run_id == run_id)
    bought = session.scalars(select(Enrolment.id).where(mine, Enrolment.state.not_in(CANCELLED))).first()
    if bought is not None:
        raise AlreadyEnrolled("this participant has this run", enrolment_id=bought)


def _cut_off() -> ColumnElement[datetime]:
    """offer.offered_until in SQL."""
    sold_until = case((Run.kind == RunKind.SELF_PACED, Run.ends_at), else_=Run.starts_at)
    return sold_until - func.make_interval(0, 0, 0, 0, Scheme.waiting_lead_hours)
