"""Runs for courses that have none, at credible hours and places."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from marketplace.catalogue import service as catalogue
from marketplace.catalogue.models import Course, CourseState, Mode, Run, RunKind, RunState
from marketplace.catalogue.service import PlannedSession, RunPlan
from marketplace.dev.demo.story import Days
from marketplace.schemes.models import Scheme

_ONLINE = "Daring"
_HOURS_PER_MEETING = 4
_HOURS_PER_UNIT = 4
_SELF_PACED_EVERY = 3  # of the online courses


@dataclass(frozen=True, slots=True)
class Slot:
    """When one session is held."""

    starts_at: datetime
    ends_at: datetime


def meetings(slots: Sequence[Slot]) -> list[PlannedSession]:
    """Sessions with topics, one for each slot."""
    last = len(slots)
    return [
        PlannedSession(_topic(number, last), slot.starts_at, slot.ends_at)
        for number, slot in enumerate(slots, start=1)
    ]


def schedule(
    session: Session, course: Course, slots: Sequence[Slot], seats: int, *, confirms: bool = False
) -> Run:
    """Offer a course at these times; perhaps with seats that its provider confirms."""
    plan = RunPlan(RunKind.SCHEDULED, meetings(slots), seats, place_of(course), needs_confirmation=confirms)
    return catalogue.schedule_run(session, course, plan)


def schedule_self_paced(
    session: Session, course: Course, starts_at: datetime, ends_at: datetime, units: int, seats: int = 200
) -> Run:
    """Offer a course to be learnt alone, between two instants."""
    planned = [PlannedSession(_topic(number, units)) for number in range(1, units + 1)]
    plan = RunPlan(RunKind.SELF_PACED, planned, seats, starts_at=starts_at, ends_at=ends_at)
    return catalogue.schedule_run(session, course, plan)


def fill(session: Session, days: Days) -> int:
    """Offer every course that has no run on sale, over the five weeks to come; how many runs were added."""
    courses = list_unscheduled(session, days.now)
    for number, course in enumerate(courses):
        if course.mode == Mode.ONLINE and number % _SELF_PACED_EVERY == 0:
            ends_at = days.at(45 + number % 30, 23)
            units = _count(course, _HOURS_PER_UNIT, most=12)
            schedule_self_paced(session, course, days.at(-(number % 12), 0), ends_at, units)
        else:
            schedule(session, course, _weekly(course, days, 2 + number * 7 % 33), 8 + number * 5 % 17)
    return len(courses)


def list_unscheduled(session: Session, now: datetime) -> Sequence[Course]:
    """Published courses without a run that can still be bought, in a fixed order."""
    on_sale = exists().where(Run.course_id == Course.id, Run.state == RunState.OPEN, Run.starts_at > now)
    published = select(Course).where(Course.state == CourseState.PUBLISHED, ~on_sale)
    return session.scalars(published.order_by(Course.source_id)).all()


def place_of(course: Course) -> str:
    """Where the meetings are: the provider's city, or a screen."""
    if course.mode == Mode.ONLINE:
        return _ONLINE
    return course.provider.city


def _weekly(course: Course, days: Days, first: int) -> list[Slot]:
    """Meetings every third day: in the evening on the screen, in the morning or afternoon elsewhere."""
    start = 19 if course.mode == Mode.ONLINE else (9, 13)[first % 2]
    length = timedelta(hours=2 if course.mode == Mode.ONLINE else 3)
    begins = [
        days.at(first + 3 * number, start) for number in range(_count(course, _HOURS_PER_MEETING, most=12))
    ]
    return [Slot(begin, begin + length) for begin in begins]


def _count(course: Course, hours_each: int, most: int) -> int:
    return max(2, min(most, round((course.hours or 16) / hours_each)))


def _topic(number: int, last: int) -> str:
    if number == 1:
        return "Perkenalan dan dasar"
    if number == last:
        return "Praktik akhir dan umpan balik"
    return f"Praktik {number - 1}"


# The demonstration that `make demo` plays: a few days full of sessions, so that one look at the clock
# finds many of them open. Sessions come in pairs around one instant, at which the first is not over and
# the check-in of the second is open already.

FIRST_DAY = 3
LAST_LOOK_DAY = 7
LAST_DAY = 9
PAIRS = (9, 13)
"""The hours (Western Indonesian Time) at which pairs of sessions begin."""

_SESSION = timedelta(minutes=55)
_PAIR_STEP = timedelta(minutes=60)
_LOOK = timedelta(minutes=47)
_SHUFFLE_SEED = 1945
_SEATS, _FEW_SEATS, _FEW_EVERY = 32, 5, 20
_CONFIRMS_EVERY, _FIRST_THAT_CONFIRMS = 12, 2
_TOO_DEAR = 4
_FREE_SHARE = 10  # one of so many costs nothing: their attendance moves no money


def looks(days: Days) -> list[datetime]:
    """The instants at which the sessions of most days are open, in order. The long classes go on for
    two days more, and keep signed lists then."""
    return [
        days.at(day, hour) + _LOOK
        for day in range(FIRST_DAY, LAST_LOOK_DAY + 1)
        for hour in (PAIRS if day < LAST_LOOK_DAY else PAIRS[:1])
    ]


def fill_week(session: Session, days: Days, scheme: Scheme, most: int) -> int:
    """Offer up to `most` courses that the scheme pays for within a few days, and a few that are too
    dear; how many runs were added. Two are long enough to attend 24, 25, 79 or 80 % of them."""
    free = list_unscheduled(session, days.now)
    suitable = [course for course in free if (course.hours or 0) >= (scheme.shortest_hours or 0)]
    Random(_SHUFFLE_SEED).shuffle(suitable)  # noqa: S311 - a mixture, the same each time
    fitting = [course for course in suitable if course.price <= scheme.training_balance]
    paid = [course for course in fitting if course.price > 0][:most]
    gratis = [course for course in fitting if course.price == 0][: max(most // _FREE_SHARE, 1)]
    chosen = (paid + gratis)[:most]
    dear = [course for course in suitable if course.price > scheme.training_balance][:_TOO_DEAR]
    for number, course in enumerate([*chosen, *dear]):
        _offer_within_week(session, course, days, number)
    return len(chosen) + len(dear)


def _offer_within_week(session: Session, course: Course, days: Days, number: int) -> None:
    if number > 1 and course.mode == Mode.ONLINE and number % _SELF_PACED_EVERY == 0:
        schedule_self_paced(session, course, days.at(0, 0), days.at(LAST_DAY, 23), units=8, seats=_SEATS)
        return
    count = (25, 24)[number] if number < 2 else 4 + number % 2
    seats = _FEW_SEATS if number % _FEW_EVERY == _FEW_EVERY - 1 else _SEATS
    confirms = number % _CONFIRMS_EVERY == _FIRST_THAT_CONFIRMS
    slots = _dense(days, count) if number < 2 else _daily(days, count)
    schedule(session, course, slots, seats, confirms=confirms)


def _dense(days: Days, count: int) -> list[Slot]:
    """Four sessions a day, in pairs."""
    begins = [
        days.at(day, hour) + step
        for day in range(FIRST_DAY, LAST_DAY + 1)
        for hour in PAIRS
        for step in (timedelta(), _PAIR_STEP)
    ]
    return [Slot(begin, begin + _SESSION) for begin in begins[:count]]


def _daily(days: Days, count: int) -> list[Slot]:
    """One session a morning."""
    begins = [days.at(FIRST_DAY + number, PAIRS[0]) for number in range(count)]
    return [Slot(begin, begin + _SESSION) for begin in begins]
