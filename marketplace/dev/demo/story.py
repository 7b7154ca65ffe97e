"""A past that happened: acts in the order of their instants, each at its own programme time.

Nothing is back-dated. Programme time is set to the instant of each act, and the product's own services
do the rest, so that every date in the books, the messages and the deadlines agrees with the others.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import groupby
from types import TracebackType
from typing import Any

from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.db import run_in_transaction
from marketplace.dev import programme_clock

Act = Callable[[Session], Any]
Edge = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Days:
    """Dates as seen from today, in the programme's zone. Negative numbers are days ago."""

    now: datetime

    @property
    def today(self) -> date:
        return clock.local_date(self.now)

    def day(self, number: int) -> date:
        return self.today + timedelta(days=number)

    def at(self, number: int, hour: int, minute: int = 0) -> datetime:
        """An hour of a day, Western Indonesian Time."""
        return datetime.combine(self.day(number), time(hour, minute), clock.ZONE)

    def number(self, day: date) -> int:
        """How many days a date is away from today."""
        return (day - self.today).days


@dataclass
class Story:
    """Collects acts, then lets them happen. Use as a context manager: time is put right at the end."""

    owner_url: str
    _acts: list[tuple[datetime, Edge]] = field(default_factory=list)
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> "Story":
        self._set_offset = self._stack.enter_context(programme_clock.steering(self.owner_url))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def at(self, instant: datetime, act: Act) -> None:
        """Have something happen in a transaction of its own."""
        self._acts.append((instant, lambda: run_in_transaction(act)))

    def edge(self, instant: datetime, act: Edge) -> None:
        """Have something happen that opens its transactions itself."""
        self._acts.append((instant, act))

    def play(self) -> int:
        """Let everything collected happen, up to now, in order; how many acts there were."""
        acts = sorted(self._acts, key=lambda each: each[0])
        self._acts = []
        for instant, together in groupby(acts, key=lambda each: each[0]):
            self._set_offset(min(instant - clock.wall_now(), timedelta()))
            for _, act in together:
                act()
        return len(acts)
