"""Working days and periods, by the programme's calendar in Asia/Jakarta.

A period counts from the day after the notice and ends at 23:59:59 of its last day, moved forward
when that is not a working day. Working days skip weekends and the holiday table.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.schemes.models import Holiday

_SATURDAY = 5
_SLACK_DAYS = 40  # more than the longest row of days off


def is_working_day(session: Session, day: date) -> bool:
    """Neither a weekend nor a holiday."""
    return not _is_weekend(day) and session.get(Holiday, day) is None


def add_working_days(session: Session, day: date, count: int) -> date:
    """The `count`-th working day after a day, which itself does not count. Zero or less is a mistake."""
    if count < 1:
        raise ValueError("count working days from one on")
    for candidate in _working_days_from(session, day + timedelta(days=1), count * 2 + _SLACK_DAYS):
        count -= 1
        if count == 0:
            return candidate
    raise AssertionError("unreachable: the slack covers any row of days off")


def working_days(session: Session, first: date, span: int) -> list[date]:
    """The working days among `span` days from `first` on, in one query."""
    return list(_working_days_from(session, first, span))


def end_of_working_days(session: Session, notice: datetime, count: int) -> datetime:
    """The last instant of the `count`-th working day after a notice."""
    return clock.end_of_day(add_working_days(session, clock.local_date(notice), count))


def end_of_period(session: Session, notice: datetime, days: int) -> datetime:
    """The last instant of a period of calendar days after a notice; it ends on a working day."""
    last = clock.local_date(notice) + timedelta(days=days)
    return clock.end_of_day(next(_working_days_from(session, last, _SLACK_DAYS)))


def _working_days_from(session: Session, first: date, span: int) -> Iterator[date]:
    """The working days among `span` days from `first` on; the holidays are read once."""
    days = [first + timedelta(days=ahead) for ahead in range(span)]
    holidays = set(session.scalars(select(Holiday.day).where(Holiday.day.between(days[0], days[-1]))))
    return (day for day in days if not _is_weekend(day) and day not in holidays)


def _is_weekend(day: date) -> bool:
    return day.weekday() >= _SATURDAY
