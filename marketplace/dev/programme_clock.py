"""Let weeks pass: moves programme time, which only the database's owner may do."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import psycopg
from sqlalchemy import make_url

from marketplace.dev.errors import DevelopmentError

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_PART = re.compile(r"(\d{1,5})([mhdw])")


def parse_duration(words: str) -> timedelta:
    """`10d`, `3h`, `1w2d`: minutes, hours, days, weeks. Raises DevelopmentError for anything else."""
    if not words or _PART.sub("", words):
        raise DevelopmentError(f"{words!r} is no duration; write 10d, 3h, 90m, 2w or 1w2d12h")
    return sum(
        (timedelta(**{_UNITS[unit]: int(number)}) for number, unit in _PART.findall(words)), timedelta()
    )


def read(owner_url: str) -> datetime:
    """Programme time as the database has it."""
    return _execute(owner_url, "SELECT ledger.now()")


def advance(owner_url: str, by: timedelta) -> datetime:
    """Move programme time forward. Returns the new time. Time never goes back: books know an order."""
    return _execute(
        owner_url,
        'UPDATE ledger.programme_clock SET "offset" = "offset" + %s RETURNING clock_timestamp() + "offset"',
        by,
    )


@contextmanager
def steering(owner_url: str) -> Iterator[Callable[[timedelta], None]]:
    """A function that sets how far programme time is from the wall, backwards too.

    For making a past by the product's own services before anybody uses an installation. However the
    block ends, programme time is the wall's again.
    """
    with psycopg.connect(_plain(owner_url), autocommit=True) as connection:

        def set_offset(offset: timedelta) -> None:
            connection.execute('UPDATE ledger.programme_clock SET "offset" = %s', [offset])

        try:
            yield set_offset
        finally:
            set_offset(timedelta())


def _execute(owner_url: str, statement: str, *parameters: timedelta) -> datetime:
    if not owner_url:
        raise DevelopmentError("DATABASE_OWNER_URL names no database: only its owner can move programme time")
    with psycopg.connect(_plain(owner_url)) as connection:
        try:
            row = connection.execute(statement, parameters).fetchone()
        except psycopg.DataError as error:
            raise DevelopmentError("programme time ends with the year 9999") from error
    if row is None:
        raise DevelopmentError("the programme clock has no row: run the migrations")
    instant: datetime = row[0]
    return instant


def _plain(url: str) -> str:
    """A SQLAlchemy address as psycopg itself understands it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
