"""What comes after a completion: the certificate, the review."""

import uuid
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Date, DateTime, ForeignKey, Index, SmallInteger, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ledger import Base, uuid7
from marketplace.enrolments.models import Enrolment
from marketplace.states import one_of


class RevocationCode(StrEnum):
    """The result was corrected, or the programme office took the certificate back for a reason it gives."""

    CORRECTED = "corrected"
    OFFICE = "office"


class Certificate(Base):
    """What somebody may show of a completed enrolment. Everything that it says is copied when it is issued.

    The provider may correct the result until `final_at`; after that it stands. A certificate is never
    changed: a corrected one is revoked, and another takes its place. `judged_at` is when its incentive
    was decided.
    """

    __tablename__ = "certificate"
    __table_args__ = (
        CheckConstraint("percent BETWEEN 0 AND 100", name="percent"),
        CheckConstraint("starts_on <= ends_on", name="period"),
        CheckConstraint(one_of("revoked_code", RevocationCode), name="revoked_code"),
        CheckConstraint("(revoked_at IS NULL) = (revoked_code IS NULL)", name="revocation"),
        CheckConstraint(
            "revoked_code <> 'office' OR (revoked_by IS NOT NULL AND revoked_reason <> '')", name="reason"
        ),
        Index("uq_certificate_valid", "enrolment_id", unique=True, postgresql_where="revoked_at IS NULL"),
        Index("ix_certificate_unjudged", "final_at", postgresql_where="judged_at IS NULL"),
        Index(None, "enrolment_id"),
        Index(None, "issued_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    enrolment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("enrolment.id"))
    number: Mapped[str] = mapped_column(Text, unique=True)
    holder_name: Mapped[str] = mapped_column(Text)
    course_title: Mapped[str] = mapped_column(Text)
    provider_name: Mapped[str] = mapped_column(Text)
    hours: Mapped[int | None] = mapped_column(SmallInteger)
    percent: Mapped[int] = mapped_column(SmallInteger)
    starts_on: Mapped[date] = mapped_column(Date)
    ends_on: Mapped[date] = mapped_column(Date)
    issued_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    final_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_code: Mapped[str | None] = mapped_column(Text)
    revoked_reason: Mapped[str] = mapped_column(Text, default="")
    revoked_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user.id"))
    judged_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    enrolment: Mapped[Enrolment] = relationship()


class Review(Base):
    """What one participant thinks of a course, 1 to 5 stars and words, and the provider's answer."""

    __tablename__ = "review"
    __table_args__ = (
        CheckConstraint("rating BETWEEN 1 AND 5", name="rating"),
        CheckConstraint("(answer = '') = (answered_at IS NULL)", name="answer"),
        Index(None, "course_id", "id"),
        Index(None, "provider_id", "id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    enrolment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("enrolment.id"), unique=True)
    course_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("course.id"))
    provider_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("provider.id"))
    rating: Mapped[int] = mapped_column(SmallInteger)
    words: Mapped[str] = mapped_column(Text)
    written_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    changed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    answer: Mapped[str] = mapped_column(Text, default="")
    answered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    answered_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user.id"))
    enrolment: Mapped[Enrolment] = relationship(lazy="joined", innerjoin=True)
