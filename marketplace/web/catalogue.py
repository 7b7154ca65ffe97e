"""The catalogue's pages: search with everything in the address, a course with its runs."""

import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from marketplace import clock, db
from marketplace.batches import queries as grants
from marketplace.catalogue import queries
from marketplace.catalogue.errors import CursorInvalid
from marketplace.catalogue.models import Course, Mode, Run, RunKind
from marketplace.catalogue.queries import CourseCard, Filters, Sort, When
from marketplace.web.formatting import hours, long_date, short_date
from marketplace.web.identity import find_participant
from marketplace.web.shell import zone

pages = Blueprint("catalogue", __name__)

_DEARER = 3
_DEARER_BY = Decimal("1.5")
"""Courses up to half above the balance are shown apart: worth knowing, not worth hiding the others for."""


@dataclass(frozen=True, slots=True)
class Search:
    """A search as the address says it; `fits` is on unless the reader took it away."""

    filters: Filters
    fits: bool
    balance: Decimal | None

    @property
    def active(self) -> int:
        """How many filters besides the balance are on."""
        return len(self.filters.categories) + len(self.filters.modes) + len(self.filters.when)


@pages.get("/kursus")
def search() -> str | Response:
    """Search and filters."""
    current = db.session()
    wanted = read_search(request.args, _balance(current))
    now = clock.now(current)
    try:
        page = queries.search(current, wanted.filters, now)
    except CursorInvalid:
        return redirect(_address(cursor=None))
    facets = queries.facets(current, wanted.filters, now)
    return render_template(
        "public/catalogue.html",
        search=wanted,
        page=page,
        groups=_groups(wanted, facets),
        chips=_chips(wanted, facets),
        wider_href=_address(all="1"),
        sorts=_sorts(),
        dearer=_dearer(current, wanted, now),
        next_href=_address(cursor=page.next_cursor) if page.next_cursor else None,
        icon_of=icon_of,
        facts_of=facts_of_card,
    )


@pages.get("/kursus/<uuid:course_id>")
def course(course_id: uuid.UUID) -> str:
    """One course with its runs, the real choice."""
    current = db.session()
    now = clock.now(current)
    found = queries.get_course(current, course_id)
    runs = queries.list_runs(current, course_id, now)
    open_runs = [run for run in runs if run.seats_left > 0]
    return render_template(
        "public/course.html",
        course=found,
        runs=runs,
        first=open_runs[0] if open_runs else None,
        balance=_balance(current),
        facts=facts_of_course(found),
        on_sale=found.is_on_sale,
    )


@pages.get("/kursus/<uuid:course_id>/pilih")
def choose(course_id: uuid.UUID) -> Response:
    """From a chosen run to its review page; without a choice, back to the course."""
    try:
        run_id = uuid.UUID(request.args.get("run", ""))
    except ValueError:
        return redirect(url_for("catalogue.course", course_id=course_id))
    return redirect(url_for("participant.review", run_id=run_id))


def read_search(args: MultiDict[str, str], balance: Decimal | None) -> Search:
    """A search from an address. Words that mean nothing are left out, never an error."""
    fits = balance is not None and args.get("all") != "1"
    filters = Filters(
        text=args.get("q", "").replace("\x00", "").strip()[:100],
        categories=tuple(name for name in args.getlist("category") if name.isprintable()),
        modes=tuple(mode for mode in args.getlist("mode") if mode in set(Mode)),
        when=tuple(When(when) for when in args.getlist("when") if when in set(When)),
        max_price=balance if fits else None,
        sort=Sort(args["sort"]) if args.get("sort") in set(Sort) else Sort.BEST,
        cursor=args.get("cursor") or None,
    )
    return Search(filters, fits, balance)


def _dearer(current: Session, wanted: Search, now: datetime) -> list[CourseCard]:
    """The few courses that the balance just misses, on the first page only."""
    if not wanted.fits or not wanted.balance or wanted.filters.cursor:
        return []
    above = replace(
        wanted.filters,
        above_price=wanted.balance,
        max_price=wanted.balance * _DEARER_BY,
        sort=Sort.CHEAPEST,
        size=_DEARER,
    )
    return list(queries.search(current, above, now).cards)


def _balance(current: Session) -> Decimal | None:
    participant = find_participant()
    return grants.balance_of(current, participant.id) if participant else None


def _address(**changes: str | list[str] | None) -> str:
    """This search's address with some parts changed; any change starts from the first page."""
    args: dict[str, Any] = {name: request.args.getlist(name) for name in request.args if name != "cursor"}
    args.update(changes)
    return url_for("catalogue.search", **{name: value for name, value in args.items() if value})


