"""What a search can ask for, and the SQL that it means."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, exists, or_

from marketplace import clock
from marketplace.catalogue import words
from marketplace.catalogue.models import Course, CourseState, Run, RunKind, RunState
from marketplace.providers.models import Provider


class Sort(StrEnum):
    """`best` is by relevance for a text, else by rating."""

    BEST = "best"
    CHEAPEST = "cheapest"
    RATING = "rating"
    SOONEST = "soonest"


class When(StrEnum):
    """The start of a run, in calendar weeks from Monday in Asia/Jakarta."""

    THIS_WEEK = "this_week"
    NEXT_WEEK = "next_week"
    LATER = "later"


class Band(StrEnum):
    """Ranges of price; see BANDS for their limits."""

    FREE = "free"
    LOW = "low"
    MIDDLE = "middle"
    HIGH = "high"
    TOP = "top"


class Rating(StrEnum):
    """A course's rating is at least so many stars of five; what nobody has rated has none."""

    FOUR = "4"
    THREE = "3"


BANDS: dict[Band, tuple[Decimal | None, Decimal | None]] = {
    # above the first, up to and including the second, in rupiah
    Band.FREE: (None, Decimal(0)),
    Band.LOW: (Decimal(0), Decimal(500_000)),
    Band.MIDDLE: (Decimal(500_000), Decimal(1_000_000)),
    Band.HIGH: (Decimal(1_000_000), Decimal(2_000_000)),
    Band.TOP: (Decimal(2_000_000), None),
}


@dataclass(frozen=True, slots=True)
class Filters:
    """A search. Words of one group widen it, groups narrow it; prices in rupiah, providers by slug.

    `max_price` and `least_hours` say what a balance and its scheme pay for: no hours are no such course.
    """

    text: str = ""
    categories: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    when: tuple[When, ...] = ()
    provinces: tuple[str, ...] = ()
    bands: tuple[Band, ...] = ()
    ratings: tuple[Rating, ...] = ()
    providers: tuple[str, ...] = ()
    with_seats: bool = False
    max_price: Decimal | None = None
    least_hours: int | None = None
    above_price: Decimal | None = None
    sort: Sort = Sort.BEST
    cursor: str | None = None
    size: int = 12

    @property
    def words(self) -> list[str]:
        """The words of the text that say something."""
        return words.words_of(self.text)


def build(filters: Filters, now: datetime) -> list[ColumnElement[bool]]:
    """The conditions of a search over Course joined with Provider."""
    asked = on_sale(filters)
    if filters.categories:
        asked.append(Course.category.in_(filters.categories))
    if filters.modes:
        asked.append(Course.mode.in_(filters.modes))
    if filters.provinces:
        asked.append(Provider.province_code.in_(filters.provinces))
    if filters.providers:
        asked.append(Provider.slug.in_(filters.providers))
    if filters.bands:
        asked.append(or_(*(within(band, Course.price) for band in filters.bands)))
    if filters.ratings:
        asked.append(or_(*(rated(least, Course.rating) for least in filters.ratings)))
    if filters.max_price is not None:
        asked.append(Course.price <= filters.max_price)
    if filters.least_hours is not None:
        asked.append(Course.hours >= filters.least_hours)
    if filters.above_price is not None:
        asked.append(Course.price > filters.above_price)
    if filters.when:
        asked.append(or_(*(starts_within(when, now) for when in filters.when)))
    if filters.with_seats:
        asked.append(_has_run(now))
    return asked


def on_sale(filters: Filters) -> list[ColumnElement[bool]]:
    """What holds whichever groups are counted: published, by a provider in good standing, with the words."""
    asked: list[ColumnElement[bool]] = [
        Course.state == CourseState.PUBLISHED,
        Provider.suspended_at.is_(None),
    ]
    query = text_query(filters)
    return asked if query is None else [*asked, Course.search.bool_op("@@")(query)]


def text_query(filters: Filters) -> ColumnElement[object] | None:
    """The words for PostgreSQL; None when none of them says anything."""
    asked = filters.words
    return words.matching(tuple(asked)) if asked else None


def within(band: Band, price: SQLColumnExpression[Decimal]) -> ColumnElement[bool]:
    """Is the price in that range?"""
    above, to = BANDS[band]
    limits = [price > above] if above is not None else []
    return and_(*limits, *([price <= to] if to is not None else []))


def rated(least: Rating, rating: SQLColumnExpression[Decimal | None]) -> ColumnElement[bool]:
    """Is the rating that good?"""
    return rating >= Decimal(least.value)


def is_buyable(now: datetime) -> ColumnElement[bool]:
    """Open, and not started; a self-paced run is sold until its access ends."""
    self_paced = and_(Run.kind == RunKind.SELF_PACED, Run.ends_at > now)
    return and_(Run.state == RunState.OPEN, or_(Run.starts_at > now, self_paced))


def has_seats(now: datetime) -> ColumnElement[bool]:
    """A run that one can still buy, with a seat."""
    return and_(is_buyable(now), Run.seats_taken < Run.seats)


def starts_within(when: When, now: datetime) -> ColumnElement[bool]:
    """Has the course a run with seats that starts in that time? Self-paced ones start now."""
    return _has_run(now, run_starts_within(when, now))


def run_starts_within(when: When, now: datetime) -> ColumnElement[bool]:
    """Does the run start in that time? A self-paced one that one can buy starts now, or when it opens."""
    first, last = _period(when, now)
    starts = [Run.starts_at >= first] if when is not When.THIS_WEEK else []
    return and_(*starts, *([Run.starts_at < last] if last else []))


def _has_run(now: datetime, *further: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(Run.course_id == Course.id, has_seats(now), *further)


def _period(when: When, now: datetime) -> tuple[datetime, datetime | None]:
    today = clock.local_date(now)
    monday = today - timedelta(days=today.weekday())
    if when is When.THIS_WEEK:
        return now, _midnight(monday, 7)
    if when is When.NEXT_WEEK:
        return _midnight(monday, 7), _midnight(monday, 14)
    return _midnight(monday, 14), None


def _midnight(monday: date, days: int) -> datetime:
    return clock.start_of_day(monday + timedelta(days=days))
