"""Money, dates and times as the look writes them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from babel.numbers import format_decimal
from flask import Flask
from flask_babel import Babel, force_locale

from marketplace.web import formatting as write

AT = datetime(2026, 11, 23, 7, 30, 5, tzinfo=UTC)
"""14.30 in Jakarta."""


@contextmanager
def english() -> Iterator[None]:
    app = Flask(__name__)
    Babel(app, default_locale="id")
    with app.test_request_context(), force_locale("en"):
        yield


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        (Decimal(3500000), "Rp3.500.000"),
        (Decimal("750000.00"), "Rp750.000"),
        (Decimal(-600000), "−Rp600.000"),
        (Decimal(0), "Rp0"),
        (186450000, "Rp186.450.000"),
    ],
)
def test_money_is_grouped_by_points_and_never_abbreviated(amount: Decimal, written: str) -> None:
    assert write.rupiah(amount) == written


def test_movements_carry_their_sign() -> None:
    assert write.signed_rupiah(Decimal(1200000)) == "+Rp1.200.000"
    assert write.signed_rupiah(Decimal(-600000)) == "−Rp600.000"
    assert write.signed_rupiah(Decimal(0)) == "Rp0"


@pytest.mark.parametrize("amount", [Decimal("0.5"), Decimal("750000.01"), Decimal("-0.01")])
def test_sen_are_refused_and_not_rounded_away(amount: Decimal) -> None:
    with pytest.raises(ValueError, match="whole rupiah"):
        write.rupiah(amount)


def test_money_is_written_the_same_in_english() -> None:
    with english():
        assert write.rupiah(Decimal(3500000)) == "Rp3.500.000"


def test_numbers_follow_the_language() -> None:
    assert (write.number(1284), write.decimal(Decimal("4.72")), write.percent(82)) == ("1.284", "4,7", "82%")
    with english():
        assert (write.number(1284), write.decimal(4.72)) == ("1,284", "4.7")


def test_numbers_are_written_as_babel_writes_them() -> None:
    for number in (0, -7, 999, 1000, -1234, 1_234_567_890):
        assert write.number(number) == format_decimal(number, locale="id")
        for value in (Decimal(number) / 100, number + 0.05):
            assert write.decimal(value, 2) == format_decimal(value, "#,##0.00", locale="id")
        with english():
            assert write.number(number) == format_decimal(number, locale="en")


def test_dates_are_exact() -> None:
    day = date(2026, 11, 23)
    assert write.long_date(day) == "23 November 2026"
    assert write.short_date(day) == "23 Nov"
    assert write.weekday_date(day) == "Senin 23 November 2026"
    assert write.weekday_date(day, year=False) == "Senin 23 November"
    assert write.month(day) == "November 2026"


def test_times_carry_the_zone_of_their_place() -> None:
    assert write.time_of_day(AT) == "pukul 14.30 WIB"
    assert write.time_of_day(AT, "Asia/Makassar") == "pukul 15.30 WITA"
    assert write.time_of_day(AT, "Asia/Jayapura") == "pukul 16.30 WIT"
    assert write.moment(AT) == "23 November 2026 pukul 14.30 WIB"
    assert write.exact_moment(AT) == "23 November 2026, 14.30.05 WIB"
    assert write.stamp(AT) == "23 Nov, 14.30"


def test_the_day_is_the_day_of_the_place() -> None:
    late = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)
    assert write.long_date(late) == "23 November 2026"
    assert write.long_date(late, "Asia/Jayapura") == "24 November 2026"


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="without zone"):
        write.moment(datetime(2026, 11, 23, 14, 30))  # noqa: DTZ001  # the fault under test


def test_a_zone_outside_indonesia_is_refused() -> None:
    with pytest.raises(KeyError):
        write.time_of_day(AT, "Europe/London")


def test_a_class_is_written_with_its_hours() -> None:
    assert write.time_range(AT, AT + timedelta(hours=3)) == "14.30–17.30 WIB"


@pytest.mark.parametrize(
    ("first", "last", "written"),
    [
        (date(2026, 12, 1), date(2026, 12, 10), "1–10 Desember 2026"),
        (date(2026, 11, 28), date(2026, 12, 13), "28 November–13 Desember 2026"),
        (date(2026, 12, 28), date(2027, 1, 8), "28 Desember 2026–8 Januari 2027"),
        (date(2026, 12, 1), date(2026, 12, 1), "1 Desember 2026"),
    ],
)
def test_ranges_name_each_month_and_year_once(first: date, last: date, written: str) -> None:
    assert write.date_range(first, last) == written


def test_short_ranges_leave_the_year_out_unless_it_changes() -> None:
    assert write.short_date_range(date(2026, 10, 26), date(2026, 11, 20)) == "26 Okt–20 Nov"
    assert write.short_date_range(date(2026, 12, 1), date(2026, 12, 10)) == "1–10 Des"
    assert write.short_date_range(date(2026, 12, 28), date(2027, 1, 8)) == "28 Des 2026–8 Jan 2027"
    assert write.date_range(date(2026, 12, 1), date(2027, 12, 10), year=False).endswith("10 Desember 2027")


@pytest.mark.parametrize(
    ("distance", "written"),
    [
        (-1, "kemarin"), (0, "hari ini"), (1, "besok"), (2, "lusa"), (3, "Kamis"),
        (7, "30 November"), (-2, "21 November"), (60, "22 Januari 2027"),
    ],
)  # fmt: skip
def test_near_days_have_names_and_far_ones_dates(distance: int, written: str) -> None:
    today = date(2026, 11, 23)
    assert write.relative_day(today + timedelta(days=distance), today) == written


def test_deadlines_count_whole_days() -> None:
    today = date(2026, 11, 23)
    assert write.days_left(date(2026, 12, 15), today) == "22 hari lagi"
    assert write.days_left(today, today) == "hari ini"
    assert write.days_left(date(2026, 11, 22), today) == "sudah lewat"


@pytest.mark.parametrize(
    ("hour", "written"),
    [(1, "malam"), (7, "pagi"), (11, "siang"), (15, "sore"), (18, "malam")],
)
def test_the_greeting_follows_the_hour_of_the_place(hour: int, written: str) -> None:
    at = datetime(2026, 11, 23, hour, tzinfo=UTC) - timedelta(hours=7)
    assert write.greeting(at) == f"Selamat {written}"


def test_lengths_use_their_largest_full_unit() -> None:
    assert write.duration(timedelta(days=10, hours=5)) == "10 hari"
    assert write.duration(timedelta(hours=3, minutes=20)) == "3 jam"
    assert write.duration(timedelta(minutes=25)) == "25 menit"
    assert write.hours(24) == "24 jam"
    assert write.hours(Decimal("1.5")) == "1,5 jam"


def test_english_says_the_same() -> None:
    today = date(2026, 11, 23)
    with english():
        assert write.moment(AT) == "23 November 2026 at 14:30 WIB"
        assert write.weekday_date(today) == "Monday 23 November 2026"
        assert write.date_range(date(2026, 12, 1), date(2026, 12, 10)) == "1–10 December 2026"
        assert write.relative_day(date(2026, 11, 24), today) == "tomorrow"
        assert write.relative_day(date(2026, 11, 25), today) == "Wednesday"
        assert write.days_left(date(2026, 11, 24), today) == "1 day left"
        assert write.duration(timedelta(days=1)) == "1 day"
        assert write.hours(1) == "1 hour"
        assert write.greeting(AT) == "Good afternoon"
