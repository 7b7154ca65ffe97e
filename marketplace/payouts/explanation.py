"""What a line of the bank's statement is: a payout, its return, an appropriation, or unexplained.

`judge` only looks; `book` changes the payout and says what is to be posted. A line that nobody can
explain is money on the account all the same: it is posted against suspense, with a reason.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import Posting, TransactionRequest
from marketplace import chart
from marketplace.payouts import settlement
from marketplace.payouts.models import (
    BANK_LINE_TRANSITIONS,
    MOVING,
    BankLine,
    BankLineReason,
    BankLineState,
    Payout,
    PayoutState,
)
from marketplace.schemes.models import Appropriation
from marketplace.states import move

_R = BankLineReason
_EXPLAINED = "bank_line_explained:"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a line is. `partner` is the parked line that it takes back; `transaction_id` is the
    posting that had booked the money before the bank told of it."""

    reason: BankLineReason
    explained: bool
    payout: Payout | None = None
    partner: BankLine | None = None
    transaction_id: UUID | None = None


def judge(session: Session, line: BankLine) -> Verdict:
    """Explain a line by what the books know now. Changes nothing."""
    payout = settlement.lock_payout(session, line.end_to_end_id)
    if line.amount < 0:
        return _judge_debit(session, line, payout)
    if partner := _find_partner(session, line):
        return Verdict(_R.CORRECTION, True, payout, partner)
    return _judge_return(line, payout) if payout else _judge_deposit(session, line)


def book(session: Session, line: BankLine, verdict: Verdict) -> list[TransactionRequest]:
    """Write a verdict into the line and its payout; the postings that go with it."""
    was_parked = line.transaction_id is not None
    line.reason, line.payout_id = verdict.reason, verdict.payout.id if verdict.payout else None
    if not verdict.explained:
        return [] if was_parked else [_suspense(line, f"bank_line:{line.id}")]
    move(line, BankLineState.EXPLAINED, BANK_LINE_TRANSITIONS)
    if verdict.partner is not None:
        # Both stay posted to suspense, where they cancel each other out.
        verdict.partner.reason = _R.CORRECTION
        move(verdict.partner, BankLineState.EXPLAINED, BANK_LINE_TRANSITIONS)
        return [] if was_parked else [_suspense(line, f"bank_line:{line.id}")]
    requests = [_out_of_suspense(line)] if was_parked else []
    line.transaction_id = verdict.transaction_id
    return requests + _settle(session, line, verdict)


def leaves_suspense(request: TransactionRequest) -> bool:
    """Whether a posting only takes back the parking of a line: it is not what the line was for."""
    return request.key.startswith(_EXPLAINED)


def _judge_debit(session: Session, line: BankLine, payout: Payout | None) -> Verdict:
    if payout is None:
        return Verdict(_R.UNKNOWN, False)
    if payout.state in (PayoutState.PREPARED, PayoutState.CANCELLED):
        return Verdict(_R.NEVER_SENT, False, payout)
    if line.amount != -payout.amount:
        return Verdict(_R.ALTERED_AMOUNT, False, payout)
    if payout.state in MOVING:
        return Verdict(_R.PAYOUT_PAID, True, payout)
    if payout.state == PayoutState.FAILED:
        return Verdict(_R.PAID_AFTER_REJECTION, settlement.can_readopt(session, payout), payout)
    return Verdict(_R.DOUBLED, False, payout)


def _judge_return(line: BankLine, payout: Payout) -> Verdict:
    if line.amount != payout.amount:
        return Verdict(_R.ALTERED_AMOUNT, False, payout)
    if payout.state == PayoutState.PAID:
        return Verdict(_R.PAYOUT_RETURNED, True, payout)
    if payout.state == PayoutState.RETURNED:
        return Verdict(_R.DOUBLED, False, payout)
    return Verdict(_R.RETURN_BEFORE_PAYMENT, False, payout)


def _judge_deposit(session: Session, line: BankLine) -> Verdict:
    """State money is booked when it is appropriated; the bank's line confirms that once."""
    names = {name.strip() for name in (line.remittance, line.end_to_end_id or "") if name.strip()}
    appropriation = session.scalar(select(Appropriation).where(Appropriation.reference.in_(names)))
    if appropriation is None:
        return Verdict(_R.UNKNOWN, False)
    if appropriation.amount != line.amount:
        return Verdict(_R.ALTERED_AMOUNT, False)
    booked = appropriation.transaction_id
    if session.scalar(select(BankLine.id).where(BankLine.transaction_id == booked)) is not None:
        return Verdict(_R.DOUBLED, False)
    return Verdict(_R.APPROPRIATION, True, transaction_id=booked)


def _find_partner(session: Session, line: BankLine) -> BankLine | None:
    """A parked debit of the same payment and amount: the bank corrects its own mistake."""
    if line.end_to_end_id is None:
        return None
    return session.scalar(
        select(BankLine)
        .where(
            BankLine.state == BankLineState.SUSPENDED,
            BankLine.end_to_end_id == line.end_to_end_id,
            BankLine.amount == -line.amount,
        )
        .order_by(BankLine.id)
        .limit(1)
    )


def _settle(session: Session, line: BankLine, verdict: Verdict) -> list[TransactionRequest]:
    if verdict.payout is None:
        return []
    if verdict.reason is _R.PAYOUT_PAID:
        return [settlement.pay(session, verdict.payout)]
    if verdict.reason is _R.PAID_AFTER_REJECTION:
        return [settlement.readopt(session, verdict.payout)]
    return [settlement.give_back(session, verdict.payout, line.return_code)]


def _suspense(line: BankLine, key: str) -> TransactionRequest:
    """Money that came in waits on suspense; money that went out is taken from there."""
    came_in = Posting(chart.BANK_TREASURY, chart.SUSPENSE_BANK, abs(line.amount))
    went_out = Posting(chart.SUSPENSE_BANK, chart.BANK_TREASURY, abs(line.amount))
    posting = came_in if line.amount > 0 else went_out
    return TransactionRequest(key=key, kind="bank_line", postings=[posting], reference=f"line:{line.id}")


def _out_of_suspense(line: BankLine) -> TransactionRequest:
    """The later explanation: the parked posting the other way round."""
    came_in = Posting(chart.SUSPENSE_BANK, chart.BANK_TREASURY, abs(line.amount))
    went_out = Posting(chart.BANK_TREASURY, chart.SUSPENSE_BANK, abs(line.amount))
    posting = came_in if line.amount > 0 else went_out
    key = f"{_EXPLAINED}{line.id}"
    return TransactionRequest(key=key, kind="bank_line", postings=[posting], reference=f"line:{line.id}")
