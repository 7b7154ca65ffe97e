"""What the demonstration looks up beside the pages: SQL, read only, as the application's role.

A visitor finds a course by searching; a demonstration must find out when a job of the worker is done.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from marketplace.dev.errors import DevelopmentError

Row = tuple[Any, ...]
_PAUSE_SECONDS = 0.25


class TookTooLong(DevelopmentError):
    """Something that a job should have done by now is not done."""


class Reader:
    """One connection that only reads."""

    def __init__(self, url: str, watch: Callable[[], None]) -> None:
        """`watch` is called while waiting, and raises when waiting has become pointless."""
        plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection = psycopg.connect(plain, autocommit=True)
        self._connection.read_only = True
        self._watch = watch

    def close(self) -> None:
        self._connection.close()

    def rows(self, query: str, *parameters: Any) -> Sequence[Row]:
        """All rows of a query."""
        return self._connection.execute(query.encode(), parameters).fetchall()

    def value(self, query: str, *parameters: Any) -> Any:
        """The first value of the first row."""
        return self.rows(query, *parameters)[0][0]

    def count(self, table: str) -> int:
        """How many rows a table has."""
        query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
        row = self._connection.execute(query).fetchone()
        return int(row[0]) if row else 0

    def now(self) -> datetime:
        """Programme time."""
        instant: datetime = self.value("SELECT ledger.now()")
        return instant

    def wait_for(self, what: str, query: str, *parameters: Any, seconds: float = 60.0) -> None:
        """Wait until a query answers true. Raises TookTooLong, naming what was waited for."""
        deadline = time.monotonic() + seconds
        while not self.value(query, *parameters):
            self._watch()
            if time.monotonic() > deadline:
                raise TookTooLong(f"after {seconds:g} s still waiting for: {what}")
            time.sleep(_PAUSE_SECONDS)
