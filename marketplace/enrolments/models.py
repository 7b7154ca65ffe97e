"""Enrolments, the attendance that proves them, and the earnings they make."""

import uuid
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    Numeric,
    SmallInteger,
    Text,
    UniqueConstraint,
    exists,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ledger import Base, uuid7
from marketplace.batches.models import Grant
from marketplace.catalogue.models import Run, RunSession
from marketplace.enrolments import places, tracking_models  # noqa: F401 - their tables are looked for here
from marketplace.enrolments.correction_models import AttendanceStrike
from marketplace.participants.models import Participant
from marketplace.schemes.models import Rupiah, Scheme
from marketplace.states import one_of


class EnrolmentState(StrEnum):
    AWAITING_CONFIRMATION = "awaiting_confirmation"
    PURCHASED = "purchased"
    ATTENDING = "attending"
    COMPLETED = "completed"
    CANCELLED_BY_PARTICIPANT = "cancelled_by_participant"
    CANCELLED_BY_PROVIDER = "cancelled_by_provider"
    CANCELLED_BY_PROGRAMME = "cancelled_by_programme"
    CONFIRMATION_EXPIRED = "confirmation_expired"
    NO_SHOW = "no_show"


_S = EnrolmentState
LIVE = (_S.PURCHASED, _S.ATTENDING)
"""Bought: the price is in escrow."""

SEATED = (_S.AWAITING_CONFIRMATION, *LIVE)
"""Holding a seat: bought, or waiting for the provider's word with the price set aside."""

CANCELLED = (
    _S.CANCELLED_BY_PARTICIPANT,
    _S.CANCELLED_BY_PROVIDER,
    _S.CANCELLED_BY_PROGRAMME,
    _S.CONFIRMATION_EXPIRED,
)
ENROLMENT_TRANSITIONS = {
    _S.AWAITING_CONFIRMATION: {
        _S.PURCHASED,
        _S.CANCELLED_BY_PARTICIPANT,
        _S.CANCELLED_BY_PROVIDER,
        _S.CONFIRMATION_EXPIRED,
    },
    _S.PURCHASED: {
        _S.ATTENDING,
        _S.COMPLETED,
        _S.NO_SHOW,
        _S.CANCELLED_BY_PARTICIPANT,
        _S.CANCELLED_BY_PROVIDER,
        _S.CANCELLED_BY_PROGRAMME,
    },
    _S.ATTENDING: {_S.COMPLETED, _S.CANCELLED_BY_PROVIDER, _S.CANCELLED_BY_PROGRAMME},
    # a corrected result
    _S.COMPLETED: {_S.NO_SHOW},
    _S.NO_SHOW: {_S.COMPLETED},
}


class Enrolment(Base):
    """Participant x run. Title, hours, price, fee and terms are copied at purchase and never change after.

    The row is written after its posting or hold, so that no priced enrolment is without one.
    `confirm_by` is when the hold ends by itself; `decline_reason` is the provider's word against it.
    `bought_by_staff`: the buyer acted for this very provider when they bought.
    """

    __tablename__ = "enrolment"
    __table_args__ = (
        UniqueConstraint("participant_id", "key"),
        CheckConstraint(one_of("state", EnrolmentState), name="state"),
        CheckConstraint("percent BETWEEN 0 AND 100", name="percent"),
        CheckConstraint("paid_percent BETWEEN 0 AND 100", name="paid_percent"),
        CheckConstraint(
            "(state IN ('completed', 'no_show')) = (completed_at IS NOT NULL)", name="completion"
        ),
        CheckConstraint(
            "(state IN ('cancelled_by_participant', 'cancelled_by_provider', 'cancelled_by_programme',"
            " 'confirmation_expired')) = (cancelled_at IS NOT NULL)",
            name="cancellation",
        ),
        CheckConstraint(
            "price = 0 OR transaction_id IS NOT NULL OR hold_id IS NOT NULL"
            " AND state NOT IN ('purchased', 'attending', 'completed', 'no_show')",
            name="posted",
        ),
        CheckConstraint(
            "price = 0 OR transaction_id IS NULL"
            " OR (state IN ('purchased', 'attending')) = (settlement_id IS NULL)",
            name="settled",
        ),
        CheckConstraint(
            "state <> 'awaiting_confirmation' OR confirm_by IS NOT NULL AND transaction_id IS NULL",
            name="awaiting",
        ),
        Index(
            "uq_enrolment_live",
            "participant_id",
            "run_id",
            unique=True,
            postgresql_where=(
                "state IN ('awaiting_confirmation', 'purchased', 'attending', 'completed', 'no_show')"
            ),
        ),
        Index("ix_enrolment_awaiting", "confirm_by", postgresql_where="state = 'awaiting_confirmation'"),
        Index(None, "run_id", "state"),
        Index(None, "participant_id", "purchased_at"),
        Index(None, "provider_id", "purchased_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    participant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("participant.id"))
    run_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("run.id"))
    provider_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("provider.id"))
    grant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("grant.id"))
    scheme_code: Mapped[str] = mapped_column(ForeignKey("scheme.code"))
    key: Mapped[str] = mapped_column(Text)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    receipt_number: Mapped[str] = mapped_column(Text, unique=True)
    course_version: Mapped[int]
    course_title: Mapped[str] = mapped_column(Text)
    course_hours: Mapped[int | None] = mapped_column(SmallInteger)
    price: Mapped[Decimal] = mapped_column(Rupiah)
    fee_rate: Mapped[Decimal] = mapped_column(Numeric(5, 4))
    state: Mapped[str] = mapped_column(Text, default=EnrolmentState.PURCHASED.value)
    transaction_id: Mapped[uuid.UUID | None]
    balance_after: Mapped[Decimal] = mapped_column(Rupiah)
    purchased_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    hold_id: Mapped[uuid.UUID | None]
    confirm_by: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    confirmed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    decline_reason: Mapped[str | None] = mapped_column(Text)
    bought_by_staff: Mapped[bool] = mapped_column(default=False)
    cancelled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    completed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    corrected_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    declared_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user.id"))
    percent: Mapped[int | None] = mapped_column(SmallInteger)
    paid_percent: Mapped[int | None] = mapped_column(SmallInteger)
    settlement_id: Mapped[uuid.UUID | None]
    participant: Mapped[Participant] = relationship(lazy="joined", innerjoin=True)
    run: Mapped[Run] = relationship(lazy="joined", innerjoin=True)
    grant: Mapped[Grant] = relationship()
    scheme: Mapped[Scheme] = relationship()
    attendances: Mapped[list["Attendance"]] = relationship(back_populates="enrolment")
    earning: Mapped["Earning | None"] = relationship(
        primaryjoin="(Enrolment.id == Earning.enrolment_id) & (Earning.state != 'corrected')", viewonly=True
    )

    @property
    def is_live(self) -> bool:
        """Bought, and neither cancelled nor completed yet."""
        return self.state in LIVE

    @property
    def is_awaiting(self) -> bool:
        """The provider has not said yet whether there is a seat."""
        return self.state == EnrolmentState.AWAITING_CONFIRMATION


