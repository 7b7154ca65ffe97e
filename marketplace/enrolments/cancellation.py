"""Cancelling: by the participant before the start, by the provider at any time before the end, and
by the programme when a self-paced course was never opened or a complaint was right."""

import uuid
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.catalogue.models import RUN_TRANSITIONS, Run, RunKind, RunState
from marketplace.enrolments import confirmation, conflicts, locks, revocation_clock, waiting
from marketplace.enrolments.completion import judge
from marketplace.enrolments.errors import TooLateToCancel
from marketplace.enrolments.evidence import gather
from marketplace.enrolments.models import CANCELLED, Enrolment, EnrolmentState
from marketplace.enrolments.settlement import Verdict, settle
from marketplace.enrolments.staff import require_staff
from marketplace.errors import NotFound
from marketplace.events import service as events
from marketplace.identity import audit
from marketplace.identity.models import User
from marketplace.schemes.models import Scheme
from marketplace.states import move


def cancel(session: Session, enrolment_id: uuid.UUID, participant_id: uuid.UUID) -> Enrolment:
    """Cancel one's own purchase, or the wish for a seat, all of it refunded.

    What is cancelled already, by whomever, stays as it is: its state says who was first.
    Raises NotFound for somebody else's and TooLateToCancel once the run has started (self-paced:
    once the first unit was opened, or the access is over).
    """
    owner = session.scalar(select(Enrolment.participant_id).where(Enrolment.id == enrolment_id))
    if owner is None or owner != participant_id:
        raise NotFound("no such enrolment")
    enrolment = locks.lock_enrolment(session, enrolment_id)
    if enrolment.state in CANCELLED:
        return enrolment
    if enrolment.is_awaiting:
        confirmation.withdraw(session, enrolment)
        return enrolment
    now = clock.now(session)
    if enrolment.state != EnrolmentState.PURCHASED or now >= cancellable_until(enrolment.run):
        raise TooLateToCancel("no longer cancellable", starts_at=enrolment.run.starts_at)
    settle(session, [Verdict(enrolment, EnrolmentState.CANCELLED_BY_PARTICIPANT)], None, now)
    waiting.free_seat(session, enrolment.run)
    revocation_clock.resume(session, [enrolment.grant], now, by_participant=True)
    return enrolment


def cancellable_until(run: Run) -> datetime:
    """When the right to a full refund ends, unopened self-paced courses counted until access ends."""
    return run.ends_at if run.kind == RunKind.SELF_PACED else run.starts_at


def cancel_run(session: Session, run_id: uuid.UUID, actor: User | None, reason: str) -> int:
    """Cancel a run for its provider and settle everybody in it; the number of enrolments ended.

    Before the start everything is refunded; mid-way the provider keeps the percent attended of the
    sessions that have begun, with neither minimum nor uplift. A repeat changes nothing. Raises NotFound
    for another provider's run and TooLateToCancel when the run is over.
    """
    run, enrolments = locks.lock_run(session, run_id)
    require_staff(session, actor, run.course.provider_id)
    if run.state == RunState.CANCELLED:
        return 0
    now = clock.now(session)
    if now >= run.ends_at:
        raise TooLateToCancel("the run is over", starts_at=run.starts_at)
    evidence = gather(session, run, begun_by=now)
    bought = [each for each in enrolments if each.is_live]
    verdicts = [judge(each, evidence, reason) for each in bought]
    settle(session, conflicts.hold_own(session, run.course.provider_id, verdicts), actor, now)
    move(run, RunState.CANCELLED, RUN_TRANSITIONS)
    run.cancel_reason = reason
    confirmation.call_off(session, [each for each in enrolments if each.is_awaiting], reason)
    revocation_clock.resume(session, [each.grant for each in bought], now, by_participant=False)
    _record_cancelled_run(session, run, actor, reason, len(enrolments))
    return len(enrolments)


def refund(session: Session, enrolment_id: uuid.UUID, actor: User, reason: str) -> Enrolment:
    """Take a purchase back for the programme, all of it refunded, before its result is declared.

    A repeat changes nothing. Raises NotFound, and IllegalTransition for what has ended or waits for a seat.
    """
    enrolment = locks.lock_enrolment(session, enrolment_id)
    if enrolment.state == EnrolmentState.CANCELLED_BY_PROGRAMME:
        return enrolment
    now = clock.now(session)
    settle(session, [Verdict(enrolment, EnrolmentState.CANCELLED_BY_PROGRAMME, reason=reason)], actor, now)
    if enrolment.run.state == RunState.OPEN:
        waiting.free_seat(session, enrolment.run)
    revocation_clock.resume(session, [enrolment.grant], now, by_participant=False)
    audit.record(session, actor, "enrolment.refund", f"enrolment:{enrolment.id}", price=enrolment.price)
    return enrolment


def refund_unopened(session: Session, limit: int = 200) -> int:
    """Return self-paced purchases that nobody opened for the scheme's number of days; how many."""
    now = clock.now(session)
    unopened = _list_unopened(session, now, limit)
    if not unopened:
        return 0
    enrolments = locks.lock_enrolments(session, unopened)
    bought = [each for each in enrolments if each.state == EnrolmentState.PURCHASED]
    settle(session, [Verdict(each, EnrolmentState.CANCELLED_BY_PROGRAMME) for each in bought], None, now)
    for enrolment in bought:
        waiting.free_seat(session, enrolment.run)
    revocation_clock.resume(session, [each.grant for each in bought], now, by_participant=False)
    return len(bought)


def _list_unopened(session: Session, now: datetime, limit: int) -> list[uuid.UUID]:
    could_open = func.greatest(Enrolment.purchased_at, Enrolment.confirmed_at, Run.starts_at)
    waited = could_open + func.make_interval(0, 0, 0, Scheme.unopened_refund_days)
    return list(
        session.scalars(
            select(Enrolment.id)
            .join(Run, Enrolment.run_id == Run.id)
            .join(Scheme, Enrolment.scheme_code == Scheme.code)
            .where(
                Run.kind == RunKind.SELF_PACED,
                Run.state == RunState.OPEN,
                Enrolment.state == EnrolmentState.PURCHASED,
                waited <= now,
            )
            .order_by(Enrolment.id)
            .limit(limit)
        )
    )


def _record_cancelled_run(session: Session, run: Run, actor: User | None, reason: str, ended: int) -> None:
    provider_id = run.course.provider_id
    events.record(session, "run.cancelled", run.id, provider_id=provider_id, reason=reason, enrolments=ended)
    audit.record(session, actor, "run.cancel", f"run:{run.id}", reason=reason, enrolments=ended)
