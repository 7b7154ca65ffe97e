"""A provider's runs as a list: what needs something first, page by page."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, Numeric, Select, case, cast, func, select, tuple_
from sqlalchemy.orm import Session

from marketplace.catalogue.models import Course, Run, RunSession, RunState
from marketplace.catalogue.paging import decode_cursor, encode_cursor
from marketplace.enrolments.models import CANCELLED, Enrolment

_APART = Decimal(10**12)
"""Between two stages, in seconds: more than there are between any two starts."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run with how many enrolments of it were not cancelled."""

    run: Run
    enrolled: int
    sessions: int


@dataclass(frozen=True, slots=True)
class RunPage:
    """Some runs; `next_cursor` is None on the last page."""

    rows: Sequence[RunRow]
    next_cursor: str | None


def list_runs_of_provider(
    session: Session, provider_id: uuid.UUID, now: datetime, limit: int = 50, cursor: str = ""
) -> RunPage:
    """A provider's runs in one query: over but not declared, running, coming, each the soonest first; then
    what was declared or cancelled, the latest first. Raises CursorInvalid."""
    place = _place(now)
    rows = _runs(place).where(Course.provider_id == provider_id)
    if cursor:
        after = decode_cursor(cursor)
        rows = rows.where(tuple_(place, Run.id) > tuple_(after.key, after.last_id))
    found = session.execute(rows.order_by(place, Run.id).limit(limit + 1)).all()
    shown = found[:limit]
    last = shown[-1] if len(found) > limit else None
    return RunPage(
        [RunRow(run, enrolled, sessions) for run, enrolled, sessions, _key in shown],
        encode_cursor(last[3], last[0].id) if last else None,
    )


def _place(now: datetime) -> ColumnElement[Decimal]:
    """A number that rises in the wanted order."""
    start = cast(func.extract("epoch", Run.starts_at), Numeric)
    return case(
        (Run.state != RunState.OPEN, 3 * _APART - start),
        (Run.ends_at <= now, start),
        (Run.starts_at <= now, _APART + start),
        else_=2 * _APART + start,
    )


def _runs(place: ColumnElement[Decimal]) -> Select[Run, int, int, Decimal]:
    enrolled = select(func.count()).where(Enrolment.run_id == Run.id, Enrolment.state.not_in(CANCELLED))
    sessions = select(func.count()).select_from(RunSession).where(RunSession.run_id == Run.id)
    counts = (enrolled.correlate(Run).scalar_subquery(), sessions.correlate(Run).scalar_subquery())
    return select(Run, counts[0], counts[1], place.label("key")).join(Course, Run.course_id == Course.id)
