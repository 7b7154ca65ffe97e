"""Finding courses and their runs. A page takes a fixed number of queries, however many cards it has."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, contains_eager, selectinload

from marketplace.catalogue import filters as conditions
from marketplace.catalogue.filters import Filters, Sort, When
from marketplace.catalogue.models import Course, CourseState, Run
from marketplace.catalogue.paging import decode_cursor, encode_cursor, sort_key
from marketplace.errors import NotFound

__all__ = ["CourseCard", "Facets", "Filters", "Page", "Sort", "When", "facets", "search"]


@dataclass(frozen=True, slots=True)
class CourseCard:
    """A course in a list. `next_run` is the soonest run one can still buy, with seats if any has seats;
    None when there is no such run. `open_runs` counts them."""

    course: Course
    next_run: Run | None
    open_runs: int


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a search's result. `total` counts all of it; `next_cursor` is None on the last page."""

    cards: Sequence[CourseCard]
    total: int
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Facets:
    """(word, count) for every choice, each group counted without its own filter."""

    categories: Sequence[tuple[str, int]]
    modes: Sequence[tuple[str, int]]
    when: Sequence[tuple[str, int]]


def search(session: Session, filters: Filters, now: datetime) -> Page:
    """One page of the published courses that pass the filters. Raises CursorInvalid."""
    matching = conditions.build(filters, now)
    key = sort_key(filters, now)
    found = select(Course, key.label("key")).join(Course.provider).options(contains_eager(Course.provider))
    if filters.cursor:
        after = decode_cursor(filters.cursor)
        found = found.where(or_(key > after.key, and_(key == after.key, Course.id > after.course_id)))
    rows = session.execute(found.where(*matching).order_by(key, Course.id).limit(filters.size + 1)).all()
    shown = rows[: filters.size]
    return Page(
        cards=_cards(session, [course for course, _ in shown], now),
        total=_count(session, matching),
        next_cursor=encode_cursor(shown[-1].key, shown[-1][0].id) if len(rows) > filters.size else None,
    )


def facets(session: Session, filters: Filters, now: datetime) -> Facets:
    """How many courses each further choice would leave."""
    return Facets(
        categories=_group(session, Course.category, conditions.build(filters, now, leave_out="categories")),
        modes=_group(session, Course.mode, conditions.build(filters, now, leave_out="modes")),
        when=_count_when(session, filters, now),
    )


@dataclass(frozen=True, slots=True)
class Size:
    """How many courses are on sale, of how many providers."""

    courses: int
    providers: int


def count_on_sale(session: Session) -> Size:
    """The size of the catalogue, for the front page."""
    counted = select(func.count(), func.count(func.distinct(Course.provider_id)))
    published = counted.select_from(Course).where(Course.state == CourseState.PUBLISHED)
    return Size(*session.execute(published).one())


@dataclass(frozen=True, slots=True)
class Affordable:
    """How many courses a balance covers, and how many of those start next week."""

    courses: int
    next_week: int


def count_affordable(session: Session, balance: Decimal, now: datetime) -> Affordable:
    """What one could buy with so much, in one query. `now` is programme time."""
    soon = func.count().filter(conditions.starts_within(When.NEXT_WEEK, now))
    counted = select(func.count(), soon).select_from(Course).join(Course.provider)
    covered = conditions.build(Filters(max_price=balance), now)
    return Affordable(*session.execute(counted.where(*covered)).one())


def get_course(session: Session, course_id: uuid.UUID) -> Course:
    """A course in any state. Raises NotFound."""
    course = session.get(Course, course_id)
    if course is None:
        raise NotFound(f"no course {course_id}")
    return course


def list_runs(session: Session, course_id: uuid.UUID, now: datetime) -> Sequence[Run]:
    """The runs of a course that one can still buy, full ones included, soonest first; with sessions."""
    found = select(Run).where(Run.course_id == course_id, is_buyable(now)).options(selectinload(Run.sessions))
    return session.scalars(found.order_by(Run.starts_at, Run.id)).all()


def get_run(session: Session, run_id: uuid.UUID) -> Run:
    """A run in any state, with its sessions. Raises NotFound."""
    run = session.scalar(select(Run).where(Run.id == run_id).options(selectinload(Run.sessions)))
    if run is None:
        raise NotFound(f"no run {run_id}")
    return run


def is_buyable(now: datetime) -> ColumnElement[bool]:
    """Open, and not started; a self-paced run is sold until its access ends."""
    return conditions.is_buyable(now)


def _cards(session: Session, courses: Sequence[Course], now: datetime) -> list[CourseCard]:
    """Courses with their next runs: one query for all of them."""
    runs = session.scalars(
        select(Run)
        .where(Run.course_id.in_([course.id for course in courses]), is_buyable(now))
        .order_by(Run.seats_taken >= Run.seats, Run.starts_at, Run.id)
    ).all()
    by_course: dict[uuid.UUID, list[Run]] = {}
    for run in runs:
        by_course.setdefault(run.course_id, []).append(run)
    return [_card(course, by_course.get(course.id, [])) for course in courses]


def _card(course: Course, runs: Sequence[Run]) -> CourseCard:
    return CourseCard(course, runs[0] if runs else None, len(runs))


def _count(session: Session, matching: Sequence[ColumnElement[bool]]) -> int:
    counted = select(func.count()).select_from(Course).join(Course.provider).where(*matching)
    return session.scalar(counted) or 0


def _group(
    session: Session, column: InstrumentedAttribute[Any], matching: Sequence[ColumnElement[bool]]
) -> list[tuple[str, int]]:
    counted = (
        select(column, func.count())
        .select_from(Course)
        .join(Course.provider)
        .where(*matching, column.is_not(None), column != "")
        .group_by(column)
        .order_by(func.count().desc(), column)
    )
    return [(str(word), count) for word, count in session.execute(counted)]


def _count_when(session: Session, filters: Filters, now: datetime) -> list[tuple[str, int]]:
    matching = conditions.build(filters, now, leave_out="when")
    counts = [func.count().filter(conditions.starts_within(when, now)).label(when.value) for when in When]
    row = session.execute(select(*counts).select_from(Course).join(Course.provider).where(*matching)).one()
    return [(when.value, count) for when, count in zip(When, row, strict=True)]
