"""Purchase: the one way in. How enrolments end is in cancellation.py and completion.py."""

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

import ledger
from marketplace import chart, clock
from marketplace.batches import service as batches
from marketplace.batches.models import Grant, GrantState
from marketplace.catalogue import service as catalogue
from marketplace.catalogue.errors import NoSeats
from marketplace.catalogue.models import Run, RunState
from marketplace.enrolments import confirmation, conflicts, locks, offer, receipts, waiting
from marketplace.enrolments.cancellation import cancel, cancel_run
from marketplace.enrolments.errors import (
    AlreadyEnrolled,
    EligibilityLost,
    GrantMissing,
    InsufficientBalance,
    KeyReused,
    OfferChanged,
    RunCancelled,
)
from marketplace.enrolments.models import CANCELLED, Enrolment, EnrolmentState
from marketplace.enrolments.settlement import is_spendable
from marketplace.errors import NotFound

__all__ = ["PurchaseRequest", "cancel", "cancel_run", "purchase"]

_RECEIPT_TRIES = 5


@dataclass(frozen=True, slots=True)
class PurchaseRequest:
    """One wish to buy. `key` makes a repeat harmless; what the buyer saw is compared, never used."""

    participant_id: uuid.UUID
    run_id: uuid.UUID
    key: str
    version_seen: int
    price_seen: Decimal
    confirmation_seen: bool = False

    @property
    def fingerprint(self) -> bytes:
        """Tells a repeat of the same request from another one under the same key."""
        seen = f"{self.run_id}|{self.version_seen}|{self.price_seen}"
        if self.confirmation_seen:
            seen += "|confirmation"
        return hashlib.sha256(seen.encode()).digest()


def purchase(session: Session, request: PurchaseRequest) -> Enrolment:
    """Buy a seat with the training balance; the same request again returns the same enrolment.

    Where the run needs the provider's confirmation, the price is set aside until then.
    Raises KeyReused, AlreadyEnrolled, GrantMissing, BalanceExpired, EligibilityLost, RunStarted,
    RunCancelled, CourseNotOnSale, CourseOutsideScheme, ConfirmationClosed, OfferChanged, NoSeats,
    InsufficientBalance.
    Source: 'Buying' in the rules; the chart's event "purchase".
    """
    grant = locks.lock_grant_of(session, request.participant_id)
    if grant is None:
        raise GrantMissing("no grant", state=None)
    run = _get_run(session, request.run_id)
    now = clock.now(session)
    _require_eligible(session, request, grant, now)
    enrolment, is_new = _claim(session, request, grant, run, now)
    if is_new:
        _check(request, grant, run, now)
        if not waiting.take_offered(session, enrolment.participant_id, run.id, now):
            _take_seat(session, run)
        _pay(session, enrolment, run.course.price)
        _stop_revocation_clock(grant, enrolment, now)
        session.flush()
        tell = confirmation.announce_wait if enrolment.is_awaiting else confirmation.announce
        tell(session, enrolment)
    return enrolment


def _check(request: PurchaseRequest, grant: Grant, run: Run, now: datetime) -> None:
    offer.check(grant, run, request.version_seen, request.price_seen, now)
    if request.confirmation_seen != run.needs_confirmation:
        raise OfferChanged("confirmation", price=run.course.price, version=run.course.version)


def _require_eligible(session: Session, request: PurchaseRequest, grant: Grant, now: datetime) -> None:
    """Freeze the grant of somebody who may not buy any more; an honest repeat still finds its purchase.

    This comes before the key is claimed: the refusal is `recorded`, and a claim must not be.
    """
    code = grant.frozen_code or grant.participant.blocked_code
    if code is None or not is_spendable(grant, now) or _find_earlier(session, request) is not None:
        return
    if grant.state == GrantState.ACTIVE:
        batches.freeze(session, grant, code)
    raise EligibilityLost(code, reason=code)


def _take_seat(session: Session, run: Run) -> None:
    """A run cancelled since we looked has no seat either, but that is another thing to be told."""
    try:
        catalogue.take_seat(session, run.id)
    except NoSeats:
        session.refresh(run, ["state"])
        if run.state != RunState.OPEN:
            raise RunCancelled("cancelled meanwhile", state=run.state) from None
        raise


