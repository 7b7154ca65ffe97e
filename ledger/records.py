"""What goes into the ledger and what comes out of it, as plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

JSON: TypeAlias = "Mapping[str, JSON] | Sequence[JSON] | str | int | float | bool | None"


@dataclass(frozen=True, slots=True)
class Posting:
    """One amount moved between two accounts, named by their codes: both sides in one row."""

    debit: str
    credit: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class TransactionRequest:
    """One transaction to be posted; the arguments of ``post()`` as a value, for ``post_many()``."""

    key: str
    kind: str
    postings: Sequence[Posting]
    settles: UUID | None = None
    reverses: UUID | None = None
    effective_at: datetime | None = None
    reference: str | None = None
    metadata: Mapping[str, JSON] | None = None
    personal: Mapping[str, JSON] | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of a request.

    ``replayed`` is true when its key had been posted before with the same content; ``balances`` are those of
    the touched counted accounts, natural side positive; ``commitment`` is the log entry (32 bytes).
    """

    id: UUID
    replayed: bool
    balances: Mapping[str, Decimal]
    commitment: bytes


class HoldState(StrEnum):
    """What became of a hold by now."""

    LIVE = "live"
    CAPTURED = "captured"
    RELEASED = "released"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Held:
    """The hold that a request made, or had made before where ``replayed`` is true."""

    id: UUID
    replayed: bool


@dataclass(frozen=True, slots=True)
class HoldRecord:
    """A hold as it was written, and its state; ``transaction_id`` is the capture's."""

    id: UUID
    key: str
    kind: str
    account: str
    credit: str
    amount: Decimal
    expires_at: datetime
    recorded_at: datetime
    reference: str | None
    state: HoldState
    captured: Decimal
    transaction_id: UUID | None


@dataclass(frozen=True, slots=True)
class TransactionRecord:
    """A transaction as it was written."""

    id: UUID
    kind: str
    key: str
    effective_at: datetime
    recorded_at: datetime
    postings: Sequence[Posting]
    settles: UUID | None
    reverses: UUID | None
    reference: str | None
    metadata: Mapping[str, JSON] | None
    commitment: bytes


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One posting seen from an account; a positive amount raises its balance, which follows."""

    transaction_id: UUID
    kind: str
    effective_at: datetime
    reference: str | None
    counterpart: str
    amount: Decimal
    balance: Decimal


@dataclass(frozen=True, slots=True)
class Statement:
    """The lines of an account over a time, between its opening and closing balance."""

    account: str
    opening: Decimal
    lines: Sequence[StatementLine]
    closing: Decimal


@dataclass(frozen=True, slots=True)
class Funds:
    """What is in an account, and what of it is held."""

    balance: Decimal
    held: Decimal

    @property
    def available(self) -> Decimal:
        return self.balance - self.held


@dataclass(frozen=True, slots=True)
class Passbook:
    """What is in an account, with every line that led to it."""

    funds: Funds
    lines: Sequence[StatementLine]


@dataclass(frozen=True, slots=True)
class TrialBalanceRow:
    """What an account was debited and credited; ``balance`` has its natural side positive."""

    code: str
    family: str
    kind: str
    debits: Decimal
    credits: Decimal
    balance: Decimal


@dataclass(frozen=True, slots=True)
class FamilyTotal:
    """The sum over all accounts of one family."""

    family: str
    kind: str
    debits: Decimal
    credits: Decimal
    balance: Decimal


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """Every account at one instant, the totals by family, and whether both sides are equal."""

    rows: Sequence[TrialBalanceRow]
    families: Sequence[FamilyTotal]
    debits: Decimal
    credits: Decimal

    @property
    def is_balanced(self) -> bool:
        """Whether all debits equal all credits."""
        return self.debits == self.credits

    def total(self, family: str) -> Decimal:
        """Return the balance of a family, natural side positive; zero when it has no account."""
        return sum((each.balance for each in self.families if each.family == family), Decimal(0))
