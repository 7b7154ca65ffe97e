"""How many courses each choice would leave: all groups in one query, from one look at the courses."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import reduce
from operator import add
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Integer,
    SQLColumnExpression,
    Text,
    TextualSelect,
    and_,
    any_,
    bindparam,
    case,
    false,
    func,
    literal,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from marketplace.catalogue import filters as conditions
from marketplace.catalogue.filters import BANDS, Band, Filters, Rating, When
from marketplace.catalogue.models import Course, Run
from marketplace.providers.models import Provider

_PROVIDERS = 8
"""A catalogue has thousands of providers; the ones with most courses are offered, and those chosen."""

_GROUPS = ("category", "mode", "province", "provider", "price", "when", "rating", "seats", "fits")
_BITS = {group: 1 << place for place, group in enumerate(_GROUPS)}
"""A course `fails` the sum of the groups that it does not pass. A group is counted without its own filter,
so in it count the courses that fail nothing, or this group alone."""


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
    found = _found(filters)
    ticks = _ticks(filters, found, now)
    columns = {**found.c, **ticks.c}
    passes = _passes(filters, columns)
    courses = (
        select(found, *(func.coalesce(ticks.c[name], false()).label(name) for name in _TICKS))
        .add_columns(_fails(passes).label("fails"))
        .select_from(found.outerjoin(ticks, ticks.c.course_id == found.c.id))
        .cte("courses")
    )
    chosen = {"providers": list(filters.providers), "most": _PROVIDERS + len(filters.providers)}
    counted: dict[str, list[Choice]] = {}
    counts = _COUNTED_IF_PASSING if passes else _COUNTED_ALL
    for group, value, label, number in session.execute(counts.add_cte(courses), chosen):
        counted.setdefault(group, []).append(Choice(value, number, label))
    return _facets(counted, passes)


def _facets(counted: dict[str, list[Choice]], active: Iterable[str]) -> Facets:
    def by_count(name: str) -> list[Choice]:
        return sorted(counted.get(name, []), key=lambda each: (-each.count, each.label or each.value))

    def in_order(name: str, order: Sequence[str]) -> list[Choice]:
        counts = {each.value: each.count for each in counted.get(name, [])}
        return [Choice(value, counts.get(value, 0)) for value in order]

    failing = {int(each.value): each.count for each in counted.get("fails", [])}
    total = failing.get(0, 0)
    return Facets(
        total=total,
        categories=by_count("category"),
        modes=by_count("mode"),
        when=in_order("when", [*When]),
        provinces=by_count("province"),
        bands=[each for each in in_order("price", [*Band]) if each.count],
        ratings=[each for each in in_order("rating", [*Rating]) if each.count],
        providers=by_count("provider"),
        with_seats=counted["seats"][0].count,
        without={group: total + failing.get(_BITS[group], 0) for group in active},
    )


def _band(price: SQLColumnExpression[Decimal]) -> ColumnElement[str]:
    return case(*((conditions.within(band, price), literal(band.value)) for band in BANDS))


_COLUMNS = (
    Course.id,
    Course.category,
    Course.mode,
    Course.price.label("amount"),
    Course.hours,
    Course.rating,
    Provider.province_code.label("province"),
    Provider.slug.label("provider"),
    Provider.name.label("provider_name"),
    _band(Course.price).label("price"),
)
_TICKS = (*(when.value for when in When), "seats")


def _found(filters: Filters) -> CTE:
    """The courses on sale that have the words, with what the groups ask about."""
    courses = select(*_COLUMNS).select_from(Course).join(Course.provider)
    return courses.where(*conditions.on_sale(filters)).cte("found")


def _ticks(filters: Filters, found: CTE, now: datetime) -> FromClause:
    """When a course starts and whether it has seats: of the few courses that have the words, or of all.

    The few are named by an array: PostgreSQL then looks each up, where a join would read all runs.
    """
    starts = [func.bool_or(conditions.run_starts_within(when, now)).label(when.value) for when in When]
    summed = select(Run.course_id, true().label("seats"), *starts).where(conditions.has_seats(now))
    if filters.words:
        few = func.array(select(found.c.id).scalar_subquery(), type_=ARRAY(Run.course_id.type))
        summed = summed.where(Run.course_id == any_(few))
    return summed.group_by(Run.course_id).subquery("ticks")


def _passes(filters: Filters, columns: Mapping[str, ColumnElement[Any]]) -> dict[str, ColumnElement[bool]]:
    """For each active group whether a course passes it."""
    passes: dict[str, ColumnElement[bool]] = {}
    for group, wanted in (
        ("category", filters.categories),
        ("mode", filters.modes),
        ("province", filters.provinces),
        ("provider", filters.providers),
        ("price", filters.bands),
    ):
        if wanted:
            passes[group] = columns[group].in_(wanted)
    if filters.when:
        passes["when"] = or_(*(columns[when.value] for when in filters.when))
    if filters.ratings:
        passes["rating"] = or_(*(conditions.rated(least, columns["rating"]) for least in filters.ratings))
    if filters.with_seats:
        passes["seats"] = columns["seats"]
    amount, hours = columns["amount"], columns["hours"]
    fits = [amount <= filters.max_price] if filters.max_price is not None else []
    fits += [hours >= filters.least_hours] if filters.least_hours is not None else []
    fits += [amount > filters.above_price] if filters.above_price is not None else []
    return passes | ({"fits": and_(*fits)} if fits else {})


def _fails(passes: Mapping[str, ColumnElement[bool]]) -> ColumnElement[int]:
    """What is not known, as the mode of some courses, does not pass."""
    failed = [case((passed, 0), else_=_BITS[group]) for group, passed in passes.items()]
    return reduce(add, failed, literal(0, Integer))


def _counted(passing: str) -> TextualSelect:
    """The counts of all groups as rows of group, value, label and number, where a course passes all other
    groups. No search changes these words."""
    row = "SELECT '{}', {}, {}, count(*) FROM courses WHERE " + passing  # noqa: S608 - all names are ours
    ticked = [("when", when.value, when.value) for when in When]
    ticked += [("rating", least.value, f"rating >= {least.value}") for least in Rating]
    ticked += [("seats", "open", "seats")]
    provider = row.format("provider", "provider", "provider_name", _BITS["provider"])
    parts = [
        "SELECT 'fails', CAST(fails AS text), '', count(*) FROM courses GROUP BY fails",
        *(
            row.format(group, group, "''", _BITS[group]) + f" AND {group} <> '' GROUP BY {group}"
            for group in ("category", "mode", "province", "price")
        ),
        f"({provider} GROUP BY provider, provider_name"
        " ORDER BY provider = ANY(:providers) DESC, count(*) DESC, provider_name LIMIT :most)",
        *(
            row.format(group, f"'{value}'", "''", _BITS[group]) + f" AND {tick}"
            for group, value, tick in ticked
        ),
    ]
    given = bindparam("providers", type_=ARRAY(Text)), bindparam("most", type_=Integer)
    return text(" UNION ALL ".join(parts)).bindparams(*given).columns()


_COUNTED_IF_PASSING, _COUNTED_ALL = _counted("fails IN (0, {})"), _counted("true")
"""The latter where no group is active, which is quicker: every course passes."""
