"""The search page."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from flask import redirect, render_template, request, session
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import clock, db
from marketplace.catalogue import queries
from marketplace.catalogue.errors import CursorInvalid
from marketplace.catalogue.queries import Correction, CourseCard, Facets, Filters, Page, Sort
from marketplace.schemes.models import Scheme
from marketplace.web.catalogue import choices
from marketplace.web.catalogue.address import Search, read_search
from marketplace.web.catalogue.blueprint import (
    balance_of_reader,
    pages,
    scheme_of_reader,
    too_short_for,
)
from marketplace.web.catalogue.labels import facts_of_card, icon_of, sorts
from marketplace.web.compression import Packed, pack, send
from marketplace.web.identity import current_user
from marketplace.web.kept import Kept, kept
from marketplace.web.language import current_language
from marketplace.web.notices import announcements
from marketplace.web.shared_pages import shared_pages

_DEARER = 3
_DEARER_BY = Decimal("1.5")
"""Courses up to half above the balance are shown apart: worth knowing, not worth hiding the others for."""

_MOST_PAGES, _MOST_COUNTS = 500, 500
_PAGES, _COUNTS = "bekal.catalogue_pages", "bekal.catalogue_counts"
_OFFSET, _ON_SALE = "bekal.programme_offset", "bekal.catalogue_version"


@dataclass(frozen=True, slots=True)
class Found:
    """What a search gave; `meant` differs from what was asked where a word had to be corrected."""

    meant: Search
    page: Page
    correction: Correction | None


@pages.get("/kursus")
def search() -> str | Response:
    """Search and filters. Strangers all see the same page, so theirs is kept for a while."""
    is_personal = current_user() is not None or "_flashes" in session
    try:
        return _answer() if is_personal else _kept_answer()
    except CursorInvalid:
        return redirect(_read(db.session(), None).address())


def _kept_answer() -> Response:
    """The page as bytes: an answer with its headers, cookies among them, is never anybody else's.

    This process has it, or another has made it, or it is made.
    """
    own: Kept[Packed] = kept(_PAGES, _MOST_PAGES)
    if not own.seconds:
        return send(pack(_answer()))
    shared = shared_pages()
    name = shared.name_of(current_language(), request.full_path, *_besides_the_search())
    return send(own.get(name, lambda: shared.get(name, lambda: pack(_answer()))))


def _besides_the_search() -> tuple[object, ...]:
    """What else a stranger's page tells, as old as this process lets it become: what is announced, what is on
    sale, how many seconds programme time was moved. No page outlives a change of it, wherever it is kept."""
    on_sale: Kept[tuple[object, ...]] = kept(_ON_SALE, 1)
    offset: Kept[int] = kept(_OFFSET, 1)
    seconds = offset.get("", lambda: round(clock.offset(db.session()).total_seconds()))
    return seconds, on_sale.get("", lambda: queries.version_on_sale(db.session())), announcements("public")


def _answer() -> str:
    """Raises CursorInvalid."""
    current = db.session()
    scheme = scheme_of_reader(current)
    wanted = _read(current, scheme)
    now = clock.now(current)
    return _show(current, wanted, _find(current, wanted, now), now, scheme)


def _read(current: Session, scheme: Scheme | None) -> Search:
    return read_search(request.args, balance_of_reader(current), scheme.shortest_hours if scheme else None)


def _find(current: Session, wanted: Search, now: datetime) -> Found:
    """The page that was asked for or, where nobody's course has the words, the one that was meant."""
    page = queries.search(current, wanted.filters, now)
    if page.cards or wanted.filters.cursor:
        return Found(wanted, page, None)
    other = queries.corrected(current, wanted.filters)
    if other is None or wanted.exact:
        return Found(wanted, page, other[1] if other else None)
    meant = replace(wanted, filters=other[0])
    return Found(meant, queries.search(current, meant.filters, now), other[1])


def _show(current: Session, wanted: Search, found: Found, now: datetime, scheme: Scheme | None) -> str:
    meant, page = found.meant, found.page
    facets = _count(current, meant.filters, now)
    payable = Filters(max_price=meant.filters.max_price, least_hours=meant.filters.least_hours)
    anything = _count(current, payable, now) if not page.cards else None
    return render_template(
        "public/catalogue.html",
        search=wanted,
        meant=meant,
        page=page,
        total=max(facets.total, len(page.cards)),
        correction=found.correction,
        groups=choices.groups(meant, facets),
        chips=choices.chips(meant, facets, _fitting(current, meant, now, scheme)),
        ways_out=choices.ways_out(meant, facets, anything) if anything else [],
        popular=choices.popular(anything, meant) if anything else [],
        sorts=sorts(),
        dearer=_dearer(current, meant, now),
        next_href=meant.address(cursor=page.next_cursor) if page.next_cursor else None,
        icon_of=icon_of,
        facts_of=facts_of_card,
        too_short=too_short_for(scheme),
    )


def _count(current: Session, filters: Filters, now: datetime) -> Facets:
    """The counts beside the results, which may be as old as a stranger's page."""
    alike = replace(filters, cursor=None, sort=Sort.BEST)
    counts: Kept[Facets] = kept(_COUNTS, _MOST_COUNTS)
    return counts.get(alike, lambda: queries.facets(current, alike, now))


def _fitting(current: Session, wanted: Search, now: datetime, scheme: Scheme | None) -> int | None:
    """How many courses the balance would leave, where a participant looks beyond it."""
    if wanted.balance is None or wanted.fits:
        return None
    least = scheme.shortest_hours if scheme else None
    return _count(current, replace(wanted.filters, max_price=wanted.balance, least_hours=least), now).total


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
