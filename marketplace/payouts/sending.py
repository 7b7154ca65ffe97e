"""An approved run on its way to the bank: the two transactions around the hand-over of its file.

`begin` moves the money to transit and is committed before the bank hears anything; `finish` notes
that the file lies with the bank. A crash anywhere between leaves rows that say what to do next, and
handing the same file over again has no effect.
"""

import uuid
from datetime import timedelta

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

import ledger
from ledger import Posting, TransactionRequest
from marketplace import chart, clock
from marketplace.enrolments.models import Earning, EarningState
from marketplace.identity import audit
from marketplace.payouts import service
from marketplace.payouts.iso20022 import Debtor, PaymentFile
from marketplace.payouts.models import (
    MOVING,
    PAYOUT_TRANSITIONS,
    Payout,
    PayoutLine,
    PayoutRun,
    PayoutRunState,
    PayoutState,
)
from marketplace.payouts.orders import payment_file
from marketplace.providers.models import BankAccount, BankAccountState
from marketplace.states import move

SHARED_ACCOUNTS = (chart.BANK_TREASURY, chart.TRANSIT_PAYOUTS, chart.SUSPENSE_BANK)


def begin(session: Session, run_id: uuid.UUID, debtor: Debtor) -> PaymentFile | None:
    """Post an approved run's payouts to transit; the file to hand over, or None when none is due.

    Payouts whose earnings were held, or whose account was changed or blocked since the run was
    prepared, are cancelled: what two people approved is never sent in another shape.
    """
    run = service.lock_run(session, run_id)
    if run.state != PayoutRunState.APPROVED:
        return None
    payouts = service.lock_payouts(session, run_id)
    fresh = [payout for payout in payouts if payout.state == PayoutState.PREPARED]
    kept_back = _kept_back(session, run_id) if fresh else set()
    service.drop(session, [payout for payout in fresh if payout.id in kept_back], "held_back")
    post_to_transit(session, [payout for payout in fresh if payout.id not in kept_back])
    if not any(payout.state == PayoutState.SENDING for payout in payouts):
        return None
    return payment_file(run, debtor)


def post_to_transit(session: Session, payouts: list[Payout]) -> None:
    """Move payouts from what is owed to what is under way, in one call of the ledger."""
    ledger.open_accounts(session, SHARED_ACCOUNTS)
    posted = ledger.post_many(session, [_request(payout) for payout in payouts]) if payouts else []
    now = clock.now(session)
    for payout, transaction in zip(payouts, posted, strict=True):
        move(payout, PayoutState.SENDING, PAYOUT_TRANSITIONS)
        payout.transaction_id, payout.sending_at = transaction.id, now
    session.flush()


def finish(session: Session, run_id: uuid.UUID, patience: timedelta) -> None:
    """Note that the run's file lies with the bank. Answers that were faster are left as they are."""
    for payout in service.lock_payouts(session, run_id):
        if payout.state == PayoutState.SENDING:
            mark_sent(session, payout, patience)


def mark_sent(session: Session, payout: Payout, patience: timedelta) -> None:
    """The bank has the order. `patience` is how long to wait (wall time) before asking it."""
    move(payout, PayoutState.SENT, PAYOUT_TRANSITIONS)
    payout.sent_at = payout.sent_at or clock.now(session)
    payout.enquire_at = clock.wall_now() + patience


def note_silence(session: Session, patience: timedelta) -> list[uuid.UUID]:
    """Payouts without a word for too long become unknown; the runs to ask the bank about."""
    silent = session.scalars(
        select(Payout)
        .where(
            Payout.state.in_((PayoutState.SENT, PayoutState.UNKNOWN)), Payout.enquire_at <= clock.wall_now()
        )
        .order_by(Payout.id)
        .with_for_update(of=Payout, skip_locked=True)
    ).all()
    for payout in silent:
        if payout.state == PayoutState.SENT:
            move(payout, PayoutState.UNKNOWN, PAYOUT_TRANSITIONS)
        payout.enquire_at = clock.wall_now() + patience
    return sorted({payout.run_id for payout in silent})


def send_again(session: Session, run: PayoutRun) -> bool:
    """The bank says that it never saw the run's file: let the same file go again, if that is safe.

    It is not once the bank has said anything else about the run: then a person must look, and
    False is returned.
    """
    payouts = [payout for payout in service.lock_payouts(session, run.id) if payout.transaction_id]
    if any(payout.state not in MOVING or payout.accepted_at is not None for payout in payouts):
        return False
    for payout in payouts:
        if payout.state != PayoutState.SENDING:
            move(payout, PayoutState.SENDING, PAYOUT_TRANSITIONS)
    audit.record(session, None, "payout_run.sent_again", f"payout_run:{run.id}")
    return True


def list_waiting_runs(session: Session) -> list[uuid.UUID]:
    """Approved runs with payouts that the bank has not been given yet."""
    unsent = (PayoutState.PREPARED, PayoutState.SENDING)
    has_unsent = exists().where(Payout.run_id == PayoutRun.id, Payout.state.in_(unsent))
    query = select(PayoutRun.id).where(PayoutRun.state == PayoutRunState.APPROVED, has_unsent)
    return list(session.scalars(query.order_by(PayoutRun.id)))


def _kept_back(session: Session, run_id: uuid.UUID) -> set[uuid.UUID]:
    """Payouts that may not go any more, because an earning is held or the account is out of use."""
    held = (
        exists()
        .where(PayoutLine.payout_id == Payout.id, PayoutLine.earning_id == Earning.id)
        .where(Earning.state != EarningState.ACCRUED)
    )
    out_of_use = or_(BankAccount.state != BankAccountState.APPROVED, BankAccount.blocked_code.is_not(None))
    query = select(Payout.id).join(BankAccount, BankAccount.id == Payout.bank_account_id)
    return set(session.scalars(query.where(Payout.run_id == run_id, or_(held, out_of_use))))


def _request(payout: Payout) -> TransactionRequest:
    payable = chart.payable(payout.provider_id)
    return TransactionRequest(
        key=f"payout:{payout.id}",
        kind="payout",
        postings=[Posting(payable, chart.TRANSIT_PAYOUTS, payout.amount)],
        reference=payout.label,
    )
