"""What a search can ask for, and the SQL that it means."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, or_

from marketplace import clock
from marketplace.catalogue.models import Course, CourseState, Run, RunKind, RunState
from marketplace.providers.models import Provider

_MOST_WORDS = 10


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


@dataclass(frozen=True, slots=True)
class Filters:
    """A search. Words of one group widen it, groups narrow it; prices in rupiah."""

    text: str = ""
    categories: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    when: tuple[When, ...] = ()
    max_price: Decimal | None = None
    above_price: Decimal | None = None
    provider_id: UUID | None = None
    sort: Sort = Sort.BEST
    cursor: str | None = None
    size: int = 12


def build(filters: Filters, now: datetime, leave_out: str = "") -> list[ColumnElement[bool]]:
    """The conditions of a search over Course joined with Provider; one group can be left out."""
    asked: list[ColumnElement[bool]] = [
        Course.state == CourseState.PUBLISHED,
        Provider.suspended_at.is_(None),
    ]
    asked.extend(_mentions(word) for word in _words(filters.text))
    if filters.categories and leave_out != "categories":
        asked.append(Course.category.in_(filters.categories))
    if filters.modes and leave_out != "modes":
        asked.append(Course.mode.in_(filters.modes))
    if filters.when and leave_out != "when":
        asked.append(or_(*(starts_within(when, now) for when in filters.when)))
    if filters.max_price is not None:
        asked.append(Course.price <= filters.max_price)
    if filters.above_price is not None:
        asked.append(Course.price > filters.above_price)
    if filters.provider_id is not None:
        asked.append(Course.provider_id == filters.provider_id)
    return asked


def text_query(text: str) -> ColumnElement[object] | None:
    """All the words, of which the beginning is enough; None without any letter or digit."""
    words = _words(text)
    return func.to_tsquery("simple", " & ".join(f"'{word}':*" for word in words)) if words else None


def is_buyable(now: datetime) -> ColumnElement[bool]:
    """Open, and not started; a self-paced run is sold until its access ends."""
    self_paced = and_(Run.kind == RunKind.SELF_PACED, Run.ends_at > now)
    return and_(Run.state == RunState.OPEN, or_(Run.starts_at > now, self_paced))


def starts_within(when: When, now: datetime) -> ColumnElement[bool]:
    """Has the course a run with seats that starts in that time? Self-paced ones start now."""
    first, last = _period(when, now)
    starts = func.greatest(Run.starts_at, now)
    return exists().where(
        Run.course_id == Course.id,
        is_buyable(now),
        Run.seats_taken < Run.seats,
        starts >= first,
        *([starts < last] if last else []),
    )


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


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())[:_MOST_WORDS]


def _mentions(word: str) -> ColumnElement[bool]:
    """The course or its provider's name has a word that begins so."""
    query = func.to_tsquery("simple", f"'{word}':*")
    named = func.to_tsvector("simple", Provider.name).bool_op("@@")(query)
    return or_(Course.search.bool_op("@@")(query), named)
