"""Money of the participant's own: incentives and survey pay, owed in cash."""

import uuid
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, SmallInteger, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ledger import Base, uuid7
from marketplace.enrolments.learning_models import Certificate
from marketplace.schemes.models import Rupiah
from marketplace.states import one_of


class IncentiveKind(StrEnum):
    """After the first certificate, or for an answered survey; each is also a kind of ledger transaction."""

    CERTIFICATE = "certificate"
    SURVEY = "survey"


class Obstacle(StrEnum):
    """Why a certificate earns nothing, whenever it is judged."""

    NO_INCENTIVE = "no_incentive"
    REVOKED = "revoked"
    FREE = "free"
    SHORT = "short"


class Incentive(Base):
    """One amount that a participant has earned, each number once. Without a certificate there is none.

    `next_at` is when the next instalment is due, on the last one earned so far.
    """

    __tablename__ = "incentive"
    __table_args__ = (
        UniqueConstraint("participant_id", "kind", "number"),
        CheckConstraint(one_of("kind", IncentiveKind), name="kind"),
        CheckConstraint("number > 0 AND amount > 0", name="amounts"),
        Index("ix_incentive_next", "next_at", postgresql_where="next_at IS NOT NULL"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    participant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("participant.id"))
    kind: Mapped[str] = mapped_column(Text)
    number: Mapped[int] = mapped_column(SmallInteger)
    amount: Mapped[Decimal] = mapped_column(Rupiah)
    certificate_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("certificate.id"))
    earned_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    next_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    transaction_id: Mapped[uuid.UUID]
    certificate: Mapped[Certificate] = relationship()


class SurveyResponse(Base):
    """What one participant answered in one survey, by the codes of questions and options."""

    __tablename__ = "survey_response"

    participant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("participant.id"), primary_key=True)
    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    answers: Mapped[dict[str, str]] = mapped_column(JSONB)
    answered_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
