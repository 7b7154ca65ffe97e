"""A provider's own file of runs: kept, looked through, then offered. A run is offered whole or not at all."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from marketplace import clock
from marketplace.catalogue import offering, uploads, writing
from marketplace.catalogue.course_rows import Problem
from marketplace.catalogue.errors import RunPlanInvalid
from marketplace.catalogue.models import Course, CourseState, Run, RunKind, RunSession, RunState
from marketplace.catalogue.run_rows import MeetingRow, read_meetings
from marketplace.catalogue.service import PlannedSession, RunPlan
from marketplace.catalogue.versions import CatalogueUpload, UploadKind
from marketplace.identity import audit
from marketplace.identity.models import User
from marketplace.providers.models import Provider

MOST_SESSIONS = 100
_REASONS = {
    "required": "wajib diisi",
    "unknown_course": "bukan judul atau nomor kursus Anda yang terbit",
    "ambiguous_course": "lebih dari satu kursus Anda berjudul begini; tulis nomornya",
    "not_published": "kursus ini sedang tidak dijual",
    "run_differs": "tidak sama dengan baris pertama jadwal ini",
    "overlap": "mulai sebelum sesi sebelumnya selesai",
    "too_many_sessions": f"lebih dari {MOST_SESSIONS} sesi dalam satu jadwal",
    "past": "sudah lewat; sesi pertama harus masih akan datang",
    "after_scheme": "sesudah hari terakhir saldo pelatihan berlaku",
    "same_run": "sama dengan jadwal lain di berkas ini",
}

_Key = tuple[uuid.UUID, tuple[tuple[datetime | None, datetime | None], ...]]
"""What makes two runs the same: the course, and when its sessions are."""


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A run that would be offered, and the line of its first row."""

    line: int
    course: Course
    plan: RunPlan


@dataclass(slots=True)
class RunsPlan:
    """What a file would do. `unchanged` runs are offered already; `problems` are in the file's order."""

    runs: list[PlannedRun] = field(default_factory=list)
    unchanged: int = 0
    refused: int = 0
    problems: list[Problem] = field(default_factory=list)


@dataclass(slots=True)
class _Courses:
    """This provider's courses by what a file may call them."""

    by_name: dict[str, list[Course]]
    offered: set[_Key]


class _Refused(Exception):
    """Why a run is not offered."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(problems[0].code)
        self.problems = problems


def keep(session: Session, provider_id: uuid.UUID, actor: User, name: str, content: bytes) -> CatalogueUpload:
    """Keep a file for a while, in place of what this person had kept. Raises CatalogueFileError."""
    for _row in read_meetings(uploads.table_of(content), clock.ZONE):
        pass
    return uploads.keep_file(session, provider_id, actor, name, content, UploadKind.RUNS)


def plan(session: Session, upload: CatalogueUpload) -> RunsPlan:
    """What the file would do now, its hours being those of the provider's province. Nothing is written."""
    zone = clock.zone_of(session.get_one(Provider, upload.provider_id).province_code)
    rows = list(read_meetings(uploads.table_of(upload.content), zone))
    known, planned = _read_courses(session, upload.provider_id), RunsPlan()
    seen: set[_Key] = set()
    for run in _grouped(rows):
        try:
            found = _plan_run(session, run, known)
            if (key := _key_of(found)) in seen:
                raise _Refused(_problem(run[0], "date", "same_run"))
        except _Refused as refusal:
            planned.refused += 1
            planned.problems += refusal.problems
            continue
        seen.add(key)
        if key in known.offered:
            planned.unchanged += 1
        else:
            planned.runs.append(found)
    planned.problems.sort(key=lambda problem: problem.line)
    return planned


def book(session: Session, upload_id: uuid.UUID, provider_id: uuid.UUID, actor: User) -> int:
    """Offer the file's good runs, all or none, and forget the file; how many there were.

    Raises NotFound, and IllegalTransition for a course that is taken off sale meanwhile.
    """
    writing.lock_provider(session, provider_id)
    upload = uploads.get_upload(session, upload_id, provider_id, UploadKind.RUNS)
    planned = plan(session, upload)
    for each in planned.runs:
        offering.offer_run(session, provider_id, each.course.id, each.plan, actor)
    counts = {"new": len(planned.runs), "unchanged": planned.unchanged, "refused": planned.refused}
    audit.record(session, actor, "runs.uploaded", f"provider:{provider_id}", **counts)
    session.delete(upload)
    session.flush()
    return len(planned.runs)


