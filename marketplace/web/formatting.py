"""How Bekal writes money, numbers, dates and times, in Indonesian and in English.

Money looks the same in both languages, `Rp3.500.000`, as on the receipt and in the bank's messages: a reader
who compares the two must not meet two ways to group digits. Dates are exact; times are in the zone of whoever
reads, and say which. Every function is also a template filter of the same name (see `install`). Rule: "Words"
of the look.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date
from babel.numbers import format_decimal
from flask import Flask, current_app, g, has_app_context, has_request_context
from flask_babel import get_locale

from marketplace.web.assets import asset_url
from marketplace.web.rich_text import rich

WIB = "Asia/Jakarta"
ZONE_NAMES = {WIB: "WIB", "Asia/Makassar": "WITA", "Asia/Jayapura": "WIT"}
READERS_ZONE = "bekal.readers_zone"
"""The extension that knows the zone of whoever sent this request: the shell's."""

MINUS = "−"
"""U+2212, as wide as the plus."""

_Number = int | Decimal


def language() -> str:
    """The reader's language, "id" or "en"; Indonesian outside of a request."""
    locale = get_locale() if has_app_context() else None
    return "en" if locale is not None and locale.language == "en" else "id"


def here() -> str:
    """The zone of whoever reads: it stands in wherever none is given. WIB outside of a request, unless
    a job has said for whom it writes (`writing_for`)."""
    if not has_app_context():
        return WIB
    if "zone" not in g:
        ask: Callable[[], str] | None = current_app.extensions.get(READERS_ZONE)
        g.zone = ask() if ask and has_request_context() else WIB
    zone: str = g.zone
    return zone


@contextmanager
def writing_for(zone: str) -> Iterator[None]:
    """Write every time in this zone meanwhile: a job has no reader in front of it."""
    before = here()
    g.zone = zone
    try:
        yield
    finally:
        g.zone = before


# ---- money and numbers ----


def rupiah(amount: _Number) -> str:
    """`Rp3.500.000`; negative `−Rp600.000`. Raises ValueError for sen: money on pages is whole rupiah."""
    return (MINUS if amount < 0 else "") + "Rp" + _grouped(amount)


def signed_rupiah(amount: _Number) -> str:
    """`+Rp1.200.000` or `−Rp600.000`, for movements; nothing moved is `Rp0`."""
    return ("+" if amount > 0 else "") + rupiah(amount)


def _grouped(amount: _Number) -> str:
    whole = int(amount)
    if whole != amount:
        raise ValueError(f"not whole rupiah: {amount}")
    return f"{abs(whole):,}".replace(",", ".")


def percent(value: float | Decimal) -> str:
    """`82%` from 82, rounded half to even."""
    return f"{Decimal(str(value)).quantize(Decimal(1), ROUND_HALF_EVEN)}%"


_INDONESIAN_MARKS = str.maketrans(",.", ".,")