class AttendanceMethod(StrEnum):
    """By the rotating code, by the provider's list, or a self-paced unit done."""

    CODE = "code"
    UPLOAD = "upload"
    UNIT = "unit"


class Attendance(Base):
    """Somebody was there. Evidence: append-only, a trigger refuses UPDATE and DELETE.

    What a correction struck out has an AttendanceStrike; only what `stands()` counts.
    """

    __tablename__ = "attendance"
    __table_args__ = (
        UniqueConstraint("enrolment_id", "session_id"),
        CheckConstraint(one_of("method", AttendanceMethod), name="method"),
        Index(None, "session_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    enrolment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("enrolment.id"))
    session_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("run_session.id"))
    method: Mapped[str] = mapped_column(Text)
    recorded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    recorded_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("user.id"))
    enrolment: Mapped[Enrolment] = relationship(back_populates="attendances")
    session: Mapped[RunSession] = relationship(lazy="joined", innerjoin=True)


def stands() -> ColumnElement[bool]:
    """That an attendance counts: no correction has struck it out."""
    struck = exists().where(AttendanceStrike.attendance_id == Attendance.id)
    return ~struck.where(AttendanceStrike.is_lifted.is_(False)).correlate(Attendance)


class CheckInFailure(Base):
    """Wrong codes typed by one participant for one session: six digits must not be guessed.

    `blocked_until` is wall time.
    """

    __tablename__ = "check_in_failure"

    enrolment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("enrolment.id"), primary_key=True)
    session_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("run_session.id"), primary_key=True)
    failures: Mapped[int] = mapped_column(SmallInteger, default=0)
    blocked_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class EarningState(StrEnum):
    """Matured is computed from `matures_at`; paid means that the bank's statement shows it.

    A corrected one has been taken back whole, and counts nowhere; another may have taken its place.
    """

    ACCRUED = "accrued"
    HELD = "held"
    PAID = "paid"
    CORRECTED = "corrected"


UNPAID = (EarningState.ACCRUED, EarningState.HELD)
"""Owed to a provider and not yet paid."""

UNDOUBTED = (EarningState.ACCRUED, EarningState.PAID, EarningState.CORRECTED)
"""Nobody has to look at what these rest on."""

EARNING_TRANSITIONS = {
    EarningState.ACCRUED: {EarningState.HELD, EarningState.PAID, EarningState.CORRECTED},
    EarningState.HELD: {EarningState.ACCRUED, EarningState.CORRECTED},
    EarningState.PAID: {EarningState.ACCRUED},
}


class Earning(Base):
    """What one completion makes payable. No evidence, no pay: `evidence_id` cannot be empty.

    One stands for each enrolment; those corrected stay beside it. `transaction_id` is the settlement or the
    correction that credited the whole of it.
    """

    __tablename__ = "earning"
    __table_args__ = (
        CheckConstraint(one_of("state", EarningState), name="state"),
        CheckConstraint("gross > 0 AND fee >= 0 AND net = gross - fee AND net >= 0", name="amounts"),
        CheckConstraint("(state = 'held') = (hold_code IS NOT NULL)", name="hold"),
        CheckConstraint("(state = 'paid') = (paid_at IS NOT NULL)", name="paid"),
        Index("uq_earning_standing", "enrolment_id", unique=True, postgresql_where="state <> 'corrected'"),
        Index(None, "enrolment_id"),
        Index(
            "ix_earning_waiting",
            "scheme_code",
            "provider_id",
            "matures_at",
            postgresql_where="state <> 'paid'",
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    enrolment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("enrolment.id"))
    provider_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("provider.id"), index=True)
    scheme_code: Mapped[str] = mapped_column(ForeignKey("scheme.code"))
    evidence_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("attendance.id"))
    gross: Mapped[Decimal] = mapped_column(Rupiah)
    fee: Mapped[Decimal] = mapped_column(Rupiah)
    net: Mapped[Decimal] = mapped_column(Rupiah)
    state: Mapped[str] = mapped_column(Text, default=EarningState.ACCRUED.value)
    hold_code: Mapped[str | None] = mapped_column(Text)
    accrued_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    matures_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    paid_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    transaction_id: Mapped[uuid.UUID]
    enrolment: Mapped[Enrolment] = relationship(lazy="joined", innerjoin=True)
