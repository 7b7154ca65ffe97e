"""A declared result that was corrected: what was changed and why, and the marks that no longer count."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, SmallInteger, Text, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ledger import Base, uuid7
from marketplace.identity.models import User


class ResultCorrection(Base):
    """One correction of one enrolment's result. Append-only: a trigger refuses UPDATE and DELETE.

    `added` and `struck` are sessions; `transaction_ids` are the ledger's, a reversal before what it became.
    `sequence` counts the enrolment's corrections from 1: the same form twice meets its own row.
    """

    __tablename__ = "result_correction"
    __table_args__ = (
        UniqueConstraint("enrolment_id", "sequence"),
        CheckConstraint("sequence > 0", name="sequence"),
        CheckConstraint("reason <> '' AND evidence <> ''", name="reason"),
        CheckConstraint("old_percent <> new_percent", name="changed"),
        CheckConstraint("old_percent BETWEEN 0 AND 100 AND new_percent BETWEEN 0 AND 100", name="percent"),
        CheckConstraint(
            "old_paid_percent BETWEEN 0 AND 100 AND new_paid_percent BETWEEN 0 AND 100", name="paid_percent"
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    enrolment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("enrolment.id"))
    sequence: Mapped[int] = mapped_column(SmallInteger)
    reason: Mapped[str] = mapped_column(Text)
    evidence: Mapped[str] = mapped_column(Text)
    added: Mapped[list[uuid.UUID]] = mapped_column(ARRAY(Uuid))
    struck: Mapped[list[uuid.UUID]] = mapped_column(ARRAY(Uuid))
    old_percent: Mapped[int] = mapped_column(SmallInteger)
    new_percent: Mapped[int] = mapped_column(SmallInteger)
    old_paid_percent: Mapped[int] = mapped_column(SmallInteger)
    new_paid_percent: Mapped[int] = mapped_column(SmallInteger)
    transaction_ids: Mapped[list[uuid.UUID]] = mapped_column(ARRAY(Uuid))
    corrected_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("user.id"))
    corrected_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    corrector: Mapped[User] = relationship()


class AttendanceStrike(Base):
    """An attendance that a correction struck out, or, once lifted, counts again; its own row stays."""

    __tablename__ = "attendance_strike"

    attendance_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("attendance.id"), primary_key=True)
    correction_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("result_correction.id"))
    is_lifted: Mapped[bool] = mapped_column(default=False)
