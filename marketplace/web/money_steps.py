"""One purchase's money, step by step, from the ledger itself."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from ledger import TransactionRecord, find_transactions
from marketplace.enrolments.models import Enrolment
from marketplace.web.state_words import kind_words


@dataclass(frozen=True, slots=True)
class Step:
    """A ledger transaction in words, with the sum that it moved."""

    record: TransactionRecord
    words: str
    at: datetime
    amount: Decimal


def list_steps(session: Session, enrolment: Enrolment) -> list[Step]:
    """What happened to the money of an enrolment, oldest first. Empty for a free course."""
    if enrolment.transaction_id is None:
        return []
    records = find_transactions(session, reference=f"enrolment:{enrolment.id}")
    return [_step(record) for record in sorted(records, key=lambda record: record.recorded_at)]


def _step(record: TransactionRecord) -> Step:
    amount = sum((posting.amount for posting in record.postings), Decimal(0))
    return Step(record, kind_words(record.kind), record.effective_at, amount)
