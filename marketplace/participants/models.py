"""Participants: people with, or applying for, the benefit."""

import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, DateTime, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ledger import Base, uuid7
from marketplace.identity.models import User


class Participant(Base):
    """One person. NIK and KK are encrypted; their blind indexes keep them unique and countable."""

    __tablename__ = "participant"
    __table_args__ = (
        CheckConstraint("length(nik_ending) = 4 AND length(nik_region) = 6", name="nik_parts"),
        Index(
            "ix_participant_name",
            text("to_tsvector('simple'::regconfig, full_name)"),
            postgresql_using="gin",
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user.id"), unique=True)
    full_name: Mapped[str] = mapped_column(Text)
    birth_date: Mapped[date] = mapped_column(Date)
    nik_encrypted: Mapped[bytes]
    nik_index: Mapped[bytes] = mapped_column(unique=True)
    nik_region: Mapped[str] = mapped_column(Text)
    nik_ending: Mapped[str] = mapped_column(Text)
    kk_encrypted: Mapped[bytes]
    kk_index: Mapped[bytes] = mapped_column(index=True)
    province_code: Mapped[str] = mapped_column(Text)
    scheme_code: Mapped[str] = mapped_column(ForeignKey("scheme.code"))
    registered_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    blocked_code: Mapped[str | None] = mapped_column(Text)
    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)

    @property
    def nik_masked(self) -> str:
        """`317104••••••0001`-like: enough to recognise one's own, no more."""
        return f"{self.nik_region[:4]}••••••••{self.nik_ending}"
