"""Reading payouts: runs, what a provider may expect, what the bank said, and whether the books hold."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from sqlalchemy import exists, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, joinedload, selectinload

import ledger
from marketplace import clock
from marketplace.errors import NotFound
from marketplace.payouts import due
from marketplace.payouts.models import (
    MOVING,
    BankFile,
    BankLine,
    BankLineState,
    BankStatement,
    Payout,
    PayoutLine,
    PayoutRun,
    PayoutRunState,
    PayoutState,
)
from marketplace.providers.models import Provider
from marketplace.schemes import queries as schemes
from marketplace.schemes.models import Scheme

OVERDUE_AFTER = timedelta(days=3)
"""Programme time from the hand-over; by then the bank's statement should show a payout."""

LEFT = ("bank", "receivable")
RIGHT = ("fund", "reserve", "benefit", "escrow", "payable", "cash", "transit", "fees", "suspense")


@dataclass(frozen=True, slots=True)
class Equation:
    """What the programme has, against what it owes and keeps; whole rupiah by account family."""

    left: Sequence[tuple[str, Decimal]]
    right: Sequence[tuple[str, Decimal]]

    @property
    def left_total(self) -> Decimal:
        return sum((amount for _, amount in self.left), Decimal(0))

    @property
    def right_total(self) -> Decimal:
        return sum((amount for _, amount in self.right), Decimal(0))

    @property
    def holds(self) -> bool:
        return self.left_total == self.right_total


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run with its figures: how many payouts, their sum, and how many are in which state."""

    run: PayoutRun
    payouts: int
    amount: Decimal
    states: dict[str, int]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Matured money of one provider that is not in a run, and why."""

    provider_id: uuid.UUID
    provider_name: str
    reason: due.WaitingReason
    amount: Decimal
    earnings: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Two statements that do not join: one between them is missing, or the bank has changed one."""

    before: BankStatement
    after: BankStatement

    @property
    def difference(self) -> Decimal:
        return self.after.opening - self.before.closing


def equation(session: Session) -> Equation:
    """The equation at the end of the chart of accounts, which must hold at all times."""
    return equation_of(ledger.trial_balance(session))


def equation_of(trial: ledger.TrialBalance) -> Equation:
    """The equation by a trial balance that has been read already."""
    return Equation(
        left=[(family, trial.total(family)) for family in LEFT],
        right=[(family, trial.total(family)) for family in RIGHT],
    )


def list_runs(session: Session, limit: int = 50, state: PayoutRunState | None = None) -> list[RunSummary]:
    """The latest payout runs with their figures."""
    query = select(PayoutRun).order_by(PayoutRun.id.desc()).limit(limit)
    if state is not None:
        query = query.where(PayoutRun.state == state)
    return _summaries(session, session.scalars(query).all())


def get_run(session: Session, run_id: uuid.UUID) -> PayoutRun:
    """A run with its payouts, their providers and accounts. Raises NotFound."""
    payouts = selectinload(PayoutRun.payouts).joinedload(Payout.bank_account)
    run = session.scalar(select(PayoutRun).where(PayoutRun.id == run_id).options(payouts))
    if run is None:
        raise NotFound(f"no payout run {run_id}")
    return run


def summarise(session: Session, run: PayoutRun) -> RunSummary:
    """The figures of one run."""
    return _summaries(session, [run])[0]


def list_waiting(session: Session, scheme_code: str) -> list[Waiting]:
    """Matured money that a run prepared now would leave out, with the reason, by provider's name."""
    scheme = schemes.get_scheme(session, scheme_code)
    waiting = due.assess(session, scheme, clock.today(session)).waiting
    ids = {claim.provider_id for claim, _ in waiting}
    found = session.scalars(select(Provider).where(Provider.id.in_(ids)))
    names = {provider.id: provider.name for provider in found}
    rows = [
        Waiting(claim.provider_id, names[claim.provider_id], reason, claim.amount, len(claim.earnings))
        for claim, reason in waiting
    ]
    return sorted(rows, key=lambda row: (row.provider_name, row.reason))


def sum_payable(session: Session, scheme_code: str) -> tuple[int, Decimal]:
    """How many providers a run prepared now would pay, and how much."""
    payable = due.assess(session, schemes.get_scheme(session, scheme_code), clock.today(session)).payable
    return len(payable), sum((claim.amount for claim, _ in payable), Decimal(0))


def list_for_provider(
    session: Session, provider_id: uuid.UUID, limit: int, before: uuid.UUID | None = None
) -> list[Payout]:
    """A provider's payouts, the latest first; `before` is the last id of the page before."""
    query = select(Payout).where(Payout.provider_id == provider_id).options(joinedload(Payout.bank_account))
    if before is not None:
        query = query.where(Payout.id < before)
    return list(session.scalars(query.order_by(Payout.id.desc()).limit(limit)))


