"""A search as its address says it, and the address of a search."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from flask import url_for
from werkzeug.datastructures import MultiDict

from marketplace.catalogue.models import Mode
from marketplace.catalogue.queries import Band, Filters, Rating, Sort, When
from marketplace.web.regions import PROVINCES

_LONGEST_TEXT, _LONGEST_VALUE, _MOST_VALUES = 100, 200, 40

MOST_COMPARED = 3

Value = str | list[str] | None
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Search:
    """A search; `fits` is on unless the reader took it away, `exact` when no word is to be corrected.
    `compared` are ids of courses for which the reader looks for company; `all_categories` when the panel
    is to name every one."""

    filters: Filters
    fits: bool
    exact: bool
    balance: Decimal | None
    compared: tuple[str, ...] = ()
    all_categories: bool = False

    @property
    def active(self) -> int:
        """How many filters besides the balance are on."""
        return sum(len(value) for value in self.chosen.values())

    @property
    def chosen(self) -> dict[str, list[str]]:
        """What is chosen in each group, as the address says it."""
        filters = self.filters
        return {
            "category": list(filters.categories),
            "mode": list(filters.modes),
            "when": [each.value for each in filters.when],
            "province": list(filters.provinces),
            "price": [each.value for each in filters.bands],
            "rating": [each.value for each in filters.ratings],
            "provider": list(filters.providers),
            "seats": ["open"] if filters.with_seats else [],
        }

    def address(self, **changes: Value) -> str:
        """This search's address with some parts changed; any change starts from the first page."""
        args: dict[str, Value] = {
            "q": self.filters.text,
            **self.chosen,
            "sort": None if self.filters.sort is Sort.BEST else self.filters.sort.value,
            "all": "1" if self.balance is not None and not self.fits else None,
            "exact": "1" if self.exact else None,
            "k": list(self.compared),
            **changes,
        }
        given: dict[str, Any] = {name: value for name, value in args.items() if value}
        return url_for("catalogue.search", **given)

    def address_without(self, group: str, value: str) -> str:
        """This search's address with one choice taken away."""
        return self.address(**{group: [each for each in self.chosen[group] if each != value]})


def read_search(args: MultiDict[str, str], balance: Decimal | None, least_hours: int | None = None) -> Search:
    """A search from an address. Words that mean nothing are left out, never an error.

    `balance` and `least_hours` are what the reader can pay, and from which length on their scheme does.
    """
    fits = balance is not None and args.get("all") != "1"
    sort = args.get("sort", "")
    filters = Filters(
        text=args.get("q", "").replace("\x00", "").strip()[:_LONGEST_TEXT],
        categories=_values(args, "category", _plain),
        modes=_values(args, "mode", Mode),
        when=_values(args, "when", When),
        provinces=_values(args, "province", _province),
        bands=_values(args, "price", Band),
        ratings=_values(args, "rating", Rating),
        providers=_values(args, "provider", _plain),
        with_seats=args.get("seats") == "open",
        max_price=balance if fits else None,
        least_hours=least_hours if fits else None,
        sort=Sort(sort) if sort in set(Sort) else Sort.BEST,
        cursor=args.get("cursor") or None,
    )
    compared = tuple(str(each) for each in _values(args, "k", UUID)[:MOST_COMPARED])
    everything = args.get("more") == "category"
    return Search(filters, fits, args.get("exact") == "1", balance, compared, everything)


def _values(args: MultiDict[str, str], name: str, read: Callable[[str], T]) -> tuple[T, ...]:
    return tuple(_readable(args.getlist(name)[:_MOST_VALUES], read))


def _readable(words: Iterable[str], read: Callable[[str], T]) -> Iterable[T]:
    for word in dict.fromkeys(words):
        try:
            yield read(word)
        except ValueError:
            continue  # it means nothing, as much as an unknown name does


def _plain(word: str) -> str:
    if not word or not word.isprintable() or len(word) > _LONGEST_VALUE:
        raise ValueError("no name of anything")
    return word


def _province(word: str) -> str:
    if word not in PROVINCES:
        raise ValueError("no province")
    return word
