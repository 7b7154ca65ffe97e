"""Booking a catalogue file: every good row or, when the file turns out unusable, none.

Importing the same file again changes nothing. What is not in the file stays as it is.
"""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from ledger import uuid7
from marketplace import clock
from marketplace.catalogue.csv_import import CourseRow, Problem, RowProblem
from marketplace.catalogue.models import Course, CourseState
from marketplace.catalogue.versions import OFFER
from marketplace.providers import service as providers

_CHUNK = 500
_LOCK = 0x62656B616C  # any number: two imports at once would each book the other's new rows

T = TypeVar("T")

DETAILS = ("category", "mode", "level", "rating", "rating_count", "description", "language")
RATINGS = {"rating", "rating_count"}
"""Known only of a new course: afterwards its reviews say it."""


@dataclass(slots=True)
class ImportReport:
    """What became of the rows. `refused` and `notices` are in the file's order."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: list[RowProblem] = field(default_factory=list)
    notices: list[Problem] = field(default_factory=list)

    @property
    def read(self) -> int:
        """How many rows the file had."""
        return self.created + self.changed + self.unchanged + len(self.refused)


def import_rows(session: Session, rows: Iterable[CourseRow | RowProblem]) -> ImportReport:
    """Book the good rows; report the others. Providers are made by name where missing.

    Raises CatalogueFileError from `rows`, and the caller's transaction then books nothing.
    """
    session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    report = ImportReport()
    now = clock.now(session)
    for chunk in _chunks(_good_rows(rows, report), _CHUNK):
        _book(session, chunk, now, report)
    report.refused.sort(key=lambda refused: refused.line)
    session.expire_all()  # rows were written past the session's objects
    return report


def _good_rows(rows: Iterable[CourseRow | RowProblem], report: ImportReport) -> Iterator[CourseRow]:
    for row in rows:
        if isinstance(row, RowProblem):
            report.refused.append(row)
        else:
            report.notices.extend(row.notices)
            yield row


def _book(session: Session, rows: Sequence[CourseRow], now: datetime, report: ImportReport) -> None:
    known = _known(session, [row.source_id for row in rows])
    owners = providers.ensure_providers(session, [row.provider for row in rows])
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for row in rows:
        existing = known.get(row.source_id)
        values = _values(row)
        if existing is None:
            new.append(_new_course(row, values, owners[row.provider], now))
        elif existing["provider_id"] != owners[row.provider]:
            report.refused.append(_foreign(row))
        elif difference := {name for name in values if existing[name] != values[name]} - RATINGS:
            version = existing["version"] + bool(difference & set(OFFER))
            kept = {name: existing[name] for name in RATINGS}
            changed.append({"id": existing["id"], **values, **kept, "version": version})
        else:
            report.unchanged += 1
    _write(session, new, changed)
    report.created += len(new)
    report.changed += len(changed)


def _known(session: Session, source_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The courses that are there already, as plain values: no object per course."""
    columns = [
        getattr(Course, name) for name in ("id", "source_id", "provider_id", "version", *OFFER, *DETAILS)
    ]
    found = session.execute(select(*columns).where(Course.source_id.in_(source_ids)).with_for_update())
    return {row["source_id"]: dict(row) for row in found.mappings()}


def _values(row: CourseRow) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in (*OFFER, *DETAILS)}
    values["level"] = row.level or ""
    return values


def _new_course(row: CourseRow, values: dict[str, Any], owner: uuid.UUID, now: datetime) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "source_id": row.source_id,
        "provider_id": owner,
        "state": CourseState.PUBLISHED.value,
        "version": 1,
        "published_at": now,
        **values,
    }


def _write(session: Session, new: list[dict[str, Any]], changed: list[dict[str, Any]]) -> None:
    if new:
        session.execute(insert(Course), new)
    if changed:
        session.execute(update(Course), changed)


def _foreign(row: CourseRow) -> RowProblem:
    reason = "nomor kursus ini sudah dipakai lembaga lain"
    return RowProblem(row.line, (Problem(row.line, "source_id", row.source_id, "other_provider", reason),))


def _chunks(items: Iterator[T], size: int) -> Iterator[list[T]]:
    while chunk := list(islice(items, size)):
        yield chunk
