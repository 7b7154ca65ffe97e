"""Purchase: the one way in. How enrolments end is in cancellation.py and completion.py."""

import hashlib
import uuid
from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal

from sqlalchemy import and_, bindparam, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

import ledger
from marketplace import chart, clock
from marketplace.batches import service as batches
from marketplace.batches.models import Grant, GrantState
from marketplace.catalogue import service as catalogue
from marketplace.catalogue.errors import NoSeats
from marketplace.catalogue.models import Run, RunState
from marketplace.enrolments import confirmation, conflicts, line_queries, locks, offer, receipts, waiting
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


@dataclass(frozen=True, slots=True)
class _Sale:
    """A purchase that nothing has been written of yet. `id` will be the enrolment's."""

    request: PurchaseRequest
    grant: Grant
    run: Run
    now: datetime
    id: uuid.UUID = field(default_factory=ledger.uuid7)

    @property
    def price(self) -> Decimal:
        return self.run.course.price


@dataclass(frozen=True, slots=True)
class _Payment:
    """Where the price went, and what is left of the balance. Nothing is posted or held of Rp0."""

    balance_after: Decimal
    transaction_id: uuid.UUID | None = None
    hold_id: uuid.UUID | None = None
    confirm_by: datetime | None = None


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
    # before anything is checked: a retry of the purchase that took the last seat or the last rupiah
    # must find its own enrolment, not a refusal
    earlier = _find_earlier(session, request)
    if earlier is not None:
        return earlier
    run, is_in_line = _get_run(session, request)
    sale = _Sale(request, grant, run, clock.now(session))
    _require_eligible(session, sale)
    _check(sale)
    if not (is_in_line and waiting.take_offered(session, request.participant_id, run.id, sale.now)):
        _take_seat(session, run)
    enrolment = _enrol(session, sale, _pay(session, sale))
    _stop_revocation_clock(sale)
    tell = confirmation.announce_wait if enrolment.is_awaiting else confirmation.announce
    tell(session, enrolment)
    return enrolment


def _find_earlier(session: Session, request: PurchaseRequest) -> Enrolment | None:
    """What this very request has bought before. Raises KeyReused, AlreadyEnrolled.

    Purchases of one participant follow one another, by the grant's lock; the table's unique indexes
    stand behind it.
    """
    seen = {"participant": request.participant_id, "run": request.run_id, "key": request.key}
    found = session.scalars(_EARLIER, seen).all()
    same = next((each for each in found if each.key == request.key), None)
    if same is not None and same.request_hash != request.fingerprint:
        raise KeyReused("this key bought something else")
    if same is None and found:
        raise AlreadyEnrolled("this participant has this run", enrolment_id=found[0].id)
    return same


_EARLIER = select(Enrolment).where(
    Enrolment.participant_id == bindparam("participant"),
    or_(
        Enrolment.key == bindparam("key"),
        and_(Enrolment.run_id == bindparam("run"), Enrolment.state.not_in(CANCELLED)),
    ),
)


def _get_run(session: Session, request: PurchaseRequest) -> tuple[Run, bool]:
    """The run as it is now, and whether this buyer stands in line for it, where under the grant's lock
    they cannot come to stand meanwhile."""
    seen = {"run": request.run_id, "participant": request.participant_id}
    found = session.execute(_RUN, seen).one_or_none()
    if found is None:
        raise NotFound("no such run", run_id=request.run_id)
    run, is_in_line = found
    return run, is_in_line


_RUN = (
    select(Run, line_queries.stands_in_line(bindparam("participant"), Run.id))
    .where(Run.id == bindparam("run"))
    .execution_options(populate_existing=True)
)


def _require_eligible(session: Session, sale: _Sale) -> None:
    """Freeze the grant of somebody who may not buy any more.

    This comes before anything is written: the refusal is `recorded`, and half a purchase must not be.
    """
    grant = sale.grant
    code = grant.frozen_code or grant.participant.blocked_code
    if code is None or not is_spendable(grant, sale.now):
        return
    if grant.state == GrantState.ACTIVE:
        batches.freeze(session, grant, code)
    raise EligibilityLost(code, reason=code)


