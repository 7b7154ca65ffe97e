"""Seats that a provider confirms: until then the price is set aside in the balance, and the seat taken.

The hold in the ledger ends by itself at `confirm_by`, so whether there is still time is asked of the
database's clock, which is the hold's. Source: 'Buying' in the rules.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

import ledger
from marketplace import chart, clock
from marketplace.batches.models import Grant
from marketplace.catalogue.models import Run, RunState
from marketplace.enrolments import locks, messages, offer, revocation_clock, waiting
from marketplace.enrolments.errors import ConfirmationOver
from marketplace.enrolments.models import ENROLMENT_TRANSITIONS, Enrolment, EnrolmentState
from marketplace.enrolments.settlement import is_spendable
from marketplace.enrolments.staff import require_staff
from marketplace.errors import IllegalTransition
from marketplace.events import service as events
from marketplace.identity import audit
from marketplace.identity.models import User
from marketplace.notifications import service as notifications
from marketplace.providers import queries as providers
from marketplace.providers.models import StaffRole
from marketplace.schemes import calendar
from marketplace.states import move

_GIVES_SEATS = frozenset({StaffRole.OWNER, StaffRole.TEACHING})


@dataclass(frozen=True, slots=True)
class _End:
    """How a wait ends without a seat. `reason` is the provider's."""

    state: EnrolmentState
    reason: str = ""


def deadline(session: Session, run: Run, grant: Grant, now: datetime) -> datetime:
    """When the provider's time to confirm a purchase made now is over."""
    days = grant.scheme.confirmation_working_days
    return min(calendar.end_of_working_days(session, now, days), offer.confirmable_until(run, grant.scheme))


def confirm(session: Session, enrolment_id: uuid.UUID, actor: User | None) -> Enrolment:
    """Give somebody the seat: what was set aside goes into escrow. A repeat changes nothing.

    Raises NotFound (also for another provider's), ConfirmationOver, and IllegalTransition where the
    wait has ended otherwise.
    """
    enrolment = _lock(session, enrolment_id, actor)
    if enrolment.confirmed_at is not None:
        return enrolment
    _require_waiting(session, enrolment, EnrolmentState.PURCHASED)
    now = clock.now(session)
    if enrolment.hold_id is not None:
        _capture(session, enrolment, enrolment.hold_id)
    move(enrolment, EnrolmentState.PURCHASED, ENROLMENT_TRANSITIONS)
    enrolment.confirmed_at = now
    session.flush()
    announce(session, enrolment)
    audit.record(session, actor, "enrolment.confirm", f"enrolment:{enrolment.id}")
    return enrolment


def decline(session: Session, enrolment_id: uuid.UUID, actor: User | None, reason: str) -> Enrolment:
    """Refuse somebody a seat, with a reason that they read. A repeat changes nothing.

    Raises as confirm() does.
    """
    enrolment = _lock(session, enrolment_id, actor)
    if enrolment.decline_reason is not None:
        return enrolment
    _require_waiting(session, enrolment, EnrolmentState.CANCELLED_BY_PROVIDER)
    enrolment.decline_reason = reason
    _give_back(session, [enrolment], _End(EnrolmentState.CANCELLED_BY_PROVIDER, reason))
    audit.record(session, actor, "enrolment.decline", f"enrolment:{enrolment.id}", reason=reason)
    return enrolment


def withdraw(session: Session, enrolment: Enrolment) -> None:
    """Its participant does not want to wait any longer. The row is locked, and awaiting.

    Past the deadline it is the provider who kept them waiting, and the days for a first purchase follow.
    """
    if _is_over(session, enrolment):
        expire(session, [enrolment])
    else:
        _give_back(session, [enrolment], _End(EnrolmentState.CANCELLED_BY_PARTICIPANT))


def call_off(session: Session, enrolments: Sequence[Enrolment], reason: str) -> None:
    """Their run is cancelled; the caller has locked the rows."""
    _give_back(session, enrolments, _End(EnrolmentState.CANCELLED_BY_PROVIDER, reason))


def expire(session: Session, enrolments: Sequence[Enrolment]) -> None:
    """The provider said nothing in time. The caller has locked the rows."""
    _give_back(session, enrolments, _End(EnrolmentState.CONFIRMATION_EXPIRED))


