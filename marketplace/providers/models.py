"""Training providers, their staff and their bank accounts."""

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ledger import Base, uuid7
from marketplace.identity.models import User
from marketplace.states import one_of


class Provider(Base):
    """A seller of courses (lembaga pelatihan)."""

    __tablename__ = "provider"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    name: Mapped[str] = mapped_column(Text, unique=True)
    slug: Mapped[str] = mapped_column(Text, unique=True)
    city: Mapped[str] = mapped_column(Text, default="")
    province_code: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    suspended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class ProviderStaff(Base):
    """Who may act for a provider."""

    __tablename__ = "provider_staff"

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user.id"), primary_key=True)
    provider_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("provider.id"), index=True)
    added_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)
    provider: Mapped[Provider] = relationship(lazy="joined", innerjoin=True)


class BankAccountState(StrEnum):
    PROPOSED = "proposed"
    APPROVED = "approved"
    REPLACED = "replaced"


BANK_ACCOUNT_TRANSITIONS = {
    BankAccountState.PROPOSED: {BankAccountState.APPROVED, BankAccountState.REPLACED},
    BankAccountState.APPROVED: {BankAccountState.REPLACED},
}


class BankAccount(Base):
    """Where a provider is paid. A new one needs a second person and waits some days before use.

    `blocked_code` is the bank's reason for refusing it: nothing is sent there until finance staff
    ask for another try or the account is replaced.
    """

    __tablename__ = "bank_account"
    __table_args__ = (
        CheckConstraint(one_of("state", BankAccountState), name="state"),
        CheckConstraint("approved_by IS NULL OR approved_by <> proposed_by", name="two_people"),
        CheckConstraint(
            "state <> 'approved' OR (approved_by IS NOT NULL AND usable_from IS NOT NULL)", name="approved"
        ),
        Index("uq_bank_account_in_use", "provider_id", unique=True, postgresql_where="state = 'approved'"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    provider_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("provider.id"), index=True)
    bank_code: Mapped[str] = mapped_column(Text)
    holder_name: Mapped[str] = mapped_column(Text)
    number_encrypted: Mapped[bytes]
    number_index: Mapped[bytes] = mapped_column(index=True)
    number_ending: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, default=BankAccountState.PROPOSED.value)
    proposed_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("user.id"))
    proposed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    approved_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user.id"))
    usable_from: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    blocked_code: Mapped[str | None] = mapped_column(Text)
    provider: Mapped[Provider] = relationship(lazy="joined", innerjoin=True)