def _check(sale: _Sale) -> None:
    request, run = sale.request, sale.run
    offer.check(sale.grant, run, request.version_seen, request.price_seen, sale.now)
    if request.confirmation_seen != run.needs_confirmation:
        raise OfferChanged("confirmation", price=sale.price, version=run.course.version)


def _take_seat(session: Session, run: Run) -> None:
    """A run cancelled since we looked has no seat either, but that is another thing to be told."""
    try:
        catalogue.take_seat(session, run.id)
    except NoSeats:
        session.refresh(run, ["state"])
        if run.state != RunState.OPEN:
            raise RunCancelled("cancelled meanwhile", state=run.state) from None
        raise


def _pay(session: Session, sale: _Sale) -> _Payment:
    """Move the price from the training balance into escrow, or set it aside. Rp0 moves nothing.

    The grant is locked, so what is available here is what the posting meets; the database's own guard
    stands behind it.
    """
    account = chart.benefit(sale.request.participant_id)
    available = ledger.available(session, account)
    if available < sale.price:
        raise _too_dear(available, sale.price)
    posting = ledger.Posting(account, chart.escrow(sale.run.course.provider_id), sale.price)
    try:
        return _post_or_hold(session, sale, posting, available - sale.price)
    except ledger.InsufficientBalance as refusal:
        raise _too_dear(available, sale.price) from refusal


def _post_or_hold(session: Session, sale: _Sale, posting: ledger.Posting, left: Decimal) -> _Payment:
    key, reference = f"purchase:{sale.id}", f"enrolment:{sale.id}"
    confirm_by = None
    if sale.run.needs_confirmation:
        confirm_by = confirmation.deadline(session, sale.run, sale.grant, sale.now)
    if posting.amount == 0:
        return _Payment(left, confirm_by=confirm_by)
    if confirm_by is None:
        posted = ledger.post(session, key, "purchase", [posting], reference=reference)
        return _Payment(left, transaction_id=posted.id)
    held = ledger.hold(session, key, "purchase", posting, confirm_by, reference=reference)
    return _Payment(left, hold_id=held.id, confirm_by=confirm_by)


def _enrol(session: Session, sale: _Sale, payment: _Payment) -> Enrolment:
    """Write the enrolment down, under a receipt number that nobody has."""
    values = _values(sale) | asdict(payment)
    is_staff = conflicts.is_staff(sale.grant.participant.user_id, sale.run.course.provider_id)
    writing = _ENROL.values(bought_by_staff=is_staff)
    for _ in range(_RECEIPT_TRIES):
        number = receipts.new_number(clock.local_date(sale.now))
        enrolment = session.scalars(writing, values | {"receipt_number": number}).first()
        if enrolment is not None:
            return enrolment
    raise RuntimeError("receipt numbers keep colliding: the number space is exhausted")


_ENROL = insert(Enrolment).on_conflict_do_nothing(index_elements=["receipt_number"]).returning(Enrolment)


def _values(sale: _Sale) -> dict[str, object]:
    request, grant, run = sale.request, sale.grant, sale.run
    state = EnrolmentState.AWAITING_CONFIRMATION if run.needs_confirmation else EnrolmentState.PURCHASED
    return {
        "id": sale.id,
        "participant_id": request.participant_id,
        "run_id": run.id,
        "provider_id": run.course.provider_id,
        "grant_id": grant.id,
        "scheme_code": grant.scheme_code,
        "key": request.key,
        "request_hash": request.fingerprint,
        "course_version": run.course.version,
        "course_title": run.course.title,
        "course_hours": run.course.hours,
        "price": sale.price,
        "fee_rate": grant.scheme.fee_rate,
        "state": state.value,
        "purchased_at": sale.now,
    }


def _too_dear(balance: Decimal, price: Decimal) -> InsufficientBalance:
    return InsufficientBalance("price above balance", balance=balance, price=price, short_by=price - balance)


def _stop_revocation_clock(sale: _Sale) -> None:
    if sale.run.course.price > 0 and sale.grant.first_purchase_at is None:
        sale.grant.first_purchase_at = sale.now
