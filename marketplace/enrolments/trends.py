"""A provider's last weeks: seats filled, classes completed, reviews, money recognised, matured and paid.

A week is named by its Monday, in Asia/Jakarta. Every week has its row.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sqlalchemy import ColumnElement, Date, case, cast, func, select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.catalogue.models import Course, Run, RunState
from marketplace.enrolments.learning_models import Review
from marketplace.enrolments.models import Earning, EarningState, Enrolment, EnrolmentState

WEEKS = 12
_LOW = 2
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Share:
    """So many of all in one week."""

    week: date
    part: int
    whole: int

    @property
    def percent(self) -> int | None:
        """Rounded down; None where there was nothing."""
        return 100 * self.part // self.whole if self.whole else None


@dataclass(frozen=True, slots=True)
class Rated:
    """The reviews written in one week: how many, their stars together, and how many gave one or two."""

    week: date
    reviews: int
    stars: int
    low: int

    @property
    def average(self) -> Decimal | None:
        """Stars to one decimal, half up, as a course's rating; None where nobody reviewed."""
        return average_of(self.stars, self.reviews)


@dataclass(frozen=True, slots=True)
class Money:
    """Net rupiah that was recognised, whose objection period ended, and that was paid in one week."""

    week: date
    accrued: Decimal
    matured: Decimal
    paid: Decimal


def weeks_until(now: datetime) -> list[date]:
    """The Mondays of the last weeks, this one last."""
    monday = _monday(now)
    return [monday - _WEEK * back for back in reversed(range(WEEKS))]


def seats_filled(session: Session, provider_id: uuid.UUID, now: datetime) -> Sequence[Share]:
    """Seats taken of those offered, by the week in which classes began; cancelled runs left out."""
    week = _week_of(Run.starts_at)
    rows = (
        select(week, func.sum(Run.seats_taken), func.sum(Run.seats))
        .join(Course, Run.course_id == Course.id)
        .where(
            Course.provider_id == provider_id,
            Run.state != RunState.CANCELLED,
            Run.starts_at >= clock.start_of_day(weeks_until(now)[0]),
            Run.starts_at <= now,
        )
        .group_by(week)
    )
    return _shares(session, rows, now)


def completed(session: Session, provider_id: uuid.UUID, now: datetime) -> Sequence[Share]:
    """Enrolments with enough attendance for a full share, of those declared, by week of declaration."""
    week = _week_of(Enrolment.completed_at)
    is_full = (Enrolment.state == EnrolmentState.COMPLETED) & (Enrolment.paid_percent == 100)
    rows = (
        select(week, func.sum(case((is_full, 1), else_=0)), func.count())
        .where(
            Enrolment.provider_id == provider_id,
            Enrolment.completed_at >= clock.start_of_day(weeks_until(now)[0]),
        )
        .group_by(week)
    )
    return _shares(session, rows, now)


def rated(session: Session, provider_id: uuid.UUID, now: datetime) -> Sequence[Rated]:
    """Reviews by the week in which they were written, with the stars that they give now. One query."""
    week = _week_of(Review.written_at)
    is_low = case((Review.rating <= _LOW, 1), else_=0)
    rows = (
        select(week, func.count(), func.sum(Review.rating), func.sum(is_low))
        .where(
            Review.provider_id == provider_id,
            Review.written_at >= clock.start_of_day(weeks_until(now)[0]),
        )
        .group_by(week)
    )
    found = {each[0]: tuple(map(int, each[1:])) for each in session.execute(rows)}
    return [Rated(each, *found.get(each, (0, 0, 0))) for each in weeks_until(now)]


def average_of(stars: int, reviews: int) -> Decimal | None:
    """The mean to one decimal, half up; None of nothing."""
    return (Decimal(stars) / reviews).quantize(Decimal("0.1"), ROUND_HALF_UP) if reviews else None


def money_by_week(session: Session, provider_id: uuid.UUID, now: datetime) -> Sequence[Money]:
    """What was recognised, matured and paid; held money has not matured. Three queries."""
    since = clock.start_of_day(weeks_until(now)[0])
    is_mature = (Earning.matures_at <= now) & (Earning.state != EarningState.HELD)
    own = (Earning.provider_id == provider_id) & (Earning.state != EarningState.CORRECTED)
    accrued = _net_by_week(session, Earning.accrued_at, own & (Earning.accrued_at >= since))
    matured = _net_by_week(session, Earning.matures_at, own & (Earning.matures_at >= since) & is_mature)
    paid = _net_by_week(session, Earning.paid_at, own & (Earning.paid_at >= since))
    none = Decimal(0)
    return [
        Money(week, *(found.get(week, none) for found in (accrued, matured, paid)))
        for week in weeks_until(now)
    ]


def _net_by_week(session: Session, at: Any, wanted: ColumnElement[bool]) -> dict[date, Decimal]:
    week = _week_of(at)
    rows = session.execute(select(week, func.sum(Earning.net)).where(wanted).group_by(week))
    return dict(rows.all())


def _shares(session: Session, rows: Any, now: datetime) -> Sequence[Share]:
    found = {week: (int(part), int(whole)) for week, part, whole in session.execute(rows)}
    return [Share(week, *found.get(week, (0, 0))) for week in weeks_until(now)]


def _week_of(instant: Any) -> Any:
    return cast(func.date_trunc("week", func.timezone(clock.ZONE.key, instant)), Date)


def _monday(now: datetime) -> date:
    today = clock.local_date(now)
    return today - timedelta(days=today.weekday())