def decimal(value: float | Decimal, places: int = 1) -> str:
    """`4,7` in Indonesian, `4.7` in English."""
    return _written(Decimal(str(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN))


def number(value: int) -> str:
    """`1.284` in Indonesian, `1,284` in English."""
    return _written(value)


def _written(value: _Number) -> str:
    """As Babel writes it in both languages, in a twentieth of its time: there are dozens on a page."""
    written = f"{value:,}"
    return written if language() == "en" else written.translate(_INDONESIAN_MARKS)


# ---- dates ----


def local(moment_: datetime, zone: str | None = None) -> datetime:
    """An aware instant on the clock of a zone. Raises ValueError for a naive one."""
    if moment_.tzinfo is None:
        raise ValueError("a time without zone cannot be shown")
    return moment_.astimezone(ZoneInfo(zone or here()))


def _day(value: date | datetime, zone: str | None) -> date:
    return local(value, zone).date() if isinstance(value, datetime) else value


def _pattern(value: date, pattern: str) -> str:
    return format_date(value, pattern, locale=language())


def long_date(value: date | datetime, zone: str | None = None) -> str:
    """`23 November 2026`."""
    return _pattern(_day(value, zone), "d MMMM y")


def short_date(value: date | datetime, zone: str | None = None) -> str:
    """`23 Nov`."""
    return _pattern(_day(value, zone), "d MMM")


def weekday_date(value: date | datetime, zone: str | None = None, year: bool = True) -> str:
    """`Senin 23 November 2026`; without year `Senin 23 November`."""
    return _pattern(_day(value, zone), "EEEE d MMMM y" if year else "EEEE d MMMM")


def weekday(value: date | datetime, zone: str | None = None) -> str:
    """`Senin`."""
    return _pattern(_day(value, zone), "EEEE")


def month(value: date | datetime, zone: str | None = None) -> str:
    """`November 2026`, the heading over a month's history."""
    return _pattern(_day(value, zone), "MMMM y")


def date_range(
    first: date | datetime, last: date | datetime, zone: str | None = None, year: bool = True
) -> str:
    """`1–10 Desember 2026`, `28 November–13 Desember 2026`; a single day is written once."""
    return _range(_day(first, zone), _day(last, zone), "MMMM", year)


def short_date_range(first: date | datetime, last: date | datetime, zone: str | None = None) -> str:
    """`1–10 Des`, `26 Okt–20 Nov`; years only where they differ."""
    return _range(_day(first, zone), _day(last, zone), "MMM", False)


def _range(first: date, last: date, month_form: str, year: bool) -> str:
    end = f"d {month_form} y" if year or first.year != last.year else f"d {month_form}"
    if first == last:
        return _pattern(last, end)
    same_month = (first.year, first.month) == (last.year, last.month)
    start = "d" if same_month else f"d {month_form}" if first.year == last.year else end
    return f"{_pattern(first, start)}–{_pattern(last, end)}"


_NEAR = {
    "id": {-1: "kemarin", 0: "hari ini", 1: "besok", 2: "lusa"},
    "en": {-1: "yesterday", 0: "today", 1: "tomorrow"},
}


def relative_day(value: date, today: date) -> str:
    """`kemarin`, `hari ini`, `besok`, `lusa`, a weekday within the week to come, else the exact date."""
    distance = (value - today).days
    near = _NEAR[language()].get(distance)
    if near:
        return near
    if 0 < distance < 7:
        return weekday(value)
    return long_date(value) if value.year != today.year else _pattern(value, "d MMMM")


def days_left(until: date, today: date) -> str:
    """`22 hari lagi`; on the day itself `hari ini`; afterwards `sudah lewat`."""
    days = (until - today).days
    if language() == "en":
        return "past" if days < 0 else "today" if days == 0 else f"{_plural(days, 'day')} left"
    return "sudah lewat" if days < 0 else "hari ini" if days == 0 else f"{days} hari lagi"


# ---- times ----


def _clock(value: datetime | time, seconds: bool = False) -> str:
    mark = "." if language() == "id" else ":"
    return value.strftime(f"%H{mark}%M{mark}%S" if seconds else f"%H{mark}%M")


def clock_time(value: datetime, zone: str | None = None) -> str:
    """`14.30` (English `14:30`), where a column or a line names the zone."""
    return _clock(local(value, zone))


def time_of_day(value: datetime, zone: str | None = None) -> str:
    """`pukul 14.30 WIB`; English `14:30 WIB`."""
    written = f"{_clock(local(value, zone))} {zone_name(zone)}"
    return written if language() == "en" else f"pukul {written}"


def time_range(first: datetime, last: datetime, zone: str | None = None) -> str:
    """`09.00–12.00 WIB`."""
    return f"{_clock(local(first, zone))}–{_clock(local(last, zone))} {zone_name(zone)}"


def moment(value: datetime, zone: str | None = None) -> str:
    """`23 November 2026 pukul 14.30 WIB`; English `23 November 2026 at 14:30 WIB`."""
    at = "at " if language() == "en" else ""
    return f"{long_date(value, zone)} {at}{time_of_day(value, zone)}"


def exact_moment(value: datetime, zone: str | None = None) -> str:
    """`20 November 2026, 17.02.41 WIB`, for the books."""
    return f"{long_date(value, zone)}, {_clock(local(value, zone), seconds=True)} {zone_name(zone)}"


def stamp(value: datetime, zone: str | None = None) -> str:
    """`18 Nov, 19.42`, for rows under a heading with month and year."""
    return f"{short_date(value, zone)}, {_clock(local(value, zone))}"


def zone_name(zone: str | None = None) -> str:
    """WIB, WITA or WIT. Raises KeyError for a zone that Indonesia does not have."""
    return ZONE_NAMES[zone or here()]


def greeting(value: datetime, zone: str | None = None) -> str:
    """`Selamat siang`, by the hour of the place."""
    hour = local(value, zone).hour
    if language() == "en":
        return "Good morning" if hour < 12 else "Good afternoon" if hour < 18 else "Good evening"
    part = (
        "pagi" if 3 <= hour < 11 else "siang" if 11 <= hour < 15 else "sore" if 15 <= hour < 18 else "malam"
    )
    return f"Selamat {part}"


# ---- lengths ----


def duration(length: timedelta) -> str:
    """The largest unit that is full: `10 hari`, `3 jam`, `25 menit`; English `10 days`."""
    minutes = int(length.total_seconds()) // 60
    for size, indonesian, english in ((1440, "hari", "day"), (60, "jam", "hour")):
        if minutes >= size:
            full = minutes // size
            return _plural(full, english) if language() == "en" else f"{full} {indonesian}"
    return _plural(minutes, "minute") if language() == "en" else f"{minutes} menit"


def hours(length: _Number) -> str:
    """`24 jam`, a course's length; half hours as `1,5 jam`."""
    written = _written(length) if isinstance(length, int) else format_decimal(length, locale=language())
    if language() == "en":
        return f"{written} hour" if length == 1 else f"{written} hours"
    return f"{written} jam"


def _plural(amount: int, unit: str) -> str:
    return f"{amount} {unit}" if amount == 1 else f"{amount} {unit}s"


FILTERS: tuple[Callable[..., Any], ...] = (
    rupiah, signed_rupiah, percent, decimal, number, local, long_date, short_date, weekday_date, weekday,
    month, date_range, short_date_range, relative_day, days_left, clock_time, time_of_day, time_range, moment,
    exact_moment, stamp, zone_name, greeting, duration, hours,
)  # fmt: skip


def install(app: Flask) -> None:
    """Give templates every function above as a filter, `rich`, and `asset_url` for files under static."""
    for function in FILTERS:
        app.jinja_env.filters[function.__name__] = function
    app.jinja_env.filters["rich"] = rich
    app.jinja_env.globals["asset_url"] = asset_url
