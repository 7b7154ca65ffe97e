"""Training providers, their staff and their bank accounts."""

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, SmallInteger, Text
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


class StaffRole(StrEnum):
    """An owner does everything; teaching staff courses and classes, finance staff what is paid and where."""

    OWNER = "owner"
    TEACHING = "teaching"
    FINANCE = "finance"


class ProviderStaff(Base):
    """Who may act for a provider, and in which part."""

    __tablename__ = "provider_staff"
    __table_args__ = (CheckConstraint(one_of("role", StaffRole), name="role"),)

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user.id"), primary_key=True)
    provider_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("provider.id"), index=True)
    role: Mapped[str] = mapped_column(Text)
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


class ConflictStatement(Base):
    """What somebody of a provider's staff stated for a year. No text: there is no conflict of interest."""

    __tablename__ = "conflict_statement"
    __table_args__ = (Index(None, "provider_id", "year"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    provider_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("provider.id"))
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user.id"))
    year: Mapped[int] = mapped_column(SmallInteger)
    text: Mapped[str] = mapped_column(Text)
    stated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)


class ApplicationState(StrEnum):
    DRAFTED = "drafted"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    APPROVED = "approved"
    REJECTED = "rejected"


APPLICATION_TRANSITIONS = {
    ApplicationState.DRAFTED: {ApplicationState.SUBMITTED},
    ApplicationState.RETURNED: {ApplicationState.SUBMITTED},
    ApplicationState.SUBMITTED: {
        ApplicationState.APPROVED,
        ApplicationState.RETURNED,
        ApplicationState.REJECTED,
    },
}


class ProviderApplication(Base):
    """Somebody asks to sell here for an organisation. `comment` is the programme office's last word on it.

    Approved, it has made the provider that it names, and its applicant that provider's first owner.
    """

    __tablename__ = "provider_application"
    __table_args__ = (
        CheckConstraint(one_of("state", ApplicationState), name="state"),
        CheckConstraint("(state = 'approved') = (provider_id IS NOT NULL)", name="approved"),
        CheckConstraint("decided_by IS NULL OR decided_by <> user_id", name="two_people"),
        Index(
            "uq_provider_application_open",
            "user_id",
            unique=True,
            postgresql_where="state IN ('drafted', 'submitted', 'returned')",
        ),
        Index(
            "uq_provider_application_registration",
            "registration_number",
            unique=True,
            postgresql_where="state = 'approved'",
        ),
        Index("ix_provider_application_queue", "submitted_at", postgresql_where="state = 'submitted'"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user.id"))
    name: Mapped[str] = mapped_column(Text)
    registration_number: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    city: Mapped[str] = mapped_column(Text)
    province_code: Mapped[str] = mapped_column(Text)
    contact_name: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, default=ApplicationState.DRAFTED.value)
    comment: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    submitted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    decided_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user.id"))
    provider_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("provider.id"))
    user: Mapped[User] = relationship(foreign_keys=[user_id], lazy="joined", innerjoin=True)
    documents: Mapped[list["ProviderDocument"]] = relationship(order_by="ProviderDocument.id")


class ProviderDocument(Base):
    """One document of an application, encrypted: it names people. Loaded only by who opens it."""

    __tablename__ = "provider_document"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("provider_application.id"), index=True)
    name: Mapped[str] = mapped_column(Text)
    media_type: Mapped[str] = mapped_column(Text)
    size: Mapped[int]
    content_encrypted: Mapped[bytes] = mapped_column(deferred=True)
    uploaded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
