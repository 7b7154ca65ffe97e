"""Completion: what attendance proves is declared, once the run is over, and settles the purchases.

Source: 'Attendance is the evidence for pay' in the rules.
"""

import uuid
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.catalogue.models import RUN_TRANSITIONS, Run, RunState
from marketplace.enrolments import confirmation, conflicts, locks, pay, revocation_clock
from marketplace.enrolments.errors import RunNotOver
from marketplace.enrolments.evidence import RunEvidence, gather
from marketplace.enrolments.models import CANCELLED, LIVE, Enrolment, EnrolmentState
from marketplace.enrolments.settlement import Verdict, settle
from marketplace.enrolments.staff import require_staff
from marketplace.errors import IllegalTransition
from marketplace.events import service as events
from marketplace.identity import audit
from marketplace.identity.models import User
from marketplace.schemes import calendar
from marketplace.schemes.models import Scheme
from marketplace.states import move

UPLOADED = "attendance_uploaded"
"""Hold code: more of the run's attendance than the scheme allows came from the provider's own list."""


def complete(session: Session, enrolment_id: uuid.UUID, actor: User | None) -> Enrolment:
    """Declare one enrolment's result and settle it; a repeat returns what was declared.

    Raises NotFound (also for another provider's), RunNotOver before the run's end, and
    IllegalTransition for a purchase that was cancelled.
    """
    enrolment = locks.lock_enrolment(session, enrolment_id)
    require_staff(session, actor, enrolment.provider_id)
    if enrolment.completed_at is not None:
        return enrolment
    if enrolment.state in CANCELLED:
        raise IllegalTransition("cancelled", current=enrolment.state, target=EnrolmentState.COMPLETED.value)
    _declare(session, enrolment.run, [enrolment], actor)
    audit.record(session, actor, "enrolment.complete", f"enrolment:{enrolment.id}", percent=enrolment.percent)
    if not _has_live(session, enrolment.run_id):
        move(enrolment.run, RunState.SETTLED, RUN_TRANSITIONS)
        session.flush()
    return enrolment


def complete_run(session: Session, run_id: uuid.UUID, actor: User | None) -> int:
    """Declare everybody's result in a run and settle it; the number of enrolments ended.

    A repeat changes nothing. Raises NotFound (also for another provider's), RunNotOver, and
    IllegalTransition for a cancelled run.
    """
    run, enrolments = locks.lock_run(session, run_id)
    require_staff(session, actor, run.course.provider_id)
    if run.state == RunState.SETTLED:
        return 0
    return _settle_run(session, run, enrolments, actor)


def declare_overdue(session: Session, run_id: uuid.UUID) -> int:
    """Complete a run for Bekal itself; 0 when it has been settled or cancelled meanwhile."""
    run, enrolments = locks.lock_run(session, run_id)
    return _settle_run(session, run, enrolments, None) if run.state == RunState.OPEN else 0


def judge(enrolment: Enrolment, evidence: RunEvidence, cut_short_because: str | None = None) -> Verdict:
    """How an enrolment ends, by its attendance and the table of the rules. Changes nothing.

    With a reason for being cut short it ends as cancelled by the provider, mid-way or before.
    """
    is_cut_short = cut_short_because is not None
    proof = evidence.proof_for(enrolment.id, cut_short=is_cut_short)
    paid = pay.paid_percent(proof.evidence, enrolment.scheme)
    limit = enrolment.scheme.uploaded_attendance_limit_percent
    is_held = paid > 0 and evidence.exceeds_upload_limit(limit)
    return Verdict(
        enrolment=enrolment,
        state=EnrolmentState.CANCELLED_BY_PROVIDER if is_cut_short else _state(proof.evidence, evidence),
        percent=proof.evidence.percent,
        paid_percent=paid,
        evidence_id=proof.attendance_id if paid else None,
        hold_code=UPLOADED if is_held else None,
        reason=cut_short_because or "",
    )


def list_overdue_runs(session: Session, limit: int = 50) -> Sequence[uuid.UUID]:
    """Open runs whose provider let the time for its declaration pass, oldest first.

    A run can hold purchases under several schemes; it is declared once the longest period is over.
    """
    days = session.scalar(select(func.max(Scheme.declaration_working_days)))
    if days is None:
        return []
    cutoff = clock.end_of_day(_last_overdue_day(session, clock.now(session), days))
    overdue = select(Run.id).where(Run.state == RunState.OPEN, Run.ends_at <= cutoff)
    return session.scalars(overdue.order_by(Run.ends_at, Run.id).limit(limit)).all()


def _state(own: pay.Evidence, run: RunEvidence) -> EnrolmentState:
    """Whoever was there completed. Absence counts as a no-show only where somebody was present:
    with no attendance at all, or a self-paced course never opened, the programme takes it back."""
    if own.percent > 0:
        return EnrolmentState.COMPLETED
    if run.is_empty or own.self_paced:
        return EnrolmentState.CANCELLED_BY_PROGRAMME
    return EnrolmentState.NO_SHOW


def _settle_run(session: Session, run: Run, enrolments: Sequence[Enrolment], actor: User | None) -> int:
    """What nobody confirmed before the start has run out by now, whether or not a sweep has said so."""
    move(run, RunState.SETTLED, RUN_TRANSITIONS)
    bought = [each for each in enrolments if each.is_live]
    _declare(session, run, bought, actor)
    confirmation.expire(session, [each for each in enrolments if each.is_awaiting])
    provider_id = run.course.provider_id
    events.record(session, "run.settled", run.id, provider_id=provider_id, enrolments=len(bought))
    audit.record(session, actor, "run.complete", f"run:{run.id}", enrolments=len(bought))
    return len(bought)


def _declare(session: Session, run: Run, enrolments: Sequence[Enrolment], actor: User | None) -> None:
    now = clock.now(session)
    if now < run.ends_at:
        raise RunNotOver("the run has not ended", ends_at=run.ends_at)
    evidence = gather(session, run)
    verdicts = conflicts.hold_own(
        session, run.course.provider_id, [judge(each, evidence) for each in enrolments]
    )
    settle(session, verdicts, actor, now)
    taken_back = [each.enrolment.grant for each in verdicts if each.state in CANCELLED]
    revocation_clock.resume(session, taken_back, now, by_participant=False)


def _has_live(session: Session, run_id: uuid.UUID) -> bool:
    live = select(Enrolment.id).where(Enrolment.run_id == run_id, Enrolment.state.in_(LIVE))
    return session.scalar(live.limit(1)) is not None


def _last_overdue_day(session: Session, now: datetime, days: int) -> date:
    """The latest day on which a run can have ended for its declaration to be overdue now."""
    day = clock.local_date(now) - timedelta(days=days)
    while clock.end_of_day(calendar.add_working_days(session, day, days)) >= now:
        day -= timedelta(days=1)
    return day
