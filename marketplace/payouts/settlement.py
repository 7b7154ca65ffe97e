"""What the bank's word does to a payout: its state, its earnings, the message to the provider.

Each function changes the rows and returns the posting that belongs to it, so that a file of a
thousand answers is one call of the ledger.
"""

import uuid

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased, joinedload

import ledger
from ledger import Posting, TransactionRequest
from marketplace import chart, clock
from marketplace.enrolments import earnings
from marketplace.enrolments.models import Earning, EarningState
from marketplace.identity import audit
from marketplace.notifications import service as notifications
from marketplace.payouts import messages, service
from marketplace.payouts.models import (
    PAYOUT_TRANSITIONS,
    Payout,
    PayoutLine,
    PayoutRun,
    PayoutState,
)
from marketplace.providers import queries as providers
from marketplace.states import move

ACCOUNT_CODES = frozenset(
    {"AC01", "AC03", "AC04", "AC06", "AC07", "AC13", "AG01", "BE01", "CNOR", "MD07", "RC01", "RC04", "RR04"}
)
"""External reason codes that blame the creditor's account: another try there would fail as well."""


def fail(session: Session, payout: Payout, code: str | None, words: str | None) -> TransactionRequest:
    """The bank rejected a payout: the money is owed again and its earnings are free."""
    move(payout, PayoutState.FAILED, PAYOUT_TRANSITIONS)
    _note_refusal(session, payout, code, words)
    service.release_lines(session, payout)
    service.record_event(session, "payout.failed", payout)
    _tell(session, payout, messages.rejected(payout))
    return _request(
        payout, "payout_rejected", chart.TRANSIT_PAYOUTS, _payable(payout), settles=payout.transaction_id
    )


def pay(session: Session, payout: Payout) -> TransactionRequest:
    """The statement shows the payout: its earnings are paid."""
    move(payout, PayoutState.PAID, PAYOUT_TRANSITIONS)
    payout.settled_at, payout.enquire_at = clock.now(session), None
    payout.reason_code = payout.reason_words = None
    _pay_earnings(session, payout)
    service.record_event(session, "payout.paid", payout)
    _tell(session, payout, messages.paid(payout))
    return _request(
        payout,
        "payout_confirmed",
        chart.TRANSIT_PAYOUTS,
        chart.BANK_TREASURY,
        settles=payout.transaction_id,
    )


def give_back(session: Session, payout: Payout, code: str | None) -> TransactionRequest:
    """The money came back after it was paid: it is owed again, to be paid by a later run."""
    move(payout, PayoutState.RETURNED, PAYOUT_TRANSITIONS)
    _note_refusal(session, payout, code, None)
    earnings.unpay(session, _earning_ids(session, payout))
    service.release_lines(session, payout)
    service.record_event(session, "payout.failed", payout)
    _tell(session, payout, messages.returned(payout))
    return _request(payout, "payout_returned", chart.BANK_TREASURY, _payable(payout))


def can_readopt(session: Session, payout: Payout) -> bool:
    """Whether a payout that the bank rejected, yet paid, can still have its earnings back.

    It cannot once another payout with one of them has gone to the bank.
    """
    own, other = aliased(PayoutLine), aliased(PayoutLine)
    gone_elsewhere = (
        select(Payout.id)
        .join(other, other.payout_id == Payout.id)
        .join(own, own.earning_id == other.earning_id)
        .where(own.payout_id == payout.id, Payout.id != payout.id, other.released_at.is_(None))
        .where(Payout.state != PayoutState.PREPARED)
    )
    return session.scalar(gone_elsewhere.limit(1)) is None


