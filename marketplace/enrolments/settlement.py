"""Settling purchases: where the money in escrow goes, and the rows that say why.

Every way an enrolment can end passes here, with one ledger key per enrolment: whoever comes second,
by a race or a retry, finds the key taken.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

import ledger
from marketplace import chart
from marketplace.batches.models import Grant, GrantState
from marketplace.enrolments import certificates, messages, pay
from marketplace.enrolments.models import (
    CANCELLED,
    ENROLMENT_TRANSITIONS,
    LIVE,
    Earning,
    EarningState,
    Enrolment,
    EnrolmentState,
)
from marketplace.errors import IllegalTransition
from marketplace.events import service as events
from marketplace.identity.models import User
from marketplace.notifications import service as notifications
from marketplace.schemes import calendar
from marketplace.states import move


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one enrolment ends. `evidence_id` is the attendance row that earns the pay; `reason` is told."""

    enrolment: Enrolment
    state: EnrolmentState
    percent: int | None = None
    paid_percent: int = 0
    evidence_id: uuid.UUID | None = None
    hold_code: str | None = None
    reason: str = ""

    @property
    def split(self) -> pay.Split:
        return pay.split(self.enrolment.price, self.paid_percent, self.enrolment.fee_rate)


def settle(session: Session, verdicts: Sequence[Verdict], actor: User | None, now: datetime) -> None:
    """End these enrolments: move the money, then record states, earnings, messages and certificates.

    The rows must be locked (locks.py). Raises IllegalTransition when one of them has ended already.
    """
    for verdict in verdicts:
        if verdict.enrolment.state not in LIVE:
            raise IllegalTransition(
                "already ended", current=verdict.enrolment.state, target=verdict.state.value
            )
    settlements = _move_money(session, [each for each in verdicts if each.enrolment.price > 0], now)
    for verdict in verdicts:
        _record_outcome(verdict, settlements.get(verdict.enrolment.id), actor, now)
    session.flush()
    _accrue(session, [each for each in verdicts if each.split.gross > 0], now)
    events.record_many(session, [_happening(each) for each in verdicts])
    notifications.notify_many(session, [_message(each, now) for each in verdicts])
    session.flush()
    certificates.follow(session, [each.enrolment for each in verdicts])


def is_spendable(grant: Grant, now: datetime) -> bool:
    """Whether money that comes back may be spent on another course; a frozen grant may thaw."""
    return grant.state in (GrantState.ACTIVE, GrantState.FROZEN) and now <= grant.spend_by


def _move_money(session: Session, verdicts: Sequence[Verdict], now: datetime) -> dict[uuid.UUID, uuid.UUID]:
    """Post all settlements in one call; the ledger transaction of each enrolment."""
    posted = ledger.post_many(session, [_request(verdict, now) for verdict in verdicts]) if verdicts else []
    pairs = zip(verdicts, posted, strict=True)
    return {verdict.enrolment.id: transaction.id for verdict, transaction in pairs}


def _record_outcome(
    verdict: Verdict, settlement_id: uuid.UUID | None, actor: User | None, now: datetime
) -> None:
    enrolment = verdict.enrolment
    move(enrolment, verdict.state, ENROLMENT_TRANSITIONS)
    enrolment.settlement_id = settlement_id
    enrolment.percent = verdict.percent
    enrolment.paid_percent = verdict.paid_percent
    enrolment.declared_by = actor.id if actor else None
    if verdict.state in CANCELLED:
        enrolment.cancelled_at = now
    else:
        enrolment.completed_at = now


def _request(verdict: Verdict, now: datetime) -> ledger.TransactionRequest:
    enrolment = verdict.enrolment
    return ledger.TransactionRequest(
        key=f"settle:{enrolment.id}",
        kind="completion" if verdict.split.gross else "cancellation",
        postings=_postings(enrolment, verdict.split, now),
        settles=enrolment.transaction_id,
        reference=f"enrolment:{enrolment.id}",
    )


def _postings(enrolment: Enrolment, split: pay.Split, now: datetime) -> list[ledger.Posting]:
    """The legs above zero: net to the provider, fee to the programme, the rest back."""
    source = chart.escrow(enrolment.provider_id)
    home = chart.fund(enrolment.scheme_code)
    if is_spendable(enrolment.grant, now):
        home = chart.benefit(enrolment.participant_id)
    legs = (
        (chart.payable(enrolment.provider_id), split.net),
        (chart.fees(enrolment.scheme_code), split.fee),
        (home, split.rest),
    )
    return [ledger.Posting(source, target, amount) for target, amount in legs if amount > 0]


def _accrue(session: Session, verdicts: Sequence[Verdict], now: datetime) -> None:
    maturity: dict[str, datetime] = {}
    for verdict in verdicts:
        enrolment = verdict.enrolment
        if enrolment.scheme_code not in maturity:
            days = enrolment.scheme.maturity_working_days
            maturity[enrolment.scheme_code] = calendar.end_of_working_days(session, now, days)
        if enrolment.settlement_id is None:
            raise ValueError("an earning without its settlement")
        session.add(make_earning(verdict, enrolment.settlement_id, now, maturity[enrolment.scheme_code]))


def make_earning(verdict: Verdict, transaction_id: uuid.UUID, now: datetime, matures_at: datetime) -> Earning:
    """The earning of a verdict that pays; `transaction_id` credited it."""
    enrolment, split = verdict.enrolment, verdict.split
    return Earning(
        enrolment_id=enrolment.id,
        provider_id=enrolment.provider_id,
        scheme_code=enrolment.scheme_code,
        evidence_id=verdict.evidence_id,
        gross=split.gross,
        fee=split.fee,
        net=split.net,
        state=(EarningState.HELD if verdict.hold_code else EarningState.ACCRUED).value,
        hold_code=verdict.hold_code,
        accrued_at=now,
        matures_at=matures_at,
        transaction_id=transaction_id,
    )


def _happening(verdict: Verdict) -> events.Happening:
    enrolment, split = verdict.enrolment, verdict.split
    return events.Happening(
        "enrolment.cancelled" if verdict.state in CANCELLED else "enrolment.completed",
        enrolment.id,
        enrolment.provider_id,
        {
            "state": enrolment.state,
            "receipt_number": enrolment.receipt_number,
            "percent": verdict.percent,
            "paid_percent": verdict.paid_percent,
            "gross": split.gross,
            "fee": split.fee,
            "net": split.net,
            "returned": split.rest,
            "hold_code": verdict.hold_code,
            "reason": verdict.reason,
        },
    )


def _message(verdict: Verdict, now: datetime) -> notifications.Message:
    enrolment = verdict.enrolment
    ending = messages.Ending(verdict.split.rest, is_spendable(enrolment.grant, now), verdict.reason)
    return notifications.message_to(enrolment.participant.user, *messages.ended(enrolment, ending))
