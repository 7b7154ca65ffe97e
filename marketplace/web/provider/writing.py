"""How a long file of enrolments is written: slice by slice, each read in a transaction of its own."""

import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import IO
from urllib.parse import parse_qsl

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from marketplace import clock, db
from marketplace.enrolments import exports, provider_queries
from marketplace.enrolments.provider_queries import Page
from marketplace.enrolments.tracking_models import ExportKind
from marketplace.providers import queries as providers
from marketplace.web.downloads import Cell, write_csv
from marketplace.web.formatting import writing_for
from marketplace.web.provider import columns
from marketplace.web.provider.wanted import Wanted, read_wanted
from marketplace.web.regions import zone_of
from marketplace.web.spreadsheets import write_xlsx

SLICE = 1_000


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed file: plain values, because each slice's transaction forgets the rows before."""

    id: uuid.UUID
    provider_id: uuid.UUID
    kind: str
    wanted: Wanted
    now: datetime
    language: str
    zone: str


def write_export(export_id: uuid.UUID) -> int | None:
    """Write one file and keep it; its number of rows, or None when there was nothing to do."""
    job = db.run_in_transaction(lambda session: _claim(session, export_id))
    if job is None:
        return None
    with force_locale(job.language), writing_for(job.zone), tempfile.TemporaryFile() as file:
        rows = _Rows(job)
        _write(file, job, rows)
        file.seek(0)
        content = file.read()
    db.run_in_transaction(lambda session: exports.finish(session, job.id, content, rows.written))
    return rows.written


def _claim(session: Session, export_id: uuid.UUID) -> Job | None:
    found = exports.claim(session, export_id)
    if found is None:
        return None
    wanted = read_wanted(MultiDict(parse_qsl(found.query)))
    zone = zone_of(providers.get_provider(session, found.provider_id).province_code)
    return Job(found.id, found.provider_id, found.kind, wanted, clock.now(session), found.language, zone)


def _write(file: IO[bytes], job: Job, rows: "_Rows") -> None:
    shown = columns.in_file(job.wanted.columns)
    if job.kind == ExportKind.CSV:
        write_csv(file, columns.file_head(shown), rows)
        return
    foot = columns.file_foot(shown, rows.sums, _("Jumlah"))
    write_xlsx(file, _("Pendaftaran"), columns.file_head(shown), rows, foot)


class _Rows:
    """The file's rows as they are read, with the sums as they were at the beginning."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._filters = job.wanted.filters(job.now)
        self.written = 0
        self.sums: Page = db.run_in_transaction(
            lambda session: provider_queries.list_for_provider(
                session, job.provider_id, self._filters, limit=1
            )
        )

    def __iter__(self) -> Iterator[list[Cell]]:
        cursor: uuid.UUID | None = None
        while True:
            rows, cursor = db.run_in_transaction(partial(self._slice, after=cursor))
            yield from rows
            if cursor is None:
                return

    def _slice(self, session: Session, after: uuid.UUID | None) -> tuple[list[list[Cell]], uuid.UUID | None]:
        job = self._job
        found = provider_queries.list_slice(session, job.provider_id, self._filters, after, SLICE)
        rows = list(columns.file_rows(columns.in_file(job.wanted.columns), found, job.now))
        self.written += len(rows)
        exports.note_progress(session, job.id, self.written)
        return rows, found[-1].enrolment.id if len(found) == SLICE else None