def _get_run(session: Session, run_id: uuid.UUID) -> Run:
    run = session.get(Run, run_id, populate_existing=True)
    if run is None:
        raise NotFound("no such run", run_id=run_id)
    return run


def _claim(
    session: Session, request: PurchaseRequest, grant: Grant, run: Run, now: datetime
) -> tuple[Enrolment, bool]:
    """Take the key before anything is checked: a retry of the purchase that took the last seat or
    the last rupiah must find its own enrolment, not a refusal."""
    waits = _waiting_values(session, grant, run, now) if run.needs_confirmation else {}
    for _ in range(_RECEIPT_TRIES):
        claimed = session.scalars(
            insert(Enrolment)
            .values(_claim_values(request, grant, run, now) | waits)
            .on_conflict_do_nothing()
            .returning(Enrolment)
        ).first()
        if claimed is not None:
            return claimed, True
        earlier = _find_earlier(session, request)
        if earlier is not None:
            return earlier, False
    raise RuntimeError("receipt numbers keep colliding: the number space is exhausted")


def _claim_values(request: PurchaseRequest, grant: Grant, run: Run, now: datetime) -> dict[str, object]:
    return {
        "participant_id": request.participant_id,
        "run_id": run.id,
        "provider_id": run.course.provider_id,
        "grant_id": grant.id,
        "scheme_code": grant.scheme_code,
        "key": request.key,
        "request_hash": request.fingerprint,
        "receipt_number": receipts.new_number(clock.local_date(now)),
        "course_version": run.course.version,
        "price": Decimal(0),
        "fee_rate": grant.scheme.fee_rate,
        "balance_after": Decimal(0),
        "purchased_at": now,
        "bought_by_staff": conflicts.is_staff(grant.participant.user_id, run.course.provider_id),
    }


def _waiting_values(session: Session, grant: Grant, run: Run, now: datetime) -> dict[str, object]:
    return {
        "state": EnrolmentState.AWAITING_CONFIRMATION.value,
        "confirm_by": confirmation.deadline(session, run, grant, now),
    }


def _find_earlier(session: Session, request: PurchaseRequest) -> Enrolment | None:
    """Whatever stood in the way of the claim: this request, or another purchase of the same run."""
    mine = select(Enrolment).where(Enrolment.participant_id == request.participant_id)
    earlier = session.scalars(mine.where(Enrolment.key == request.key)).first()
    if earlier is not None:
        if earlier.request_hash != request.fingerprint:
            raise KeyReused("this key bought something else")
        return earlier
    other = session.scalars(
        mine.where(Enrolment.run_id == request.run_id, Enrolment.state.not_in(CANCELLED))
    ).first()
    if other is not None:
        raise AlreadyEnrolled("this participant has this run", enrolment_id=other.id)
    return None


def _pay(session: Session, enrolment: Enrolment, price: Decimal) -> None:
    """Move the price from the training balance into escrow, or set it aside. Rp0 moves nothing.

    The grant is locked, so what is available here is what the posting meets; the database's own guard
    stands behind it.
    """
    account = chart.benefit(enrolment.participant_id)
    available = ledger.available(session, account)
    if available < price:
        raise _too_dear(available, price)
    enrolment.balance_after = available - price
    if price == 0:
        return
    posting = ledger.Posting(account, chart.escrow(enrolment.provider_id), price)
    try:
        _post_or_hold(session, enrolment, posting)
    except ledger.InsufficientBalance as refusal:
        raise _too_dear(available, price) from refusal
    enrolment.price = price


def _post_or_hold(session: Session, enrolment: Enrolment, posting: ledger.Posting) -> None:
    key, reference = f"purchase:{enrolment.id}", f"enrolment:{enrolment.id}"
    if enrolment.confirm_by is None:
        posted = ledger.post(session, key, "purchase", [posting], reference=reference)
        enrolment.transaction_id = posted.id
    else:
        held = ledger.hold(session, key, "purchase", posting, enrolment.confirm_by, reference=reference)
        enrolment.hold_id = held.id


def _too_dear(balance: Decimal, price: Decimal) -> InsufficientBalance:
    return InsufficientBalance("price above balance", balance=balance, price=price, short_by=price - balance)


def _stop_revocation_clock(grant: Grant, enrolment: Enrolment, now: datetime) -> None:
    if enrolment.price > 0 and grant.first_purchase_at is None:
        grant.first_purchase_at = now
