"""Complaints, what was written about them, and what the programme office announces."""

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ledger import Base, uuid7
from marketplace.enrolments.models import Enrolment
from marketplace.identity.models import User
from marketplace.participants.models import Participant
from marketplace.payouts.models import Payout
from marketplace.providers.models import Provider
from marketplace.states import one_of


class ComplaintState(StrEnum):
    """Opened waits for the office, answered for whoever complained, escalated for a second person."""

    OPENED = "opened"
    ANSWERED = "answered"
    ESCALATED = "escalated"
    UPHELD = "upheld"
    CLOSED = "closed"


_S = ComplaintState
WAITING = (_S.OPENED, _S.ESCALATED)
"""The programme office has the next word."""

ENDED = (_S.UPHELD, _S.CLOSED)

COMPLAINT_TRANSITIONS = {
    _S.OPENED: {_S.ANSWERED},
    _S.ANSWERED: {_S.OPENED, _S.ESCALATED, _S.UPHELD, _S.CLOSED},
    _S.ESCALATED: {_S.UPHELD, _S.CLOSED},
}


class Category(StrEnum):
    """What a complaint is about."""

    CLASS = "class"
    ATTENDANCE = "attendance"
    MONEY = "money"
    CERTIFICATE = "certificate"
    PAYOUT = "payout"
    ACCOUNT = "account"
    OTHER = "other"


class Remedy(StrEnum):
    """What an upheld complaint does: the purchase is refunded, or the provider's earning is held."""

    REFUND = "refund"
    HOLD = "hold"


class Complaint(Base):
    """Somebody is not content: a participant, or a provider through its staff. In programme time.

    `due_at` is until when the side that has the next word should say it; `waiting_since` is when its
    turn began. `answered_by` is who of the office answered last; `decided_by` is another person.
    """

    __tablename__ = "complaint"
    __table_args__ = (
        UniqueConstraint("opened_by", "key"),
        CheckConstraint(one_of("state", ComplaintState), name="state"),
        CheckConstraint(one_of("category", Category), name="category"),
        CheckConstraint(one_of("remedy", Remedy), name="remedy"),
        CheckConstraint("(participant_id IS NULL) <> (provider_id IS NULL)", name="side"),
        CheckConstraint(
            "payout_id IS NULL OR (provider_id IS NOT NULL AND enrolment_id IS NULL)", name="payout"
        ),
        CheckConstraint("(state IN ('upheld', 'closed')) = (ended_at IS NOT NULL)", name="ended"),
        CheckConstraint("(ended_at IS NULL) = (due_at IS NOT NULL)", name="due"),
        CheckConstraint("state = 'opened' OR answered_by IS NOT NULL", name="answered"),
        CheckConstraint(
            "(state = 'upheld') = (remedy IS NOT NULL)"
            " AND (state <> 'upheld' OR (decided_by IS NOT NULL AND enrolment_id IS NOT NULL))",
            name="upheld",
        ),
        CheckConstraint("decided_by <> answered_by", name="two_people"),
        Index(None, "state", "waiting_since", "id"),
        Index(None, "participant_id", "id"),
        Index(None, "provider_id", "id"),
        Index(None, "enrolment_id"),
        Index("ix_complaint_due", "due_at", postgresql_where="state = 'answered'"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    number: Mapped[str] = mapped_column(Text, unique=True)
    opened_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("user.id"))
    key: Mapped[str] = mapped_column(Text)
    participant_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("participant.id"))
    provider_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("provider.id"))
    enrolment_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("enrolment.id"))
    payout_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("payout.id"))
    scheme_code: Mapped[str] = mapped_column(ForeignKey("scheme.code"))
    category: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, default=ComplaintState.OPENED.value)
    opened_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    waiting_since: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    due_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    answered_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user.id"))
    decided_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user.id"))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    remedy: Mapped[str | None] = mapped_column(Text)
    opener: Mapped[User] = relationship(foreign_keys=[opened_by])
    participant: Mapped[Participant | None] = relationship()
    provider: Mapped[Provider | None] = relationship()
    enrolment: Mapped[Enrolment | None] = relationship()
    payout: Mapped[Payout | None] = relationship()
    messages: Mapped[list["ComplaintMessage"]] = relationship(
        back_populates="complaint", order_by="ComplaintMessage.id"
    )

    @property
    def is_ended(self) -> bool:
        """Nothing more happens."""
        return self.state in ENDED


class Author(StrEnum):
    """Which side wrote."""

    COMPLAINANT = "complainant"
    OFFICE = "office"


class ComplaintMessage(Base):
    """One text of a complaint, as it was written: rows are only ever added. `key` is of its form."""

    __tablename__ = "complaint_message"
    __table_args__ = (
        UniqueConstraint("complaint_id", "key"),
        CheckConstraint(one_of("author", Author), name="author"),
        CheckConstraint("char_length(body) BETWEEN 1 AND 2000", name="body"),
        Index(None, "complaint_id", "id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    complaint_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("complaint.id"))
    author: Mapped[str] = mapped_column(Text)
    written_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("user.id"))
    key: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    written_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    complaint: Mapped[Complaint] = relationship(back_populates="messages")
    writer: Mapped[User] = relationship()
    attachments: Mapped[list["ComplaintAttachment"]] = relationship(
        back_populates="message", order_by="ComplaintAttachment.id"
    )


class ComplaintAttachment(Base):
    """Evidence that came with a text, encrypted: it names people. Rows are only ever added."""

    __tablename__ = "complaint_attachment"
    __table_args__ = (
        CheckConstraint("media_type IN ('application/pdf', 'image/png', 'image/jpeg')", name="media_type"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    message_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("complaint_message.id"), index=True)
    name: Mapped[str] = mapped_column(Text)
    media_type: Mapped[str] = mapped_column(Text)
    size: Mapped[int]
    content_encrypted: Mapped[bytes] = mapped_column(deferred=True)
    message: Mapped[ComplaintMessage] = relationship(back_populates="attachments")


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    INCIDENT = "incident"


class Audience(StrEnum):
    EVERYBODY = "everybody"
    PARTICIPANTS = "participants"
    PROVIDERS = "providers"


class Announcement(Base):
    """What the programme office tells many at once, in both languages. On the wall's clock.

    Its words stay as they are; it may be ended early. One that was taken back before it began ends as it
    begins, and nobody ever saw it.
    """

    __tablename__ = "announcement"
    __table_args__ = (
        UniqueConstraint("written_by", "key"),
        CheckConstraint(one_of("severity", Severity), name="severity"),
        CheckConstraint(one_of("audience", Audience), name="audience"),
        CheckConstraint("starts_at <= ends_at", name="period"),
        CheckConstraint(
            "char_length(text_id) BETWEEN 1 AND 300 AND char_length(text_en) BETWEEN 1 AND 300", name="text"
        ),
        Index(None, "ends_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    written_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("user.id"))
    key: Mapped[str] = mapped_column(Text)
    severity: Mapped[str] = mapped_column(Text)
    audience: Mapped[str] = mapped_column(Text)
    text_id: Mapped[str] = mapped_column(Text)
    text_en: Mapped[str] = mapped_column(Text)
    written_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    starts_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ends_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user.id"))

    def text(self, language: str) -> str:
        """Its words in one of the two languages."""
        return self.text_en if language == "en" else self.text_id

    @property
    def was_taken_back(self) -> bool:
        """Ended before it began."""
        return self.starts_at == self.ends_at
