"""How many courses each choice would leave: all groups in one query, from one look at the courses."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Select,
    SQLColumnExpression,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from marketplace.catalogue import filters as conditions
from marketplace.catalogue.filters import BANDS, Band, Filters, Rating, When
from marketplace.catalogue.models import Course, Run
from marketplace.providers.models import Provider

_PROVIDERS = 8
"""A catalogue has thousands of providers; the ones with most courses are offered, and those chosen."""

_OPEN = "open"
_TICKS = (*(when.value for when in When), "seats")


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a group with how many courses it would leave. `label` names what the value does not."""

    value: str
    count: int
    label: str = ""


@dataclass(frozen=True, slots=True)
class Facets:
    """Every group is counted without its own filter. `without` says how many courses would be found if one
    of the active groups were dropped."""

    total: int
    categories: Sequence[Choice]
    modes: Sequence[Choice]
    when: Sequence[Choice]
    provinces: Sequence[Choice]
    bands: Sequence[Choice]
    ratings: Sequence[Choice]
    providers: Sequence[Choice]
    with_seats: int
    without: dict[str, int]


def count(session: Session, filters: Filters, now: datetime) -> Facets:
    """The counts of every group, and of the whole, in one query."""
    courses = _courses(filters, now)
    passes = _passes(filters, courses)
    parts = [
        _total(courses, passes),
        *(_without(courses, passes, group) for group in passes),
        *(
            _grouped(courses, passes, name, courses.c[name])
            for name in ("category", "mode", "province", "price")
        ),
        _providers(courses, passes, filters),
        *(_ticked(courses, passes, "when", when.value, courses.c[when.value]) for when in When),
        *(
            _ticked(courses, passes, "rating", least.value, conditions.rated(least, courses.c.rating))
            for least in Rating
        ),
        _ticked(courses, passes, "seats", _OPEN, courses.c.seats),
    ]
    found: dict[str, list[Choice]] = {}
    for group, value, label, number in session.execute(union_all(*parts)):
        found.setdefault(group, []).append(Choice(value, number, label))
    return _facets(found)


def _facets(found: dict[str, list[Choice]]) -> Facets:
    def by_count(name: str) -> list[Choice]:
        return sorted(found.get(name, []), key=lambda each: (-each.count, each.label or each.value))

    def in_order(name: str, order: Sequence[str]) -> list[Choice]:
        counts = {each.value: each.count for each in found.get(name, [])}
        return [Choice(value, counts.get(value, 0)) for value in order]

    return Facets(
        total=found["total"][0].count,
        categories=by_count("category"),
        modes=by_count("mode"),
        when=in_order("when", [*When]),
        provinces=by_count("province"),
        bands=[each for each in in_order("price", [*Band]) if each.count],
        ratings=[each for each in in_order("rating", [*Rating]) if each.count],
        providers=by_count("provider"),
        with_seats=found["seats"][0].count,
        without={each.value: each.count for each in found.get("without", [])},
    )


def _courses(filters: Filters, now: datetime) -> CTE:
    """One row a course with what the groups ask about."""
    runs = _runs(filters, now)
    return (
        select(
            Course.category,
            Course.mode,
            Course.price.label("amount"),
            Course.hours,
            Course.rating,
            Provider.province_code.label("province"),
            Provider.slug.label("provider"),
            Provider.name.label("provider_name"),
            _band(Course.price).label("price"),
            *(func.coalesce(runs.c[name], false()).label(name) for name in _TICKS),
        )
        .select_from(Course)
        .join(Course.provider)
        .outerjoin(runs, runs.c.course_id == Course.id)
        .where(*conditions.on_sale(filters))
        .cte("courses")
    )


def _runs(filters: Filters, now: datetime) -> FromClause:
    """When a course starts and whether it has seats: looked up for each of the few courses that have the
    words, or summed up for all courses at once."""
    starts = {when.value: func.bool_or(conditions.run_starts_within(when, now)) for when in When}
    ticks = [each.label(name) for name, each in starts.items()]
    summed = select(Run.course_id, true().label("seats"), *ticks).where(conditions.has_seats(now))
    summed = summed.group_by(Run.course_id)
    return summed.where(Run.course_id == Course.id).lateral() if filters.words else summed.subquery()


def _band(price: SQLColumnExpression[Decimal]) -> ColumnElement[str]:
    return case(*((conditions.within(band, price), literal(band.value)) for band in BANDS))


def _passes(filters: Filters, courses: CTE) -> dict[str, ColumnElement[bool]]:
    """For each active group whether a course passes it."""
    c = courses.c
    passes: dict[str, ColumnElement[bool]] = {}
    for group, column, wanted in (
        ("category", c.category, filters.categories),
        ("mode", c.mode, filters.modes),
        ("province", c.province, filters.provinces),
        ("provider", c.provider, filters.providers),
        ("price", c.price, filters.bands),
    ):
        if wanted:
            passes[group] = column.in_(wanted)
    if filters.when:
        passes["when"] = or_(*(c[when.value] for when in filters.when))
    if filters.ratings:
        passes["rating"] = or_(*(conditions.rated(least, c.rating) for least in filters.ratings))
    if filters.with_seats:
        passes["seats"] = c.seats
    fits = [c.amount <= filters.max_price] if filters.max_price is not None else []
    fits += [c.hours >= filters.least_hours] if filters.least_hours is not None else []
    fits += [c.amount > filters.above_price] if filters.above_price is not None else []
    return passes | ({"fits": and_(*fits)} if fits else {})


_Passes = dict[str, ColumnElement[bool]]
_Counted = Select[str, str, str, int]


def _all_but(passes: _Passes, group: str) -> ColumnElement[bool]:
    return and_(true(), *(condition for name, condition in passes.items() if name != group))


def _row(group: str, value: Any, label: Any, courses: CTE) -> _Counted:
    return select(
        literal(group, Text).label("group"), cast(value, Text), cast(label, Text), func.count()
    ).select_from(courses)


def _total(courses: CTE, passes: _Passes) -> _Counted:
    return _row("total", "", "", courses).where(_all_but(passes, ""))


def _without(courses: CTE, passes: _Passes, group: str) -> _Counted:
    return _row("without", group, "", courses).where(_all_but(passes, group))


def _ticked(courses: CTE, passes: _Passes, group: str, value: str, tick: ColumnElement[bool]) -> _Counted:
    return _row(group, value, "", courses).where(_all_but(passes, group), tick)


def _grouped(courses: CTE, passes: _Passes, group: str, column: ColumnElement[Any]) -> _Counted:
    asked = _row(group, column, "", courses).where(_all_but(passes, group), column.is_not(None))
    return asked.where(column != "").group_by(column)


def _providers(courses: CTE, passes: _Passes, filters: Filters) -> Select[Any]:
    c = courses.c
    counted = (
        _row("provider", c.provider, c.provider_name, courses)
        .where(_all_but(passes, "provider"))
        .group_by(c.provider, c.provider_name)
        .order_by(c.provider.in_(filters.providers).desc(), func.count().desc(), c.provider_name)
        .limit(_PROVIDERS + len(filters.providers))
        .subquery()
    )
    return select(counted)
