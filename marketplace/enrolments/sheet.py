"""A run's attendance as one sheet: a row for each participant, a column for each session."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.catalogue.models import Run, RunSession
from marketplace.enrolments.models import CANCELLED, Attendance, AttendanceMethod, Enrolment, stands
from marketplace.enrolments.progress import Progress
from marketplace.enrolments.provider_queries import list_for_run


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One participant; `marks` has for each session how their attendance was recorded, or None."""

    progress: Progress
    marks: Sequence[AttendanceMethod | None]


@dataclass(frozen=True, slots=True)
class Sheet:
    """`uploaded` of `recorded` attendances came from the provider's own lists, cancelled purchases too."""

    sessions: Sequence[RunSession]
    rows: Sequence[SheetRow]
    recorded: int
    uploaded: int

    @property
    def came(self) -> list[int]:
        """How many of the rows came to each session."""
        return [sum(row.marks[place] is not None for row in self.rows) for place in range(len(self.sessions))]

    @property
    def uploaded_percent(self) -> int:
        """Rounded up, so that a share above a limit never reads as the limit."""
        return -(-100 * self.uploaded // self.recorded) if self.recorded else 0


def attendance_sheet(session: Session, run: Run) -> Sheet:
    """The sheet of a run whose sessions are loaded, by name, without cancelled purchases. Two queries."""
    recorded = session.execute(
        select(Attendance.enrolment_id, Attendance.session_id, Attendance.method)
        .join(RunSession, Attendance.session_id == RunSession.id)
        .where(RunSession.run_id == run.id, stands())
    ).all()
    marks: dict[tuple[uuid.UUID, uuid.UUID], AttendanceMethod] = {
        (enrolment_id, meeting_id): AttendanceMethod(method) for enrolment_id, meeting_id, method in recorded
    }
    people = [each for each in list_for_run(session, run.id) if _has_bought(each.enrolment)]
    rows = [
        SheetRow(each, [marks.get((each.enrolment.id, meeting.id)) for meeting in run.sessions])
        for each in people
    ]
    uploaded = sum(method is AttendanceMethod.UPLOAD for method in marks.values())
    return Sheet(run.sessions, rows, len(marks), uploaded)


def _has_bought(enrolment: Enrolment) -> bool:
    return enrolment.state not in CANCELLED and not enrolment.is_awaiting