def readopt(session: Session, payout: Payout) -> TransactionRequest:
    """Pay a rejected payout after all, since the bank did: nobody is paid twice for one earning.

    Payouts that were prepared for the same earnings since, and have not left, are cancelled. Call
    only when `can_readopt` says so.
    """
    service.drop(session, _prepared_since(session, payout), "paid_by_earlier_payout")
    for line in session.scalars(select(PayoutLine).where(PayoutLine.payout_id == payout.id)):
        line.released_at = None
    session.flush()
    ledger.open_accounts(session, [_payable(payout)])
    again = ledger.post(
        session,
        f"payout_again:{payout.id}",
        "payout",
        [Posting(_payable(payout), chart.TRANSIT_PAYOUTS, payout.amount)],
        reference=payout.label,
    )
    payout.transaction_id = again.id
    audit.record(session, None, "payout.paid_after_rejection", payout.label)
    return pay(session, payout)


def lock_payout(session: Session, end_to_end_id: str | None) -> Payout | None:
    """The payout that an EndToEndId names, locked; None when it is not one of ours."""
    payout_id = parse_id(end_to_end_id)
    if payout_id is None:
        return None
    return session.scalar(
        select(Payout)
        .where(Payout.id == payout_id)
        .options(joinedload(Payout.bank_account))
        .with_for_update(of=Payout)
        .execution_options(populate_existing=True)
    )


def parse_id(text: str | None) -> uuid.UUID | None:
    """An id as the bank repeats it, 32 hexadecimal digits; None for anything else."""
    try:
        return uuid.UUID(hex=text or "")
    except ValueError:
        return None


def _prepared_since(session: Session, payout: Payout) -> list[Payout]:
    own, other = aliased(PayoutLine), aliased(PayoutLine)
    shares_earning = exists().where(
        other.payout_id == Payout.id,
        other.released_at.is_(None),
        other.earning_id == own.earning_id,
        own.payout_id == payout.id,
    )
    query = select(Payout).where(Payout.state == PayoutState.PREPARED, Payout.id != payout.id, shares_earning)
    found = session.scalars(query.order_by(Payout.id)).all()
    for run_id in sorted({each.run_id for each in found}):
        # The run first: sending takes the same locks in the same order.
        session.get(PayoutRun, run_id, with_for_update=True)
    return list(session.scalars(query.order_by(Payout.id).with_for_update(of=Payout)))


def _note_refusal(session: Session, payout: Payout, code: str | None, words: str | None) -> None:
    payout.settled_at, payout.enquire_at = clock.now(session), None
    payout.reason_code, payout.reason_words = code, words
    if code in ACCOUNT_CODES:
        payout.bank_account.blocked_code = code
    session.flush()


def _earning_ids(session: Session, payout: Payout) -> list[uuid.UUID]:
    live = (PayoutLine.payout_id == payout.id, PayoutLine.released_at.is_(None))
    return list(session.scalars(select(PayoutLine.earning_id).where(*live)))


def _pay_earnings(session: Session, payout: Payout) -> None:
    """A hold that came while the money was on its way is too late, and that is written down."""
    live = (PayoutLine.payout_id == payout.id, PayoutLine.released_at.is_(None))
    query = select(Earning.id, Earning.state).join(PayoutLine, PayoutLine.earning_id == Earning.id)
    states = dict(session.execute(query.where(*live)).all())
    for earning_id in (each for each, state in states.items() if state == EarningState.HELD):
        audit.record(session, None, "earning.paid_while_held", f"earning:{earning_id}", payout=payout.label)
        earnings.unhold(session, earning_id, None)
    earnings.pay(session, list(states), clock.now(session))


def _payable(payout: Payout) -> str:
    return chart.payable(payout.provider_id)


def _request(
    payout: Payout, kind: str, debit: str, credit: str, settles: uuid.UUID | None = None
) -> TransactionRequest:
    return TransactionRequest(
        key=f"{kind}:{payout.id}",
        kind=kind,
        postings=[Posting(debit, credit, payout.amount)],
        settles=settles,
        reference=payout.label,
    )


def _tell(session: Session, payout: Payout, message: messages.Message) -> None:
    """To everyone who acts for the provider, in their language."""
    for member in providers.list_staff(session, payout.provider_id):
        words = message.english if member.user.locale == "en" else message.indonesian
        notifications.notify(session, member.user, words.subject, words.body)
