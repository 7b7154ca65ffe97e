"""Finding courses and their runs. A page takes a fixed number of queries, however many cards it has."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, and_, func, select, tuple_
from sqlalchemy.orm import Session, contains_eager, lazyload, selectinload

from marketplace.catalogue import facets as counts
from marketplace.catalogue import filters as conditions
from marketplace.catalogue import spelling
from marketplace.catalogue.facets import Choice, Facets
from marketplace.catalogue.filters import Band, Filters, Rating, Sort, When
from marketplace.catalogue.models import Course, CourseState, Run, RunKind, RunState
from marketplace.catalogue.paging import decode_cursor, encode_cursor, sort_key
from marketplace.catalogue.spelling import Correction
from marketplace.errors import NotFound

__all__ = [
    "Band",
    "Choice",
    "Correction",
    "CourseCard",
    "Facets",
    "Filters",
    "Page",
    "Rating",
    "Sort",
    "When",
]


@dataclass(frozen=True, slots=True)
class CourseCard:
    """A course in a list. `next_run` is the soonest run one can still buy, with seats if any has seats;
    None when there is no such run. `open_runs` counts them."""

    course: Course
    next_run: Run | None
    open_runs: int


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a search's result; `next_cursor` is None on the last page."""

    cards: Sequence[CourseCard]
    next_cursor: str | None


def search(session: Session, filters: Filters, now: datetime) -> Page:
    """One page of the published courses that pass the filters. Raises CursorInvalid."""
    key = sort_key(filters, now)
    found = select(Course, key.label("key")).join(Course.provider).options(contains_eager(Course.provider))
    if filters.cursor:
        after = decode_cursor(filters.cursor)
        found = found.where(tuple_(key, Course.id) > tuple_(after.key, after.last_id))
    matching = conditions.build(filters, now)
    rows = session.execute(found.where(*matching).order_by(key, Course.id).limit(filters.size + 1)).all()
    shown = rows[: filters.size]
    return Page(
        cards=cards_of(session, [course for course, _ in shown], now),
        next_cursor=encode_cursor(shown[-1].key, shown[-1][0].id) if len(rows) > filters.size else None,
    )


def facets(session: Session, filters: Filters, now: datetime) -> Facets:
    """How many courses there are, and how many each further choice would leave."""
    return counts.count(session, filters, now)


def corrected(session: Session, filters: Filters) -> tuple[Filters, Correction] | None:
    """The search that was probably meant, for one that found nothing; None when the words are known."""
    correction = spelling.correct(session, filters.words) if filters.words else None
    return None if correction is None else (replace(filters, text=correction.text), correction)


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


def version_on_sale(session: Session) -> tuple[int, datetime | None]:
    """Another value whenever a course or its provider comes on sale or goes; seats do not count."""
    seen = select(func.count(), func.max(Course.published_at)).select_from(Course).join(Course.provider)
    count, newest = session.execute(seen.where(*conditions.on_sale(Filters()))).one()
    return count, newest


@dataclass(frozen=True, slots=True)
class Offering:
    """What one provider has: courses on sale, and how many of their runs one can still buy a seat of."""

    courses: int
    runs: int


def count_of_provider(session: Session, provider_id: uuid.UUID, now: datetime) -> Offering:
    """The size of a provider's part of the catalogue, in one query."""
    runs = and_(Run.course_id == Course.id, conditions.has_seats(now))
    counted = select(func.count(func.distinct(Course.id)), func.count(Run.id)).select_from(Course)
    theirs = counted.join(Course.provider).outerjoin(Run, runs).where(Course.provider_id == provider_id)
    return Offering(*session.execute(theirs.where(*conditions.on_sale(Filters()))).one())


@dataclass(frozen=True, slots=True)
class Affordable:
    """How many courses a balance covers, and how many of those start next week."""

    courses: int
    next_week: int


@dataclass(frozen=True, slots=True)
class PriceList:
    """How many courses there are at each price, and how many of those start next week."""

    prices: Sequence[tuple[Decimal, int, int]]

    def covered_by(self, balance: Decimal) -> Affordable:
        """What one could buy with so much."""
        covered = [each for each in self.prices if each[0] <= balance]
        return Affordable(sum(each[1] for each in covered), sum(each[2] for each in covered))


def list_prices(session: Session, now: datetime, least_hours: int | None = None) -> PriceList:
    """What is on sale under a scheme that pays from `least_hours` on. `now` is programme time."""
    soon = func.count().filter(conditions.starts_within(When.NEXT_WEEK, now))
    counted = select(Course.price, func.count(), soon).join(Course.provider).group_by(Course.price)
    on_sale = conditions.build(Filters(least_hours=least_hours), now)
    return PriceList([(row[0], row[1], row[2]) for row in session.execute(counted.where(*on_sale))])


def get_course(session: Session, course_id: uuid.UUID) -> Course:
    """A course in any state. Raises NotFound."""
    course = session.get(Course, course_id)
    if course is None:
        raise NotFound(f"no course {course_id}")
    return course


def list_runs(
    session: Session, course_id: uuid.UUID, now: datetime, limit: int | None = None
) -> Sequence[Run]:
    """The runs of a course that one can still buy, full ones included, soonest first; with sessions."""
    found = select(Run).where(Run.course_id == course_id, is_buyable(now)).options(selectinload(Run.sessions))
    return session.scalars(found.order_by(Run.starts_at, Run.id).limit(limit)).all()


def get_run(session: Session, run_id: uuid.UUID) -> Run:
    """A run in any state, with its sessions. Raises NotFound."""
    run = session.scalar(select(Run).where(Run.id == run_id).options(selectinload(Run.sessions)))
    if run is None:
        raise NotFound(f"no run {run_id}")
    return run


def find_run(session: Session, run_id: uuid.UUID) -> Run | None:
    """A run in any state, or None."""
    return session.get(Run, run_id)


def is_sold(run: Run, now: datetime) -> bool:
    """What is_buyable says, of a run at hand."""
    until = run.ends_at if run.kind == RunKind.SELF_PACED else run.starts_at
    return run.state == RunState.OPEN and now < until


def is_buyable(now: datetime) -> ColumnElement[bool]:
    """Open, and not started; a self-paced run is sold until its access ends."""
    return conditions.is_buyable(now)


def list_cards(session: Session, ids: Sequence[uuid.UUID], now: datetime) -> list[CourseCard]:
    """Published courses of these ids, in their order; others are left out."""
    on_sale = select(Course).join(Course.provider).options(contains_eager(Course.provider))
    asked = on_sale.where(Course.id.in_(ids), *conditions.on_sale(Filters()))
    found = {course.id: course for course in session.scalars(asked)}
    return cards_of(session, [found[each] for each in ids if each in found], now)


def cards_of(session: Session, courses: Sequence[Course], now: datetime) -> list[CourseCard]:
    """Courses with their next runs: one query for all of them."""
    runs = session.scalars(
        select(Run)
        .where(Run.course_id.in_([course.id for course in courses]), is_buyable(now))
        .order_by(Run.seats_taken >= Run.seats, Run.starts_at, Run.id)
        .options(lazyload(Run.course))  # they are at hand already
    ).all()
    by_course: dict[uuid.UUID, list[Run]] = {}
    for run in runs:
        by_course.setdefault(run.course_id, []).append(run)
    return [_card(course, by_course.get(course.id, [])) for course in courses]


def _card(course: Course, runs: Sequence[Run]) -> CourseCard:
    return CourseCard(course, runs[0] if runs else None, len(runs))
