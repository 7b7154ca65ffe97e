"""Payout runs, payouts and their lines, and the bank's files and statement lines."""

import uuid
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ledger import Base, uuid7
from marketplace.enrolments.models import Earning
from marketplace.providers.models import BankAccount, Provider
from marketplace.schemes.models import Rupiah
from marketplace.states import one_of


class PayoutRunState(StrEnum):
    """Prepared by beat, submitted by a person, approved by another one."""

    PREPARED = "prepared"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    CANCELLED = "cancelled"


PAYOUT_RUN_TRANSITIONS = {
    PayoutRunState.PREPARED: {PayoutRunState.SUBMITTED, PayoutRunState.CANCELLED},
    PayoutRunState.SUBMITTED: {PayoutRunState.APPROVED, PayoutRunState.CANCELLED},
}


class PayoutRun(Base):
    """One scheme's payouts of one day, approved together. A CHECK keeps the two people apart.

    The first of a day is prepared by beat; a person may ask for further ones (`prepared_by`).
    What became of it after the approval is told by its payouts.
    """

    __tablename__ = "payout_run"
    __table_args__ = (
        CheckConstraint(one_of("state", PayoutRunState), name="state"),
        CheckConstraint("approved_by IS NULL OR approved_by <> submitted_by", name="two_people"),
        CheckConstraint(
            "state <> 'approved' OR (submitted_by IS NOT NULL AND approved_by IS NOT NULL)", name="four_eyes"
        ),
        UniqueConstraint("scheme_code", "day", "sequence"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    scheme_code: Mapped[str] = mapped_column(ForeignKey("scheme.code"))
    day: Mapped[date] = mapped_column(Date)
    sequence: Mapped[int] = mapped_column(SmallInteger, default=1)
    state: Mapped[str] = mapped_column(Text, default=PayoutRunState.PREPARED.value)
    prepared_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    prepared_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user.id"))
    submitted_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user.id"))
    submitted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    approved_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user.id"))
    approved_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    cancelled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    cancel_reason: Mapped[str | None] = mapped_column(Text)
    payouts: Mapped[list["Payout"]] = relationship(back_populates="run", order_by="Payout.id")


class PayoutState(StrEnum):
    """Only a line of the bank's statement makes a payout paid."""

    PREPARED = "prepared"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    PAID = "paid"
    FAILED = "failed"
    RETURNED = "returned"
    CANCELLED = "cancelled"


_P = PayoutState
MOVING = (_P.SENDING, _P.SENT, _P.UNKNOWN)
"""On its way: the bank may have it, and its last word is still to come."""

PAYOUT_TRANSITIONS = {
    _P.PREPARED: {_P.SENDING, _P.CANCELLED},
    _P.SENDING: {_P.SENT, _P.PAID, _P.FAILED},
    _P.SENT: {_P.UNKNOWN, _P.SENDING, _P.PAID, _P.FAILED},
    # Back to sending only when the bank says that it never saw the file: the same file goes again.
    _P.UNKNOWN: {_P.SENDING, _P.SENT, _P.PAID, _P.FAILED},
    # A bank that pays what it had rejected: its statement is the truth.
    _P.FAILED: {_P.PAID},
    _P.PAID: {_P.RETURNED},
}


class Payout(Base):
    """Money leaving to one provider's bank account. Its id is the bank's EndToEndId.

    `reason_code` and `reason_words` are the bank's, for a payout that failed or came back.
    `enquire_at` is wall time: when the bank is asked, should it have said nothing until then.
    """

    __tablename__ = "payout"
    __table_args__ = (
        UniqueConstraint("run_id", "provider_id"),
        CheckConstraint(one_of("state", PayoutState), name="state"),
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint(
            "state IN ('prepared', 'cancelled') OR transaction_id IS NOT NULL", name="in_transit"
        ),
        Index("ix_payout_moving", "state", postgresql_where="state IN ('sending', 'sent', 'unknown')"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    run_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("payout_run.id"))
    provider_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("provider.id"), index=True)
    bank_account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("bank_account.id"))
    amount: Mapped[Decimal] = mapped_column(Rupiah)
    state: Mapped[str] = mapped_column(Text, default=PayoutState.PREPARED.value)
    reason_code: Mapped[str | None] = mapped_column(Text)
    reason_words: Mapped[str | None] = mapped_column(Text)
    transaction_id: Mapped[uuid.UUID | None]
    sending_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    sent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    accepted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    enquire_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    settled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    run: Mapped[PayoutRun] = relationship(back_populates="payouts", lazy="joined", innerjoin=True)
    provider: Mapped[Provider] = relationship(lazy="joined", innerjoin=True)
    bank_account: Mapped[BankAccount] = relationship()
    lines: Mapped[list["PayoutLine"]] = relationship(back_populates="payout")

    @property
    def label(self) -> str:
        """The public name: `po_` and 32 hexadecimal digits."""
        return f"po_{self.id.hex}"


class PayoutLine(Base):
    """One earning inside one payout. Released when the payout failed, came back or was cancelled,
    so that a later run can pay it; until then no other payout can hold the same earning."""

    __tablename__ = "payout_line"
    __table_args__ = (
        Index("uq_payout_line_earning", "earning_id", unique=True, postgresql_where="released_at IS NULL"),
        Index(None, "payout_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    payout_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("payout.id"))
    earning_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("earning.id"))
    amount: Mapped[Decimal] = mapped_column(Rupiah)
    released_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    payout: Mapped[Payout] = relationship(back_populates="lines")
    earning: Mapped[Earning] = relationship()


class BankFileKind(StrEnum):
    STATUS_REPORT = "status_report"
    STATEMENT = "statement"
    UNREADABLE = "unreadable"


class BankFile(Base):
    """A file from the bank that has been read, named by its content so that a repeat is known.

    `problem` says why it could not be used at all; `findings` name what is odd in a usable one.
    """

    __tablename__ = "bank_file"
    __table_args__ = (CheckConstraint(one_of("kind", BankFileKind), name="kind"), Index(None, "read_at"))

    sha256: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    read_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    problem: Mapped[str | None] = mapped_column(Text)
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)


class BankStatement(Base):
    """One account statement: what the bank says stood there before and after its lines."""

    __tablename__ = "bank_statement"
    __table_args__ = (UniqueConstraint("account", "reference"), Index(None, "account", "closed_on"))

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    file_sha256: Mapped[bytes] = mapped_column(ForeignKey("bank_file.sha256"))
    account: Mapped[str] = mapped_column(Text)
    reference: Mapped[str] = mapped_column(Text)
    number: Mapped[int | None] = mapped_column(BigInteger)
    opened_on: Mapped[date] = mapped_column(Date)
    closed_on: Mapped[date] = mapped_column(Date)
    opening: Mapped[Decimal] = mapped_column(Rupiah)
    closing: Mapped[Decimal] = mapped_column(Rupiah)


class BankLineState(StrEnum):
    EXPLAINED = "explained"
    SUSPENDED = "suspended"


BANK_LINE_TRANSITIONS = {BankLineState.SUSPENDED: {BankLineState.EXPLAINED}}


class BankLineReason(StrEnum):
    """What a line of the statement is, or why nobody can say."""

    PAYOUT_PAID = "payout_paid"
    PAID_AFTER_REJECTION = "paid_after_rejection"
    PAYOUT_RETURNED = "payout_returned"
    APPROPRIATION = "appropriation"
    CORRECTION = "correction"
    UNKNOWN = "unknown"
    DOUBLED = "doubled"
    ALTERED_AMOUNT = "altered_amount"
    NEVER_SENT = "never_sent"
    RETURN_BEFORE_PAYMENT = "return_before_payment"


class BankLine(Base):
    """One line of the bank's statement: explained by a posting, or parked in suspense with a reason.

    `amount` is signed: positive came in, negative went out. `late` marks a line that was booked
    before the period of the statement it came in.
    """

    __tablename__ = "bank_line"
    __table_args__ = (
        UniqueConstraint("account", "reference"),
        CheckConstraint(one_of("state", BankLineState), name="state"),
        CheckConstraint(one_of("reason", BankLineReason), name="reason"),
        CheckConstraint("amount <> 0", name="amount"),
        Index("ix_bank_line_suspended", "end_to_end_id", postgresql_where="state = 'suspended'"),
        Index(None, "payout_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    file_sha256: Mapped[bytes] = mapped_column(ForeignKey("bank_file.sha256"))
    account: Mapped[str] = mapped_column(Text)
    reference: Mapped[str] = mapped_column(Text)
    booked_on: Mapped[date] = mapped_column(Date)
    amount: Mapped[Decimal] = mapped_column(Rupiah)
    end_to_end_id: Mapped[str | None] = mapped_column(Text)
    remittance: Mapped[str] = mapped_column(Text, default="")
    return_code: Mapped[str | None] = mapped_column(Text)
    late: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(Text, default=BankLineState.SUSPENDED.value)
    reason: Mapped[str] = mapped_column(Text)
    payout_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("payout.id"))
    transaction_id: Mapped[uuid.UUID | None]
