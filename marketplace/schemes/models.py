"""A scheme: the programme's terms as data. Every number of the rules is a column here."""

import uuid
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import (
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Numeric,
    SmallInteger,
    Text,
    TypeDecorator,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Mapped, mapped_column

from ledger import Base, uuid7


class Rupiah(TypeDecorator[Decimal]):
    """Whole rupiah. PostgreSQL would round sen away without a word, so they are refused here."""

    impl = Numeric(20, 0)
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Decimal | None:
        if value is not None and (not isinstance(value, Decimal) or value != value.to_integral_value()):
            raise ValueError(f"not a whole amount of rupiah: {value!r}")
        return value


class Scheme(Base):
    """Terms under which a training balance is granted, spent and paid out.

    Amounts are whole rupiah; `fee_rate` is a fraction (0.1000 is 10 %); `*_percent` are integers
    of 0 to 100; `*_days` are calendar days unless the name says working days; `*_lead_hours` are before
    a run's start.
    """

    __tablename__ = "scheme"
    __table_args__ = (
        CheckConstraint("fee_rate BETWEEN 0 AND 0.15", name="fee_rate"),
        CheckConstraint("starts_on <= ends_on", name="period"),
        CheckConstraint("training_balance > 0", name="training_balance"),
        Index("uq_scheme_default", "default", unique=True, postgresql_where=text('"default"')),
    )

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    starts_on: Mapped[date] = mapped_column(Date)
    ends_on: Mapped[date] = mapped_column(Date)
    training_balance: Mapped[Decimal] = mapped_column(Rupiah)
    incentive_amount: Mapped[Decimal] = mapped_column(Rupiah)
    incentive_times: Mapped[int] = mapped_column(SmallInteger)
    survey_amount: Mapped[Decimal] = mapped_column(Rupiah)
    survey_times: Mapped[int] = mapped_column(SmallInteger)
    first_purchase_days: Mapped[int] = mapped_column(SmallInteger)
    resumed_days_participant: Mapped[int] = mapped_column(SmallInteger, server_default="3")
    resumed_days_other: Mapped[int] = mapped_column(SmallInteger, server_default="15")
    unopened_refund_days: Mapped[int] = mapped_column(SmallInteger, server_default="30")
    confirmation_working_days: Mapped[int] = mapped_column(SmallInteger, server_default="2")
    confirmation_lead_hours: Mapped[int] = mapped_column(SmallInteger, server_default="24")
    waiting_offer_hours: Mapped[int] = mapped_column(SmallInteger, server_default="12")
    waiting_lead_hours: Mapped[int] = mapped_column(SmallInteger, server_default="24")
    complaint_answer_working_days: Mapped[int] = mapped_column(SmallInteger, server_default="3")
    complaint_reply_days: Mapped[int] = mapped_column(SmallInteger, server_default="7")
    complaint_decision_working_days: Mapped[int] = mapped_column(SmallInteger, server_default="10")
    shortest_hours: Mapped[int | None] = mapped_column(SmallInteger)
    minimum_age: Mapped[int] = mapped_column(SmallInteger)
    maximum_age: Mapped[int] = mapped_column(SmallInteger)
    people_per_family: Mapped[int] = mapped_column(SmallInteger)
    fee_rate: Mapped[Decimal] = mapped_column(Numeric(5, 4))
    declaration_working_days: Mapped[int] = mapped_column(SmallInteger)
    maturity_working_days: Mapped[int] = mapped_column(SmallInteger)
    full_pay_from_percent: Mapped[int] = mapped_column(SmallInteger)
    minimum_pay_percent: Mapped[int] = mapped_column(SmallInteger)
    certificate_from_percent: Mapped[int] = mapped_column(SmallInteger)
    uploaded_attendance_limit_percent: Mapped[int] = mapped_column(SmallInteger)
    payout_minimum: Mapped[Decimal] = mapped_column(Rupiah)
    bank_account_wait_days: Mapped[int] = mapped_column(SmallInteger)
    default: Mapped[bool] = mapped_column(default=False)

    @property
    def reserve_per_grant(self) -> Decimal:
        """What is set aside for one person's incentives and survey pay."""
        return self.incentive_amount * self.incentive_times + self.survey_amount * self.survey_times


class Holiday(Base):
    """A day that is not a working day, besides Saturdays and Sundays."""

    __tablename__ = "holiday"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    name: Mapped[str] = mapped_column(Text)


class Appropriation(Base):
    """State money received for a scheme. The reference makes a repeat harmless."""

    __tablename__ = "appropriation"
    __table_args__ = (CheckConstraint("amount > 0", name="amount"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    scheme_code: Mapped[str] = mapped_column(ForeignKey("scheme.code"))
    reference: Mapped[str] = mapped_column(Text, unique=True)
    amount: Mapped[Decimal] = mapped_column(Rupiah)
    transaction_id: Mapped[uuid.UUID]
    recorded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
