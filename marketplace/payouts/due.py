"""What is due to whom, and why the rest still waits: decided here once, for runs and for pages."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session

from ledger import uuid7
from marketplace import clock
from marketplace.enrolments.models import UNPAID, Earning, EarningState
from marketplace.payouts.iso20022 import (
    CreditTransfer,
    Debtor,
    PaymentFile,
    PaymentFileError,
    write_payment_file,
)
from marketplace.payouts.models import PayoutLine
from marketplace.payouts.orders import credit_transfer
from marketplace.providers.models import BankAccount, BankAccountState
from marketplace.schemes.models import Scheme


class WaitingReason(StrEnum):
    """Why matured money is not in a payout run."""

    HELD = "held"
    NO_BANK_ACCOUNT = "no_bank_account"
    BANK_ACCOUNT_WAITING = "bank_account_waiting"
    BANK_ACCOUNT_BLOCKED = "bank_account_blocked"
    BANK_ACCOUNT_UNUSABLE = "bank_account_unusable"
    BELOW_MINIMUM = "below_minimum"
    NOTHING_LEFT = "nothing_left"


@dataclass(frozen=True, slots=True)
class DueEarning:
    """A matured earning that no payout has. `net` is whole rupiah."""

    id: uuid.UUID
    provider_id: uuid.UUID
    net: Decimal
    matures_at: datetime
    state: str


@dataclass(frozen=True, slots=True)
class Claim:
    """What one provider may be paid now, or has waiting for one reason."""

    provider_id: uuid.UUID
    earnings: Sequence[DueEarning]

    @property
    def amount(self) -> Decimal:
        """Net of everything, in whole rupiah; a claw-back is a negative earning."""
        return sum((earning.net for earning in self.earnings), Decimal(0))


@dataclass(frozen=True, slots=True)
class Due:
    """The matured money of one scheme: payable to these accounts, or waiting for these reasons."""

    payable: list[tuple[Claim, BankAccount]] = field(default_factory=list)
    waiting: list[tuple[Claim, WaitingReason]] = field(default_factory=list)


def assess(session: Session, scheme: Scheme, day: date, *, lock: bool = False) -> Due:
    """Sort the scheme's matured earnings into payable and waiting, as of now, for a run of `day`.

    With `lock` the earnings stay locked until the transaction ends, so that a hold comes either
    before the run or after it.
    """
    now = clock.now(session)
    query = _matured(scheme.code, now)
    rows = session.execute(query.with_for_update(of=Earning) if lock else query)
    claims = _group([DueEarning(*row) for row in rows])
    accounts = _accounts(session, {provider_id for provider_id, _ in claims})
    due = Due()
    for (provider_id, held), earnings in claims.items():
        claim, account = Claim(provider_id, earnings), accounts.get(provider_id)
        reason = WaitingReason.HELD if held else _obstacle(claim, account, scheme, day, now)
        if reason is not None:
            due.waiting.append((claim, reason))
        elif account is not None:
            due.payable.append((claim, account))
    return due


def _matured(scheme_code: str, now: datetime) -> Select[uuid.UUID, uuid.UUID, Decimal, datetime, str]:
    in_a_payout = exists().where(PayoutLine.earning_id == Earning.id, PayoutLine.released_at.is_(None))
    return (
        select(Earning.id, Earning.provider_id, Earning.net, Earning.matures_at, Earning.state)
        .where(
            Earning.scheme_code == scheme_code,
            Earning.state.in_(UNPAID),
            Earning.matures_at <= now,
            ~in_a_payout,
        )
        .order_by(Earning.id)
    )


def _group(earnings: Iterable[DueEarning]) -> Mapping[tuple[uuid.UUID, bool], list[DueEarning]]:
    """By provider; held ones apart, so that they do not keep the others back."""
    groups: dict[tuple[uuid.UUID, bool], list[DueEarning]] = defaultdict(list)
    for earning in earnings:
        groups[earning.provider_id, earning.state == EarningState.HELD].append(earning)
    return groups


def _accounts(session: Session, provider_ids: set[uuid.UUID]) -> Mapping[uuid.UUID, BankAccount]:
    rows = session.scalars(
        select(BankAccount).where(
            BankAccount.provider_id.in_(provider_ids), BankAccount.state == BankAccountState.APPROVED
        )
    )
    return {account.provider_id: account for account in rows}


def _obstacle(
    claim: Claim, account: BankAccount | None, scheme: Scheme, day: date, now: datetime
) -> WaitingReason | None:
    """What keeps a provider's money back, or None when it may go."""
    if account is None:
        return WaitingReason.NO_BANK_ACCOUNT
    if account.blocked_code is not None:
        return WaitingReason.BANK_ACCOUNT_BLOCKED
    if account.usable_from is None or account.usable_from > now:
        return WaitingReason.BANK_ACCOUNT_WAITING
    if claim.amount <= 0:
        return WaitingReason.NOTHING_LEFT
    if claim.amount < scheme.payout_minimum and not _month_is_over(claim, day):
        return WaitingReason.BELOW_MINIMUM
    return None if _can_be_written(claim, account) else WaitingReason.BANK_ACCOUNT_UNUSABLE


def _month_is_over(claim: Claim, day: date) -> bool:
    """Small amounts wait until the month's last day; what an earlier month left over waits no more."""
    last_day = (day + timedelta(days=1)).month != day.month
    oldest = min(clock.local_date(earning.matures_at) for earning in claim.earnings)
    return last_day or (oldest.year, oldest.month) < (day.year, day.month)


def _can_be_written(claim: Claim, account: BankAccount) -> bool:
    """Whether a payment file can carry this account: one bad account must not stop a whole run."""
    transfer = credit_transfer(uuid7(), claim.amount, account, "-")
    try:
        write_payment_file(_probe(transfer))
    except PaymentFileError:
        return False
    return True


def _probe(transfer: CreditTransfer) -> PaymentFile:
    debtor = Debtor(name="Bekal", bank_code="BEKAIDJA", account_number="0")
    return PaymentFile(transfer.payout_id, datetime(2000, 1, 1, tzinfo=UTC), debtor, [transfer])
