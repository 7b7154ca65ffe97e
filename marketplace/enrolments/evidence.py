"""What the attendance of a run proves: who was there, and that the run was held at all."""

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, true
from sqlalchemy.orm import Session

from marketplace.catalogue.models import Run, RunKind, RunSession
from marketplace.enrolments.models import Attendance, AttendanceMethod, stands
from marketplace.enrolments.pay import Evidence, attended_percent


@dataclass(frozen=True, slots=True)
class Proof:
    """One enrolment's evidence and the attendance row that stands for it, if any."""

    evidence: Evidence
    attendance_id: uuid.UUID | None


class RunEvidence:
    """All attendance of one run, read at once."""

    def __init__(self, run: Run, promised: int, attendances: Sequence[Attendance]) -> None:
        self._run = run
        self._promised = promised
        self._self_paced = run.kind == RunKind.SELF_PACED
        self._all = attendances
        self._own: dict[uuid.UUID, list[Attendance]] = defaultdict(list)
        for attendance in attendances:
            self._own[attendance.enrolment_id].append(attendance)

    def replaced(self, enrolment_id: uuid.UUID, own: Sequence[Attendance]) -> "RunEvidence":
        """The same run with other attendance of one enrolment, given oldest first."""
        others = [each for each in self._all if each.enrolment_id != enrolment_id]
        return RunEvidence(self._run, self._promised, [*others, *own])

    @property
    def is_empty(self) -> bool:
        """Nobody's attendance was recorded at all."""
        return not self._all

    def exceeds_upload_limit(self, limit_percent: int) -> bool:
        """Whether more of the attendance than this came from the provider's own list."""
        uploaded = sum(each.method == AttendanceMethod.UPLOAD for each in self._all)
        return uploaded * 100 > limit_percent * len(self._all)

    def proof_for(self, enrolment_id: uuid.UUID, *, cut_short: bool = False) -> Proof:
        """What is proven of one enrolment: by its own attendance, else by somebody else's code."""
        own = self._own.get(enrolment_id, [])
        witness = self._witness(enrolment_id)
        evidence = Evidence(
            percent=attended_percent(len(own), self._promised),
            self_paced=self._self_paced,
            took_place=witness is not None,
            cut_short=cut_short,
        )
        standing = own[-1] if own else witness
        return Proof(evidence, standing.id if standing else None)

    def _witness(self, enrolment_id: uuid.UUID) -> Attendance | None:
        return next((each for each in self._all if _is_coded_by_another(each, enrolment_id)), None)


def _is_coded_by_another(attendance: Attendance, enrolment_id: uuid.UUID) -> bool:
    return attendance.method == AttendanceMethod.CODE and attendance.enrolment_id != enrolment_id


def gather(session: Session, run: Run, begun_by: datetime | None = None) -> RunEvidence:
    """Read a run's attendance, oldest first, in two queries.

    With `begun_by` only that of sessions which had begun by then: check-in opens before a session does,
    and a session that is called off has taught nobody.
    """
    has_begun = true() if begun_by is None else func.coalesce(RunSession.starts_at, begun_by) <= begun_by
    promised = session.scalar(select(func.count()).select_from(RunSession).where(RunSession.run_id == run.id))
    attendances = session.scalars(
        select(Attendance)
        .join(RunSession, Attendance.session_id == RunSession.id)
        .where(RunSession.run_id == run.id, has_begun, stands())
        .order_by(Attendance.recorded_at, Attendance.id)
    ).all()
    return RunEvidence(run, promised or 0, attendances)
