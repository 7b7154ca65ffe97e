"""A search among a provider's enrolments, as its address says it: filters and columns."""

import re
import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import url_for
from werkzeug.datastructures import MultiDict

from marketplace import clock
from marketplace.enrolments.models import CANCELLED, LIVE, EnrolmentState
from marketplace.enrolments.provider_queries import Filters
from marketplace.web.provider import columns

STATES: dict[str, tuple[EnrolmentState, ...]] = {
    "awaiting": (EnrolmentState.AWAITING_CONFIRMATION,),
    "live": LIVE,
    "completed": (EnrolmentState.COMPLETED,),
    "no_show": (EnrolmentState.NO_SHOW,),
    "cancelled": CANCELLED,
}
HELD = "held"
SPANS = (7, 30, 90)
_YEARS = range(2000, 2101)
_PERCENT = re.compile(r"(\d{1,3})-(\d{1,3})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What means nothing in an address is left out, never an error. Days are the programme's."""

    text: str
    course_id: uuid.UUID | None
    run_id: uuid.UUID | None
    state: str
    days: int | None
    first: date | None
    last: date | None
    percent: tuple[int, int] | None
    columns: tuple[str, ...]

    def filters(self, now: datetime) -> Filters:
        """The same for the query."""
        since = [now - timedelta(days=self.days)] if self.days else []
        since += [clock.start_of_day(self.first)] if self.first else []
        return Filters(
            text=self.text,
            course_id=self.course_id,
            run_id=self.run_id,
            states=STATES.get(self.state, ()),
            held=self.state == HELD,
            since=max(since, default=None),
            until=clock.start_of_day(self.last + timedelta(days=1)) if self.last else None,
            percent=self.percent,
        )

    def parts(self) -> dict[str, Any]:
        """The parts of its address that say something."""
        parts: dict[str, Any] = {
            "q": self.text,
            "course": self.course_id,
            "run": self.run_id,
            "state": self.state,
            "days": self.days,
            "from": self.first,
            "to": self.last,
            "percent": f"{self.percent[0]}-{self.percent[1]}" if self.percent else None,
        }
        said = {name: str(value) for name, value in parts.items() if value}
        return said | {"col": list(self.columns)} if self.columns else said

    def address(self, endpoint: str = "provider.enrolments", **more: Any) -> str:
        """The address of this search, perhaps with something changed; it starts at the first page."""
        parts = self.parts() | more
        return url_for(endpoint, **{name: value for name, value in parts.items() if value})

    def without(self, part: str) -> str:
        """The address of this search without one part of it."""
        return url_for("provider.enrolments", **{name: v for name, v in self.parts().items() if name != part})

    def refinement(self) -> list[tuple[str, str]]:
        """The parts of its address that are chosen on a page of their own, as a form sends them."""
        said = self.parts()
        kept = [(name, said[name]) for name in ("run", "from", "to", "percent") if name in said]
        return kept + [("col", key) for key in self.columns]

    @property
    def is_everything(self) -> bool:
        """Whether nothing narrows it."""
        return not self.parts().keys() - {"col"}


def read_wanted(args: MultiDict[str, str]) -> Wanted:
    """A search from an address."""
    days, state = args.get("days", ""), args.get("state", "")
    return Wanted(
        text=args.get("q", "").replace("\x00", "").strip()[:100],
        course_id=parse(args.get("course")),
        run_id=parse(args.get("run")),
        state=state if state in {*STATES, HELD} else "",
        days=int(days) if days in {str(span) for span in SPANS} else None,
        first=_day(args.get("from", "")),
        last=_day(args.get("to", "")),
        percent=_band(args.get("percent", "")),
        columns=columns.chosen(args.getlist("col")),
    )


def parse(text: str | None) -> uuid.UUID | None:
    """An id, or None for what is not one."""
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        return None


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.year in _YEARS else None


def _band(text: str) -> tuple[int, int] | None:
    found = _PERCENT.fullmatch(text)
    if found is None:
        return None
    least, most = int(found[1]), int(found[2])
    return (least, most) if least <= most <= 100 else None
