"""A provider's own file of courses: kept, looked through, then booked as its drafts.

The file waits in the database between the two steps and is read anew in the second: what was checked is
what is booked, and what changed meanwhile is judged as it is then. It is a provider's file, so it makes no
other provider, publishes nothing, and its ratings are not believed.
"""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.catalogue import version_queries as versions
from marketplace.catalogue import writing
from marketplace.catalogue.course_rows import CourseRow, Problem, RowProblem, Table, Terms, read_courses
from marketplace.catalogue.csv_import import csv_table
from marketplace.catalogue.models import Course, CourseState
from marketplace.catalogue.versions import CatalogueUpload, Content, CourseVersion, UploadKind, VersionState
from marketplace.catalogue.xlsx_import import xlsx_table
from marketplace.errors import NotFound
from marketplace.identity import audit
from marketplace.identity.models import User
from marketplace.providers.models import Provider

KEPT = timedelta(hours=2)
"""On the wall's clock: long enough to read the faults and to ask a colleague."""
TERMS = Terms(optional=frozenset({"provider", "rating", "rating_count"}), most_rows=1000)
_ZIP = b"PK\x03\x04"
_LOCKED = {VersionState.SUBMITTED, VersionState.APPROVED}
_REASONS = {
    "other_provider": "nomor kursus ini sudah dipakai lembaga lain",
    "not_yours": "bukan nama lembaga Anda; kosongkan atau hapus kolomnya",
    "under_review": "versi sebelumnya masih diperiksa atau belum diterbitkan",
    "was_rejected": "kursus ini sudah ditolak",
    "withdrawn": "kursus ini sudah tidak dijual lagi",
}


@dataclass(frozen=True, slots=True)
class Planned:
    """A good row and what it would do: begin a course, or change the one with this id."""

    row: CourseRow
    course_id: uuid.UUID | None


@dataclass(slots=True)
class UploadPlan:
    """What a file would do. `refused` and `notices` are in the file's order."""

    new: list[Planned] = field(default_factory=list)
    changed: list[Planned] = field(default_factory=list)
    unchanged: int = 0
    refused: list[RowProblem] = field(default_factory=list)
    notices: list[Problem] = field(default_factory=list)

    @property
    def problems(self) -> list[Problem]:
        """Every fault of every refused row."""
        return [problem for row in self.refused for problem in row.problems]


@dataclass(slots=True)
class Booked:
    """What came of a file: `drafted` wait for what is missing or for a person, `live` need no review."""

    drafted: int = 0
    submitted: int = 0
    live: int = 0


def keep_upload(
    session: Session, provider_id: uuid.UUID, actor: User, name: str, content: bytes
) -> CatalogueUpload:
    """Keep a file for a while, in place of what this person had kept. Raises CatalogueFileError."""
    for _row in _read(content, TERMS):
        pass
    return keep_file(session, provider_id, actor, name, content, UploadKind.COURSES)


def keep_file(
    session: Session, provider_id: uuid.UUID, actor: User, name: str, content: bytes, kind: UploadKind
) -> CatalogueUpload:
    """Keep a file that has been read, in place of one of its kind that this person had kept."""
    stale = CatalogueUpload.uploaded_at < clock.wall_now() - KEPT
    replaced = (CatalogueUpload.uploaded_by == actor.id) & (CatalogueUpload.kind == kind)
    session.execute(delete(CatalogueUpload).where(stale | replaced))
    upload = CatalogueUpload(
        provider_id=provider_id,
        uploaded_by=actor.id,
        kind=kind.value,
        name=name[:200],
        content=content,
        uploaded_at=clock.wall_now(),
    )
    session.add(upload)
    session.flush()
    return upload


def get_upload(
    session: Session,
    upload_id: uuid.UUID,
    provider_id: uuid.UUID,
    kind: UploadKind = UploadKind.COURSES,
) -> CatalogueUpload:
    """A file of this kind that this provider has kept. Raises NotFound, also when its time is over."""
    found = session.get(CatalogueUpload, upload_id)
    if found is None or found.provider_id != provider_id or found.kind != kind:
        raise NotFound(f"no upload {upload_id}")
    if found.uploaded_at < clock.wall_now() - KEPT:
        raise NotFound(f"the time of upload {upload_id} is over")
    return found


def plan_upload(session: Session, upload: CatalogueUpload) -> UploadPlan:
    """What the file would do now. Nothing is written. Raises CatalogueFileError."""
    provider = session.get_one(Provider, upload.provider_id)
    plan = UploadPlan()
    good: list[CourseRow] = []
    for row in _read(upload.content, replace(TERMS, provider=provider.name)):
        judged = row if isinstance(row, RowProblem) else _of_this_provider(row, provider)
        if isinstance(judged, RowProblem):
            plan.refused.append(judged)
        else:
            good.append(judged)
            plan.notices.extend(judged.notices)
            plan.notices.extend(_ratings(judged))
    _sort(session, provider.id, good, plan)
    plan.refused.sort(key=lambda refused: refused.line)
    return plan