def get_payout(session: Session, payout_id: uuid.UUID, provider_id: uuid.UUID | None = None) -> Payout:
    """A payout; with `provider_id`, only that provider's. Raises NotFound."""
    query = select(Payout).where(Payout.id == payout_id).options(joinedload(Payout.bank_account))
    if provider_id is not None:
        query = query.where(Payout.provider_id == provider_id)
    payout = session.scalar(query)
    if payout is None:
        raise NotFound(f"no payout {payout_id}")
    return payout


def list_lines(session: Session, payout_id: uuid.UUID) -> list[PayoutLine]:
    """Exactly the earnings that a payout covers, with their enrolments and courses."""
    query = select(PayoutLine).where(PayoutLine.payout_id == payout_id)
    return list(session.scalars(query.options(joinedload(PayoutLine.earning)).order_by(PayoutLine.id)))


def list_payouts_of_earning(session: Session, earning_id: uuid.UUID) -> list[Payout]:
    """Every payout that one earning was ever in, the latest first."""
    query = select(Payout).join(PayoutLine, PayoutLine.payout_id == Payout.id)
    return list(session.scalars(query.where(PayoutLine.earning_id == earning_id).order_by(Payout.id.desc())))


def list_later_payouts(session: Session, payout: Payout) -> list[Payout]:
    """Payouts that took over earnings of a rejected or returned one, the latest first."""
    own = select(PayoutLine.earning_id).where(PayoutLine.payout_id == payout.id)
    taken = select(PayoutLine.payout_id).where(
        PayoutLine.earning_id.in_(own), PayoutLine.released_at.is_(None), PayoutLine.payout_id != payout.id
    )
    return list(session.scalars(select(Payout).where(Payout.id.in_(taken)).order_by(Payout.id.desc())))


def list_last_refused(session: Session, provider_ids: Collection[uuid.UUID]) -> list[Payout]:
    """For each of these providers the latest payout that the bank refused or sent back, if any."""
    refused = (PayoutState.FAILED, PayoutState.RETURNED)
    query = select(Payout).where(Payout.provider_id.in_(provider_ids), Payout.state.in_(refused))
    latest = query.ext(distinct_on(Payout.provider_id)).order_by(Payout.provider_id, Payout.id.desc())
    return list(session.scalars(latest))


def count_by_state(session: Session) -> dict[str, tuple[int, Decimal]]:
    """How many payouts are in each state, and their sum."""
    query = select(Payout.state, func.count(), func.sum(Payout.amount)).group_by(Payout.state)
    return {state: (count, amount) for state, count, amount in session.execute(query)}


def list_overdue(session: Session) -> list[Payout]:
    """Payouts that should be on a statement by now and are not: the missing lines."""
    before = clock.now(session) - OVERDUE_AFTER
    query = select(Payout).where(Payout.state.in_(MOVING), Payout.sending_at < before)
    return list(session.scalars(query.order_by(Payout.id)))


def list_bank_lines(session: Session, state: BankLineState | None = None, limit: int = 100) -> list[BankLine]:
    """Lines of the bank's statements, the latest first."""
    query = select(BankLine).order_by(BankLine.booked_on.desc(), BankLine.id.desc()).limit(limit)
    return list(session.scalars(query.where(BankLine.state == state) if state else query))


def list_bank_files(session: Session, limit: int = 50) -> list[BankFile]:
    """Files that the bank sent, the latest first, with their problems and findings."""
    return list(session.scalars(select(BankFile).order_by(BankFile.read_at.desc()).limit(limit)))


def list_gaps(session: Session) -> list[Gap]:
    """Where one statement's opening balance is not the closing balance of the one before it."""
    order = (BankStatement.account, BankStatement.number, BankStatement.closed_on, BankStatement.id)
    statements = session.scalars(select(BankStatement).order_by(*order)).all()
    return [
        Gap(before, after)
        for before, after in pairwise(statements)
        if before.account == after.account and before.closing != after.opening
    ]


def list_schemes_without_run(session: Session, day: date) -> list[str]:
    """Schemes for which no run of this day has been prepared."""
    has_run = exists().where(PayoutRun.scheme_code == Scheme.code, PayoutRun.day == day)
    return list(session.scalars(select(Scheme.code).where(~has_run).order_by(Scheme.code)))


def _summaries(session: Session, runs: Sequence[PayoutRun]) -> list[RunSummary]:
    query = (
        select(Payout.run_id, Payout.state, func.count(), func.sum(Payout.amount))
        .where(Payout.run_id.in_([run.id for run in runs]))
        .group_by(Payout.run_id, Payout.state)
    )
    states: dict[uuid.UUID, dict[str, int]] = {run.id: {} for run in runs}
    amounts = {run.id: Decimal(0) for run in runs}
    for run_id, state, count, amount in session.execute(query):
        states[run_id][state] = count
        amounts[run_id] += amount
    return [RunSummary(run, sum(states[run.id].values()), amounts[run.id], states[run.id]) for run in runs]
