"""Working days and periods, by hand-checked dates of 2026 and 2027."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings, strategies
from sqlalchemy.orm import Session

from marketplace.schemes import calendar

WIB = ZoneInfo("Asia/Jakarta")


@pytest.mark.parametrize(
    ("day", "working"),
    [
        (date(2026, 11, 23), True),
        (date(2026, 11, 28), False),  # Saturday
        (date(2026, 11, 29), False),  # Sunday
        (date(2026, 12, 24), False),  # joint leave
        (date(2026, 12, 25), False),
        (date(2026, 12, 28), True),
        (date(2027, 1, 1), False),
    ],
)
def test_weekends_and_holidays_are_not_working_days(session: Session, day: date, working: bool) -> None:
    assert calendar.is_working_day(session, day) is working


@pytest.mark.parametrize(
    ("start", "count", "end"),
    [
        (date(2026, 11, 23), 1, date(2026, 11, 24)),
        (date(2026, 11, 27), 1, date(2026, 11, 30)),  # over a weekend
        (date(2026, 11, 28), 3, date(2026, 12, 2)),  # from a Saturday
        (date(2026, 12, 23), 1, date(2026, 12, 28)),  # over Christmas
        (date(2026, 12, 23), 5, date(2027, 1, 4)),  # and New Year
        (date(2026, 3, 17), 1, date(2026, 3, 25)),  # over Nyepi and Idulfitri
    ],
)
def test_working_days_count_from_the_day_after(session: Session, start: date, count: int, end: date) -> None:
    assert calendar.add_working_days(session, start, count) == end


def test_no_working_days_is_a_mistake(session: Session) -> None:
    with pytest.raises(ValueError, match="from one on"):
        calendar.add_working_days(session, date(2026, 11, 23), 0)


@pytest.mark.parametrize(
    ("notice", "days", "last_day"),
    [
        # 15 days after Monday 23 November are Tuesday 8 December
        (datetime(2026, 11, 23, 10, tzinfo=WIB), 15, date(2026, 12, 8)),
        # the last day, Saturday 5 December, moves to Monday
        (datetime(2026, 11, 20, 10, tzinfo=WIB), 15, date(2026, 12, 7)),
        # 25 December is a holiday, 26 and 27 a weekend
        (datetime(2026, 12, 10, 23, 59, 59, tzinfo=WIB), 15, date(2026, 12, 28)),
        # one minute after midnight in Jakarta is still the day before in UTC
        (datetime(2026, 11, 24, 0, 1, tzinfo=WIB), 1, date(2026, 11, 25)),
    ],
)
def test_a_period_ends_with_its_last_day(
    session: Session, notice: datetime, days: int, last_day: date
) -> None:
    end = calendar.end_of_period(session, notice, days).astimezone(WIB)
    assert end == datetime.combine(last_day, datetime.max.time(), WIB).replace(microsecond=0)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    notice=strategies.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 1)),  # noqa: DTZ001 - the zone is added
    days=strategies.integers(0, 60),
)
def test_a_period_is_never_too_short_and_ends_on_a_working_day(
    session: Session, notice: datetime, days: int
) -> None:
    told = notice.replace(tzinfo=WIB)
    end = calendar.end_of_period(session, told, days).astimezone(WIB)
    assert end.date() >= told.date() + timedelta(days=days)
    assert calendar.is_working_day(session, end.date())
    between = (end.date() - told.date()).days - days
    skipped = [told.date() + timedelta(days=days + ahead) for ahead in range(between)]
    assert not any(calendar.is_working_day(session, day) for day in skipped)
