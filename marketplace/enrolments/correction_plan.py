"""What a correction would do: the attendance as corrected, the result it proves, and the money that follows.

Nothing here changes a row, so that a page can ask before.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

import ledger
from ledger import uuid7
from marketplace import chart, clock
from marketplace.catalogue.models import RunSession
from marketplace.enrolments import conflicts, pay, rebooking
from marketplace.enrolments.completion import judge
from marketplace.enrolments.correction_models import AttendanceStrike
from marketplace.enrolments.errors import AlreadySpent, EvidenceOfOthers, NothingCorrected, ResultFinal
from marketplace.enrolments.evidence import RunEvidence, gather
from marketplace.enrolments.models import (
    Attendance,
    AttendanceMethod,
    Earning,
    EarningState,
    Enrolment,
    EnrolmentState,
)
from marketplace.enrolments.settlement import Verdict, is_spendable
from marketplace.errors import IllegalTransition, NotFound
from marketplace.identity.models import User
from marketplace.schemes import calendar


@dataclass(frozen=True, slots=True)
class Plan:
    """What a correction does. `fresh` rows are not in the database yet; `restored` and `struck` ones are.

    `old` is how the price is divided as declared; `proven_anew` has the other attendance for each earning of
    somebody else that rested on one of the struck ones.
    """

    enrolment: Enrolment
    verdict: Verdict
    proofs: RunEvidence
    fresh: Sequence[Attendance]
    restored: Sequence[Attendance]
    struck: Sequence[Attendance]
    steps: Sequence[rebooking.Step]
    old: pay.Split
    proven_anew: Mapping[uuid.UUID, uuid.UUID]

    @property
    def new(self) -> pay.Split:
        """How the price is divided afterwards."""
        return self.verdict.split


def open_until(session: Session, enrolment: Enrolment) -> datetime | None:
    """The end of the days in which a result can be corrected; None where it has no result.

    A held earning has no end: it does not mature before somebody has looked. Its answer is in `is_open`.
    """
    if enrolment.completed_at is None:
        return None
    if enrolment.earning is not None:
        return enrolment.earning.matures_at
    declared = enrolment.corrected_at or enrolment.completed_at
    return calendar.end_of_working_days(session, declared, enrolment.scheme.maturity_working_days)


def is_open(session: Session, enrolment: Enrolment) -> bool:
    """Whether the result can be corrected now."""
    until, earning = open_until(session, enrolment), enrolment.earning
    if until is None or (earning is not None and earning.state == EarningState.PAID):
        return False
    return clock.now(session) <= until or (earning is not None and earning.state == EarningState.HELD)


def plan(session: Session, enrolment: Enrolment, present: Collection[uuid.UUID], actor: User) -> Plan:
    """What happens when exactly these sessions were attended. The clock is read here, after any locks.

    Raises IllegalTransition without a declared result, NotFound for sessions of another run, ResultFinal,
    NothingCorrected, AlreadySpent and EvidenceOfOthers.
    """
    if enrolment.completed_at is None:
        raise IllegalTransition("no result", current=enrolment.state, target=EnrolmentState.COMPLETED.value)
    if not is_open(session, enrolment):
        raise ResultFinal("the result stands", until=open_until(session, enrolment))
    rows, struck_ids = _read_marks(session, enrolment)
    standing = {each.session_id: each for each in rows if each.id not in struck_ids}
    meetings = set(session.scalars(select(RunSession.id).where(RunSession.run_id == enrolment.run_id)))
    if not meetings.issuperset(present):
        raise NotFound("a session of another run")
    missing = set(present) - standing.keys()
    restored = [each for each in rows if each.id in struck_ids and each.session_id in missing]
    missing -= {each.session_id for each in restored}
    fresh = [_from_list(session, enrolment, meeting_id, actor) for meeting_id in sorted(missing)]
    kept = [each for meeting_id, each in standing.items() if meeting_id in present]
    own = sorted([*kept, *restored, *fresh], key=lambda each: (each.recorded_at, each.id))
    proofs = gather(session, enrolment.run).replaced(enrolment.id, own)
    verdict = _judge(session, enrolment, proofs)
    if verdict.percent == enrolment.percent:
        raise NothingCorrected("the same percent")
    struck = [each for each in standing.values() if each.session_id not in present]
    old = pay.split(enrolment.price, enrolment.paid_percent or 0, enrolment.fee_rate)
    steps = _steps(session, enrolment, old, verdict.split)
    others = _prove_anew(session, enrolment, [each.id for each in struck], proofs)
    return Plan(enrolment, verdict, proofs, fresh, restored, struck, steps, old, others)


def _prove_anew(
    session: Session, enrolment: Enrolment, struck: Sequence[uuid.UUID], proofs: RunEvidence
) -> dict[uuid.UUID, uuid.UUID]:
    """Somebody who did not come is paid for by another's coded check-in; a struck one proves nothing.

    Raises EvidenceOfOthers where there is no other.
    """
    resting = select(Earning.id, Earning.enrolment_id).where(
        Earning.evidence_id.in_(struck),
        Earning.enrolment_id != enrolment.id,
        Earning.state != EarningState.CORRECTED,
    )
    found = {key: proofs.proof_for(other).attendance_id for key, other in session.execute(resting)}
    if None in found.values():
        raise EvidenceOfOthers("all that proves the run", others=len(found))
    return {key: proof for key, proof in found.items() if proof is not None}


def _judge(session: Session, enrolment: Enrolment, proofs: RunEvidence) -> Verdict:
    """By the rule that declares results; only that a declared one does not become a cancellation."""
    verdict = judge(enrolment, proofs)
    if not verdict.percent:
        verdict = replace(verdict, state=EnrolmentState.NO_SHOW)
    [verdict] = conflicts.hold_own(session, enrolment.provider_id, [verdict])
    return verdict


def _steps(session: Session, enrolment: Enrolment, old: pay.Split, new: pay.Split) -> list[rebooking.Step]:
    """Raises AlreadySpent. The participant's grant is locked, so nothing is bought in between."""
    if enrolment.transaction_id is None:
        return []
    home = chart.fund(enrolment.scheme_code)
    if is_spendable(enrolment.grant, clock.now(session)):
        home = chart.benefit(enrolment.participant_id)
    trail = rebooking.read_trail(session, enrolment)
    steps = rebooking.plan(trail, enrolment, old, new, home)
    for account, amount in rebooking.drawn_from_home(steps, enrolment).items():
        if ledger.available(session, account) < amount:
            raise AlreadySpent("what came back has been spent")
    return steps


def _read_marks(session: Session, enrolment: Enrolment) -> tuple[Sequence[Attendance], set[uuid.UUID]]:
    """Every attendance of an enrolment, oldest first, and the ids of those struck out."""
    rows = session.scalars(
        select(Attendance)
        .where(Attendance.enrolment_id == enrolment.id)
        .order_by(Attendance.recorded_at, Attendance.id)
    ).all()
    struck = select(AttendanceStrike.attendance_id).where(
        AttendanceStrike.attendance_id.in_([each.id for each in rows]), AttendanceStrike.is_lifted.is_(False)
    )
    return rows, set(session.scalars(struck))


def _from_list(session: Session, enrolment: Enrolment, meeting_id: uuid.UUID, actor: User) -> Attendance:
    return Attendance(
        id=uuid7(),
        enrolment_id=enrolment.id,
        session_id=meeting_id,
        method=AttendanceMethod.UPLOAD.value,
        recorded_at=clock.now(session),
        recorded_by=actor.id,
    )
