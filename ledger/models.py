"""The ledger's tables as mapped classes, for reading only: schema.sql makes them, functions write them."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import TIMESTAMP, BigInteger, LargeBinary, Numeric, SmallInteger, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from ledger.base import Base

_AMOUNT = Numeric(20, 2)
_INSTANT = TIMESTAMP(timezone=True)
_SCHEMA = {"schema": "ledger", "info": {"managed_by": "ledger/schema.sql"}}


class Account(Base):
    """An account: what it is comes from its family and never changes."""

    __tablename__ = "account"
    __table_args__ = _SCHEMA

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(Text, unique=True)
    family: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    guard: Mapped[str] = mapped_column(Text)
    mode: Mapped[str] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime] = mapped_column(_INSTANT)
    closed_at: Mapped[datetime | None] = mapped_column(_INSTANT)


class Transaction(Base):
    """A transaction: a reason, a key, and what it settles or reverses; its money is in its postings."""

    __tablename__ = "transaction"
    __table_args__ = _SCHEMA

    id: Mapped[UUID] = mapped_column(primary_key=True)
    salt: Mapped[UUID]
    position: Mapped[int] = mapped_column(BigInteger)
    effective_at: Mapped[datetime] = mapped_column(_INSTANT)
    recorded_at: Mapped[datetime] = mapped_column(_INSTANT)
    postings: Mapped[int] = mapped_column(SmallInteger)
    kind: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(Text, unique=True)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    commitment: Mapped[bytes] = mapped_column(LargeBinary)
    settles: Mapped[UUID | None]
    reverses: Mapped[UUID | None]
    reference: Mapped[str | None] = mapped_column(Text)
    personal_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    metadata_: Mapped[dict[str, Any] | None] = mapped_column("metadata", JSONB)


class Entry(Base):
    """A posting: both sides of one movement in one row."""

    __tablename__ = "posting"
    __table_args__ = _SCHEMA

    transaction_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger)
    debit_account: Mapped[int]
    credit_account: Mapped[int]
    amount: Mapped[Decimal] = mapped_column(_AMOUNT)