def expire_due(session: Session, limit: int = 200) -> int:
    """Return what was set aside for seats that nobody confirmed in time; for how many."""
    due = session.scalars(
        select(Enrolment.id)
        .where(
            Enrolment.state == EnrolmentState.AWAITING_CONFIRMATION,
            Enrolment.confirm_by <= func.ledger.now(),
        )
        .order_by(Enrolment.id)
        .limit(limit)
    ).all()
    awaiting = [each for each in locks.lock_enrolments(session, due) if each.is_awaiting] if due else []
    expire(session, awaiting)
    return len(awaiting)


def announce(session: Session, enrolment: Enrolment) -> None:
    """A seat is bought: the event and the message of the receipt."""
    events.record(
        session,
        "enrolment.purchased",
        enrolment.id,
        provider_id=enrolment.provider_id,
        run_id=enrolment.run_id,
        receipt_number=enrolment.receipt_number,
        price=enrolment.price,
        course_version=enrolment.course_version,
    )
    notifications.notify(session, enrolment.participant.user, *messages.purchased(enrolment))


def announce_wait(session: Session, enrolment: Enrolment) -> None:
    """A seat is asked for: the event, and the messages that say until when to its buyer and to the staff who
    may give it."""
    events.record(
        session,
        "enrolment.awaiting_confirmation",
        enrolment.id,
        provider_id=enrolment.provider_id,
        run_id=enrolment.run_id,
        receipt_number=enrolment.receipt_number,
        price=enrolment.price,
        confirm_by=enrolment.confirm_by,
    )
    told = [notifications.message_to(enrolment.participant.user, *messages.awaiting(enrolment))]
    for staff in providers.list_staff(session, enrolment.provider_id):
        if staff.role in _GIVES_SEATS:
            told.append(notifications.message_to(staff.user, *messages.asked(enrolment, staff.user)))
    notifications.notify_many(session, told)


def _lock(session: Session, enrolment_id: uuid.UUID, actor: User | None) -> Enrolment:
    enrolment = locks.lock_enrolment(session, enrolment_id)
    require_staff(session, actor, enrolment.provider_id)
    return enrolment


def _require_waiting(session: Session, enrolment: Enrolment, target: EnrolmentState) -> None:
    if not enrolment.is_awaiting:
        raise IllegalTransition("not waiting", current=enrolment.state, target=target.value)
    if _is_over(session, enrolment):
        raise ConfirmationOver("too late", confirm_by=enrolment.confirm_by)


def _is_over(session: Session, enrolment: Enrolment) -> bool:
    return bool(session.scalar(select(func.ledger.now() >= enrolment.confirm_by)))


def _capture(session: Session, enrolment: Enrolment, hold_id: uuid.UUID) -> None:
    try:
        posted = ledger.capture(session, f"purchase:{enrolment.id}", hold_id)
    except ledger.HoldExpired:
        # its instant has come since we looked
        raise ConfirmationOver("too late", confirm_by=enrolment.confirm_by) from None
    left = ledger.available(session, chart.benefit(enrolment.participant_id))
    enrolment.transaction_id, enrolment.balance_after = posted.id, left


def _give_back(session: Session, enrolments: Sequence[Enrolment], end: _End) -> None:
    """Release what was set aside, free the seats, let the days for a first purchase run on, and say so."""
    now = clock.now(session)
    for enrolment in enrolments:
        if enrolment.hold_id is not None:
            ledger.release(session, enrolment.hold_id)
        move(enrolment, end.state, ENROLMENT_TRANSITIONS)
        enrolment.cancelled_at = now
    session.flush()
    for enrolment in enrolments:
        if enrolment.run.state == RunState.OPEN:
            waiting.free_seat(session, enrolment.run)
    by_participant = end.state is EnrolmentState.CANCELLED_BY_PARTICIPANT
    grants = [each.grant for each in enrolments]
    revocation_clock.resume(session, grants, now, by_participant=by_participant)
    events.record_many(session, [_happening(each, end) for each in enrolments])
    told = [_message(each, end, now) for each in enrolments]
    notifications.notify_many(session, told)
    session.flush()


def _happening(enrolment: Enrolment, end: _End) -> events.Happening:
    return events.Happening(
        "enrolment.cancelled",
        enrolment.id,
        enrolment.provider_id,
        {
            "state": enrolment.state,
            "receipt_number": enrolment.receipt_number,
            "returned": enrolment.price,
            "reason": end.reason,
        },
    )


def _message(enrolment: Enrolment, end: _End, now: datetime) -> notifications.Message:
    spendable = is_spendable(enrolment.grant, now)
    ending = messages.Ending(enrolment.price, spendable, end.reason, enrolment.decline_reason is not None)
    return notifications.message_to(enrolment.participant.user, *messages.ended(enrolment, ending))
