"""A provider's month: what became its own and what was paid, between two balances of the ledger."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, lazyload

import ledger
from marketplace import chart, clock
from marketplace.enrolments.models import Earning, Enrolment
from marketplace.payouts.models import Payout

_ENROLMENT = "enrolment:"
_PAYOUT = "po_"


@dataclass(frozen=True, slots=True)
class Line:
    """One posting on what is owed to the provider, with what it was for; rupiah, positive when owed more.

    `enrolment` where it is about one, `earning` where this posting credited it, and `payout` where money left
    or came back.
    """

    at: datetime
    kind: str
    amount: Decimal
    balance: Decimal
    transaction_id: uuid.UUID
    enrolment: Enrolment | None
    earning: Earning | None
    payout: Payout | None


@dataclass(frozen=True, slots=True)
class MonthStatement:
    """Opening balance + earned - paid = closing balance, all by the ledger's own lines.

    `is_closed` is false while the month goes on; `closing` is then the balance of now.
    """

    month: date
    is_closed: bool
    opening: Decimal
    lines: Sequence[Line]
    closing: Decimal

    @property
    def earned(self) -> Decimal:
        """What completions added."""
        return sum((line.amount for line in self.lines if line.payout is None), Decimal(0))

    @property
    def paid(self) -> Decimal:
        """What payouts took, less what banks gave back."""
        return -sum((line.amount for line in self.lines if line.payout is not None), Decimal(0))


def list_months(session: Session, provider_id: uuid.UUID) -> list[date]:
    """The first days of the months since the first earning, the latest first; none before it."""
    first = session.scalar(select(func.min(Earning.accrued_at)).where(Earning.provider_id == provider_id))
    if first is None:
        return []
    month = clock.local_date(first).replace(day=1)
    months: list[date] = []
    while month <= clock.today(session):
        months.append(month)
        month = next_month(month)
    return months[::-1]


def next_month(month: date) -> date:
    """The first day of the month after."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def month_statement(session: Session, provider_id: uuid.UUID, month: date) -> MonthStatement:
    """The statement of one month (its first day), in Asia/Jakarta. At most five queries.

    A provider that has earned nothing yet has no account, and so a statement of zeros.
    """
    begins, ends = clock.start_of_day(month), clock.start_of_day(next_month(month))
    is_closed = ends <= clock.now(session)
    try:
        found = ledger.statement(session, chart.payable(provider_id), begins, ends)
    except ledger.UnknownAccount:
        return MonthStatement(month, is_closed, Decimal(0), [], Decimal(0))
    earnings = _earnings(session, {line.transaction_id for line in found.lines})
    enrolments = _enrolments(
        session, {each for line in found.lines if (each := _id(line.reference, _ENROLMENT))}
    )
    payouts = _payouts(session, {each for line in found.lines if (each := _id(line.reference, _PAYOUT))})
    lines = [_line(line, enrolments, earnings, payouts) for line in found.lines]
    return MonthStatement(month, is_closed, found.opening, lines, found.closing)


def _line(
    line: ledger.StatementLine,
    enrolments: Mapping[uuid.UUID, Enrolment],
    earnings: Mapping[uuid.UUID, Earning],
    payouts: Mapping[uuid.UUID, Payout],
) -> Line:
    enrolment_id, payout_id = _id(line.reference, _ENROLMENT), _id(line.reference, _PAYOUT)
    return Line(
        at=line.effective_at,
        kind=line.kind,
        amount=line.amount,
        balance=line.balance,
        transaction_id=line.transaction_id,
        enrolment=enrolments.get(enrolment_id) if enrolment_id else None,
        earning=earnings.get(line.transaction_id),
        payout=payouts.get(payout_id) if payout_id else None,
    )


def _id(reference: str | None, prefix: str) -> uuid.UUID | None:
    """The id behind `enrolment:…` or `po_…`; None for a reference to something else."""
    return uuid.UUID(reference.removeprefix(prefix)) if reference and reference.startswith(prefix) else None


def _enrolments(session: Session, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Enrolment]:
    return {each.id: each for each in session.scalars(select(Enrolment).where(Enrolment.id.in_(ids)))}


def _earnings(session: Session, transaction_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Earning]:
    """By the transaction that credited them."""
    wanted = select(Earning).where(Earning.transaction_id.in_(transaction_ids))
    found = session.scalars(wanted.options(lazyload(Earning.enrolment)))
    return {each.transaction_id: each for each in found}


def _payouts(session: Session, payout_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Payout]:
    wanted = select(Payout).where(Payout.id.in_(payout_ids)).options(joinedload(Payout.bank_account))
    return {each.id: each for each in session.scalars(wanted)}
