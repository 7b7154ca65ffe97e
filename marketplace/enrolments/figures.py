"""A provider's figures: what was sold, who came, and how far the money has travelled."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Date, cast, distinct, func, select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.catalogue.models import Course, Run, RunSession, RunState
from marketplace.enrolments.models import (
    CANCELLED,
    LIVE,
    Attendance,
    Earning,
    EarningState,
    Enrolment,
    stands,
)

_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the money: rupiah and how many enrolments. Escrow is the price, later stages net."""

    amount: Decimal
    enrolments: int


@dataclass(frozen=True, slots=True)
class Figures:
    """`attendance_percent` is of the sessions held so far in running classes; None before the first."""

    enrolments_this_week: int
    enrolments_week_before: int
    seats_taken: int
    seats: int
    attendance_percent: int | None
    escrow: Stage
    waiting: Stage
    matured: Stage
    paid_this_month: Stage
    held: Stage
    hold_codes: list[str]


def figures_for_provider(session: Session, provider_id: uuid.UUID, now: datetime) -> Figures:
    """All figures of a provider's first page, in four queries. `now` is programme time."""
    sold = _sold(session, provider_id, now)
    money = _money(session, provider_id, now)
    taken, seats = _seats(session, provider_id, now)
    return Figures(
        enrolments_this_week=sold.this_week,
        enrolments_week_before=sold.week_before,
        seats_taken=taken,
        seats=seats,
        attendance_percent=_attendance_percent(session, provider_id, now),
        escrow=Stage(sold.escrow, sold.live),
        waiting=Stage(money.waiting, money.waiting_count),
        matured=Stage(money.matured, money.matured_count),
        paid_this_month=Stage(money.paid, money.paid_count),
        held=Stage(money.held, money.held_count),
        hold_codes=sorted(code for code in money.hold_codes or [] if code),
    )


def enrolments_per_day(
    session: Session, provider_id: uuid.UUID, now: datetime, days: int = 30
) -> list[tuple[date, int]]:
    """Purchases on each of the last days (Asia/Jakarta), today last; those cancelled later included."""
    today = clock.local_date(now)
    first = today - timedelta(days=days - 1)
    day = cast(func.timezone(clock.ZONE.key, Enrolment.purchased_at), Date)
    counted = dict(
        session.execute(
            select(day, func.count())
            .where(Enrolment.provider_id == provider_id, Enrolment.purchased_at >= clock.start_of_day(first))
            .group_by(day)
        ).all()
    )
    span = [first + timedelta(days=ahead) for ahead in range(days)]
    return [(each, counted.get(each, 0)) for each in span]


def _sold(session: Session, provider_id: uuid.UUID, now: datetime) -> Any:
    at, live = Enrolment.purchased_at, Enrolment.state.in_(LIVE)
    return session.execute(
        select(
            func.count().filter(at > now - _WEEK).label("this_week"),
            func.count().filter(at > now - 2 * _WEEK, at <= now - _WEEK).label("week_before"),
            _total(Enrolment.price, live).label("escrow"),
            func.count().filter(live).label("live"),
        ).where(Enrolment.provider_id == provider_id)
    ).one()


def _money(session: Session, provider_id: uuid.UUID, now: datetime) -> Any:
    accrued = Earning.state == EarningState.ACCRUED
    month = clock.start_of_day(clock.local_date(now).replace(day=1))
    stages = {
        "waiting": accrued & (Earning.matures_at > now),
        "matured": accrued & (Earning.matures_at <= now),
        "paid": (Earning.state == EarningState.PAID) & (Earning.paid_at >= month),
        "held": Earning.state == EarningState.HELD,
    }
    amounts = [_total(Earning.net, stage).label(name) for name, stage in stages.items()]
    counts = [func.count().filter(stage).label(f"{name}_count") for name, stage in stages.items()]
    codes = func.array_agg(distinct(Earning.hold_code)).label("hold_codes")
    return session.execute(select(*amounts, *counts, codes).where(Earning.provider_id == provider_id)).one()


def _total(amount: Any, wanted: ColumnElement[bool]) -> Any:
    return func.coalesce(func.sum(amount).filter(wanted), Decimal(0))


def _seats(session: Session, provider_id: uuid.UUID, now: datetime) -> tuple[int, int]:
    """Seats taken and offered in open runs that have not ended."""
    row = session.execute(
        select(func.coalesce(func.sum(Run.seats_taken), 0), func.coalesce(func.sum(Run.seats), 0))
        .join(Course, Run.course_id == Course.id)
        .where(Course.provider_id == provider_id, Run.state == RunState.OPEN, Run.ends_at > now)
    ).one()
    return int(row[0]), int(row[1])


def _attendance_percent(session: Session, provider_id: uuid.UUID, now: datetime) -> int | None:
    here = (Attendance.enrolment_id == Enrolment.id) & (Attendance.session_id == RunSession.id)
    promised, attended = session.execute(
        select(func.count(), func.count(Attendance.id))
        .select_from(Enrolment)
        .join(Run, Enrolment.run_id == Run.id)
        .join(RunSession, RunSession.run_id == Run.id)
        .outerjoin(Attendance, here & stands())
        .where(
            Enrolment.provider_id == provider_id,
            Enrolment.state.not_in(CANCELLED),
            Run.state == RunState.OPEN,
            RunSession.ends_at <= now,
        )
    ).one()
    return 100 * attended // promised if promised else None