def _chips(wanted: Search, facets: queries.Facets) -> list[dict[str, Any]]:
    """What is on, each with its way off, then the quick filters that would still find something."""
    chips = []
    if wanted.balance is not None:
        href = _address(all="1") if wanted.fits else _address(all=None)
        chips.append({"text": _("Saldo saya cukup"), "href": href, "on": wanted.fits, "removable": False})
    taken = [("category", word, word) for word in wanted.filters.categories]
    taken += [("mode", word, mode_name(word)) for word in wanted.filters.modes]
    taken += [("when", word.value, _when_name(word)) for word in wanted.filters.when]
    for name, value, text in taken:
        left = [other for other in request.args.getlist(name) if other != value]
        href = _address(**{name: left})
        chips.append({"text": text, "href": href, "on": True, "removable": True})
    return chips + _quick_chips(wanted, facets)


def _quick_chips(wanted: Search, facets: queries.Facets) -> list[dict[str, Any]]:
    soon, online = dict(facets.when).get(When.NEXT_WEEK, 0), dict(facets.modes).get(Mode.ONLINE, 0)
    quick = []
    if soon and not wanted.filters.when:
        href = _address(when=When.NEXT_WEEK.value)
        quick.append({"text": _when_name(When.NEXT_WEEK), "href": href, "count": soon})
    if online and not wanted.filters.modes:
        href = _address(mode=Mode.ONLINE.value)
        quick.append({"text": mode_name(Mode.ONLINE), "href": href, "count": online})
    return quick


def _groups(wanted: Search, facets: queries.Facets) -> list[tuple[Any, ...]]:
    filters = wanted.filters
    return [
        (_("Cara belajar"), "mode", [(m, mode_name(m), n) for m, n in facets.modes], filters.modes, True),
        (_("Bidang"), "category", [(c, c, n) for c, n in facets.categories[:12]], filters.categories, True),
        (
            _("Mulai kapan"),
            "when",
            [(w, _when_name(When(w)), n) for w, n in facets.when],
            [when.value for when in filters.when],
            True,
        ),
    ]


def _sorts() -> list[tuple[str, str]]:
    return [
        (Sort.BEST, _("Paling cocok")),
        (Sort.CHEAPEST, _("Termurah")),
        (Sort.SOONEST, _("Paling cepat mulai")),
        (Sort.RATING, _("Nilai tertinggi")),
    ]


def _when_name(when: When) -> str:
    return {
        When.THIS_WEEK: _("Pekan ini"),
        When.NEXT_WEEK: _("Pekan depan"),
        When.LATER: _("Sesudahnya"),
    }[when]


def mode_name(mode: str | None) -> str:
    """How one learns there, in words; nothing where the catalogue does not say."""
    names = {Mode.ONLINE: _("Daring"), Mode.IN_PERSON: _("Tatap muka"), Mode.HYBRID: _("Campuran")}
    return names[Mode(mode)] if mode else ""


_ICONS: tuple[tuple[str, str, str], ...] = (
    # a word in the category's name, the icon, its tint
    ("digital", "screen", "tarum"),
    ("keuangan", "calculator", "daun"),
    ("usaha", "shop", "kunyit"),
    ("kuliner", "cup", "kunyit"),
    ("busana", "scissors", "bata"),
    ("kerajinan", "scissors", "bata"),
    ("teknik", "tools", "tarum"),
    ("bahasa", "message", "tarum"),
    ("pertanian", "leaf", "daun"),
    ("kesehatan", "heart", "bata"),
    ("kreatif", "palette", "kunyit"),
)


def icon_of(found: Course) -> tuple[str, str]:
    """Icon and tint of a course's category; a book where the category is not one of ours."""
    name = found.category.lower()
    return next(((icon, tint) for word, icon, tint in _ICONS if word in name), ("book", "tarum"))


def facts_of_card(card: CourseCard) -> list[tuple[str, str]]:
    """Way of learning, hours and the next start."""
    facts = _learning_facts(card.course)
    if card.next_run:
        facts.append(("calendar", _start(card.next_run)))
    return facts


def facts_of_course(found: Course) -> list[tuple[str, str]]:
    """Way of learning, hours and level."""
    levels = {"beginner": _("Pemula"), "intermediate": _("Menengah"), "advanced": _("Lanjutan")}
    facts = _learning_facts(found)
    if found.level in levels:
        facts.append(("book", levels[found.level]))
    return facts


def _learning_facts(found: Course) -> list[tuple[str, str]]:
    facts = []
    if found.mode:
        place = (
            found.provider.city
            if found.mode != Mode.ONLINE and found.provider.city
            else mode_name(found.mode)
        )
        facts.append(("screen" if found.mode == Mode.ONLINE else "pin", place))
    if found.hours:
        facts.append(("clock", hours(found.hours)))
    return facts


def _start(run: Run) -> str:
    if run.kind == RunKind.SELF_PACED:
        return _("Mulai kapan saja, sampai %(day)s", day=long_date(run.ends_at, zone()))
    return short_date(run.starts_at, zone())
