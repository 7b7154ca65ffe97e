"""The chips above a search and the panel beside it: what is on, and what each further choice would leave."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from marketplace.catalogue.models import Mode
from marketplace.catalogue.queries import Band, Choice, Facets, Rating, When
from marketplace.web.catalogue.address import Search
from marketplace.web.catalogue.labels import band_name, mode_name, rating_name, when_name
from marketplace.web.formatting import number
from marketplace.web.regions import PROVINCES

_CATEGORIES, _POPULAR, _ALL = 12, 6, 1000


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter as a link; `on` means that its link takes it away."""

    text: str
    href: str
    on: bool = False
    removable: bool = False
    count: str | None = None


def label_of(group: str, value: str, facets: Facets) -> str:
    """One choice in words."""
    if group == "provider":
        return next((each.label for each in facets.providers if each.value == value), value)
    names: dict[str, Callable[[str], str]] = {
        "mode": mode_name,
        "when": lambda word: when_name(When(word)),
        "price": lambda word: band_name(Band(word)),
        "rating": lambda word: rating_name(Rating(word)),
        "province": PROVINCES.__getitem__,
        "seats": lambda word: _("Masih ada kursi"),
    }
    return names[group](value) if group in names else value


def chips(wanted: Search, facets: Facets, fitting: int | None = None) -> list[Chip]:
    """What is on, each with its way off, then the quick filters that would still find something.

    `fitting` is how many courses the reader's balance would leave, where it is off.
    """
    shown = []
    if wanted.balance is not None:
        href = wanted.address(all="1") if wanted.fits else wanted.address(all=None)
        count = None if fitting is None else number(fitting)
        shown.append(Chip(_("Saldo saya cukup"), href, on=wanted.fits, count=count))
    for group, values in wanted.chosen.items():
        for value in values:
            text, href = label_of(group, value, facets), wanted.address_without(group, value)
            shown.append(Chip(text, href, on=True, removable=True))
    return shown + _quick(wanted, facets)


def _quick(wanted: Search, facets: Facets) -> list[Chip]:
    offered = (("when", When.NEXT_WEEK.value, facets.when), ("mode", Mode.ONLINE.value, facets.modes))
    quick = []
    for group, value, choices in offered:
        count = next((each.count for each in choices if each.value == value), 0)
        if count and not wanted.chosen[group]:
            href = wanted.address(**{group: value})
            quick.append(Chip(label_of(group, value, facets), href, count=number(count)))
    return quick


def groups(wanted: Search, facets: Facets) -> list[tuple[Any, ...]]:
    """The panel, as filter_panel takes it. The long groups are open only while something in them is on.

    An imported catalogue names categories by the hundred, so that the rest of them has to be asked for.
    """
    seats = [Choice("open", facets.with_seats)] if facets.with_seats else []
    provinces = sorted(facets.provinces, key=lambda each: PROVINCES.get(each.value, each.value))
    most = len(facets.categories) if wanted.all_categories else _CATEGORIES
    listed: list[tuple[str, str, Sequence[Choice], bool, int]] = [
        (_("Cara belajar"), "mode", facets.modes, True, _ALL),
        (_("Bidang"), "category", facets.categories, True, most),
        (_("Mulai kapan"), "when", facets.when, True, _ALL),
        (_("Provinsi lembaga"), "province", provinces, False, _ALL),
        (_("Harga"), "price", facets.bands, False, _ALL),
        (_("Nilai"), "rating", facets.ratings, False, _ALL),
        (_("Lembaga"), "provider", facets.providers, False, _ALL),
        (_("Kursi"), "seats", seats, False, _ALL),
    ]
    return [
        (title, group, items, wanted.chosen[group], is_open, _hidden(choices, items))
        for title, group, choices, always, most in listed
        if (is_open := always or bool(wanted.chosen[group])) or choices
        for items in [_items(wanted, facets, group, choices, most)]
    ]


def _items(
    wanted: Search, facets: Facets, group: str, choices: Sequence[Choice], most: int
) -> list[tuple[str, str, int]]:
    """What may be ticked; what is ticked already stays, also when it leaves nothing."""
    counts = {each.value: each.count for each in choices}
    values = dict.fromkeys([*list(counts)[:most], *wanted.chosen[group]])
    return [(value, label_of(group, value, facets), counts.get(value, 0)) for value in values]


def _hidden(choices: Sequence[Choice], items: Sequence[tuple[str, str, int]]) -> int:
    return len({each.value for each in choices} - {value for value, *_ in items})


@dataclass(frozen=True, slots=True)
class WayOut:
    """What to drop from a search that found nothing, and how many courses that gives."""

    text: str
    href: str
    count: int


def ways_out(wanted: Search, facets: Facets, anything: Facets) -> list[WayOut]:
    """For each group, and for the text, what would be found without it; nothing that leaves nothing."""
    found = []
    for group, values in wanted.chosen.items():
        if values:
            text = _("Tanpa “%(filter)s”", filter=", ".join(label_of(group, each, facets) for each in values))
            found.append(WayOut(text, wanted.address(**{group: None}), facets.without.get(group, 0)))
    if wanted.fits:
        href = wanted.address(all="1")
        found.append(WayOut(_("Juga di luar saldo atau bantuan saya"), href, facets.without.get("fits", 0)))
    if wanted.filters.text:
        text = _("Tanpa kata “%(words)s”", words=wanted.filters.text)
        found.append(WayOut(text, wanted.address(q=None, exact=None), anything.total))
    return [each for each in found if each.count]


def popular(facets: Facets, wanted: Search) -> list[Chip]:
    """The categories with most courses, as links that start a new search."""
    href = {each.value: wanted.address(q=None, exact=None, category=each.value) for each in facets.categories}
    return [
        Chip(each.value, href[each.value], count=number(each.count)) for each in facets.categories[:_POPULAR]
    ]