def book_upload(
    session: Session, upload_id: uuid.UUID, provider_id: uuid.UUID, actor: User, *, submits: bool
) -> Booked:
    """Book the file's good rows, all or none, and forget the file. Complete ones are handed to the
    programme office when `submits`. Raises NotFound, CatalogueFileError."""
    writing.lock_provider(session, provider_id)
    upload = get_upload(session, upload_id, provider_id)
    plan, booked = plan_upload(session, upload), Booked()
    for planned in (*plan.new, *plan.changed):
        version = _write(session, provider_id, planned, actor)
        if submits and not writing.missing_fields(version.content):
            state = writing.submit(session, provider_id, version.course_id, actor).state
            booked.live += state == VersionState.PUBLISHED
            booked.submitted += state == VersionState.SUBMITTED
        else:
            booked.drafted += 1
    counts = {"new": len(plan.new), "changed": len(plan.changed), "refused": len(plan.refused)}
    audit.record(session, actor, "catalogue.uploaded", f"provider:{provider_id}", **counts)
    session.delete(upload)
    session.flush()
    return booked


def table_of(content: bytes) -> Table:
    """The header and the rows of a file of either kind. Raises CatalogueFileError."""
    return xlsx_table(content) if content.startswith(_ZIP) else csv_table(content)


def _read(content: bytes, terms: Terms) -> Iterator[CourseRow | RowProblem]:
    return read_courses(table_of(content), terms)


def _write(session: Session, provider_id: uuid.UUID, planned: Planned, actor: User) -> CourseVersion:
    content = content_of_row(planned.row)
    if planned.course_id is None:
        return writing.draft_course(session, provider_id, content, actor, planned.row.source_id)
    return writing.edit_course(session, provider_id, planned.course_id, content, actor)


def content_of_row(row: CourseRow) -> Content:
    """What a row says of its course."""
    return Content(
        row.title,
        row.price,
        row.hours,
        row.category,
        row.mode,
        row.level or "",
        row.description,
        row.language,
    )


def _of_this_provider(row: CourseRow, provider: Provider) -> CourseRow | RowProblem:
    if row.provider.casefold() != provider.name.casefold():
        return _refused(row, "provider", row.provider, "not_yours")
    return row


def _ratings(row: CourseRow) -> Iterable[Problem]:
    if row.rating or row.rating_count:
        reason = "penilaian datang dari peserta; yang di berkas tidak dipakai"
        yield Problem(row.line, "rating", str(row.rating or row.rating_count), "rating_ignored", reason)


def _sort(session: Session, provider_id: uuid.UUID, rows: Sequence[CourseRow], plan: UploadPlan) -> None:
    """Which rows begin a course, which change one, and which cannot."""
    names = [row.source_id for row in rows]
    courses = {
        course.source_id: course
        for course in session.scalars(select(Course).where(Course.source_id.in_(names))).all()
    }
    newest = versions.newest_by_name(session, provider_id, names)
    for row in rows:
        course, latest = courses.get(row.source_id), newest.get(row.source_id)
        if fault := _fault(provider_id, course, latest):
            plan.refused.append(_refused(row, "source_id", row.source_id, fault))
            continue
        base = _base(course, latest)
        if base is None:
            plan.new.append(Planned(row, None))
        elif base[1] == content_of_row(row):
            plan.unchanged += 1
        else:
            plan.changed.append(Planned(row, base[0]))


def _fault(provider_id: uuid.UUID, course: Course | None, latest: CourseVersion | None) -> str | None:
    if course is not None and course.provider_id != provider_id:
        return "other_provider"
    if course is not None and course.state == CourseState.WITHDRAWN:
        return "withdrawn"
    if latest is not None and latest.state in _LOCKED:
        return "under_review"
    if latest is not None and latest.state == VersionState.REJECTED and course is None:
        return "was_rejected"
    return None


def _base(course: Course | None, latest: CourseVersion | None) -> tuple[uuid.UUID, Content] | None:
    """The course that a row changes, and the text that it starts from."""
    if latest is not None and latest.state in {VersionState.DRAFTED, VersionState.RETURNED}:
        return latest.course_id, latest.content
    return (course.id, versions.content_of(course)) if course else None


def _refused(row: CourseRow, column: str, value: str, code: str) -> RowProblem:
    return RowProblem(row.line, (Problem(row.line, column, value, code, _REASONS[code]),))