def _grouped(rows: Iterable[MeetingRow]) -> list[list[MeetingRow]]:
    """The rows of each run, in the order in which the runs begin; a row without a word is a run alone."""
    groups: dict[object, list[MeetingRow]] = defaultdict(list)
    for row in rows:
        groups[row.run.casefold() or row.line].append(row)
    return list(groups.values())


def _plan_run(session: Session, rows: Sequence[MeetingRow], known: _Courses) -> PlannedRun:
    """Raises _Refused with everything that is wrong with the rows of a run."""
    faults = [problem for row in rows for problem in row.problems] or list(_contradictions(rows))
    if faults:
        raise _Refused(*faults)
    first = rows[0]
    course = _find_course(first, known)
    meetings = sorted(rows, key=_start)
    sessions = [PlannedSession(each.topic, each.starts_at, each.ends_at) for each in meetings]
    run = RunPlan(
        RunKind.SCHEDULED, sessions, first.seats or 0, first.place,
        needs_confirmation=bool(first.confirmation),
    )  # fmt: skip
    try:
        offering.check_times(session, run)
    except RunPlanInvalid as error:
        raise _Refused(_problem(meetings[0], "date", str(error.details["fault"]))) from error
    return PlannedRun(first.line, course, run)


def _contradictions(rows: Sequence[MeetingRow]) -> Iterator[Problem]:
    first = rows[0]
    if first.seats is None:
        yield _problem(first, "seats", "required")
    if len(rows) > MOST_SESSIONS:
        yield _problem(rows[MOST_SESSIONS], "run", "too_many_sessions")
    for row in rows[1:]:
        if row.course.casefold() != first.course.casefold():
            yield _problem(row, "course", "run_differs")
        for column in ("place", "seats", "confirmation"):
            if getattr(row, column) not in ("", None, getattr(first, column)):
                yield _problem(row, column, "run_differs")
    meetings = sorted(rows, key=_start)
    for before, after in pairwise(meetings):
        if before.ends_at is not None and _start(after) < before.ends_at:
            yield _problem(after, "start", "overlap")


def _start(row: MeetingRow) -> datetime:
    assert row.starts_at is not None  # a row without it has a problem, and went no further
    return row.starts_at


def _find_course(row: MeetingRow, known: _Courses) -> Course:
    found = known.by_name.get(row.course.casefold(), [])
    sold = [course for course in found if course.state == CourseState.PUBLISHED]
    if len(sold) == 1:
        return sold[0]
    code = "ambiguous_course" if sold else "not_published" if found else "unknown_course"
    raise _Refused(_problem(row, "course", code))


def _read_courses(session: Session, provider_id: uuid.UUID) -> _Courses:
    by_name: dict[str, list[Course]] = defaultdict(list)
    for course in session.scalars(select(Course).where(Course.provider_id == provider_id)):
        for name in {course.title.casefold(), course.source_id.casefold(), str(course.id)}:
            by_name[name].append(course)
    runs = session.scalars(
        select(Run)
        .join(Course, Course.id == Run.course_id)
        .where(
            Course.provider_id == provider_id,
            Run.state == RunState.OPEN,
            Run.starts_at > clock.now(session),
        )
        .options(selectinload(Run.sessions))
    )
    return _Courses(by_name, {_key(run.course_id, run.sessions) for run in runs})


def _key_of(planned: PlannedRun) -> _Key:
    return _key(planned.course.id, planned.plan.sessions)


def _key(course_id: uuid.UUID, sessions: Iterable[PlannedSession | RunSession]) -> _Key:
    return course_id, tuple((each.starts_at, each.ends_at) for each in sessions)


def _problem(row: MeetingRow, column: str, code: str) -> Problem:
    shown = getattr(row, {"date": "starts_at", "start": "starts_at", "end": "ends_at"}.get(column, column))
    if isinstance(shown, datetime):
        shown = f"{shown:%Y-%m-%d}" if column == "date" else f"{shown:%H:%M}"
    return Problem(row.line, column, "" if shown is None else str(shown), code, _REASONS[code])
