"""Situations that the tests of this folder start from."""

import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TypeVar

from flask import Flask
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from ledger import uuid7
from marketplace import clock, db
from marketplace.batches import service as batches
from marketplace.batches.models import Grant
from marketplace.catalogue import service as catalogue
from marketplace.catalogue.models import Course, Run, RunKind, RunSession
from marketplace.catalogue.service import PlannedSession, RunPlan
from marketplace.enrolments.models import Attendance, AttendanceMethod, Enrolment, EnrolmentState
from marketplace.enrolments.service import PurchaseRequest, purchase
from marketplace.errors import MarketplaceError
from tests import factories

T = TypeVar("T")
ROUNDS = 100
"""Sessions of a `short_run`: attending n of them is n percent."""


def advance(session: Session, owner: Engine, by: timedelta) -> None:
    """Let programme time pass, as `flask dev clock advance` does."""
    with owner.begin() as connection:
        connection.execute(text('UPDATE ledger.programme_clock SET "offset" = "offset" + :by'), {"by": by})
    session.info.pop(db.OFFSET, None)


def wish(grant: Grant, run: Run, key: str = "") -> PurchaseRequest:
    """What somebody who has just read the course page sends."""
    return PurchaseRequest(
        participant_id=grant.participant_id,
        run_id=run.id,
        key=key or uuid7().hex,
        version_seen=run.course.version,
        price_seen=run.course.price,
        confirmation_seen=run.needs_confirmation,
    )


def buy(session: Session, run: Run, grant: Grant | None = None) -> Enrolment:
    """An enrolment, by a new participant unless one is given."""
    return purchase(session, wish(grant or factories.make_grant(session), run))


def make_grants(session: Session, count: int) -> list[Grant]:
    """Many active grants at once."""
    people = [person.id for person in factories.make_crowd(session, count)]
    factories.fund_scheme(session)
    grants = batches.award(session, people)
    while batches.activate_awarded(session):
        continue
    for grant in grants:
        session.refresh(grant)
    return grants


def make_short_run(session: Session, course: Course | None = None, seats: int = 20) -> Run:
    """A run tomorrow of a hundred short sessions, so that any percent can be attended."""
    first = clock.now(session).replace(microsecond=0) + timedelta(days=1)
    step = timedelta(minutes=2)
    planned = [
        PlannedSession(f"Babak {number}", first + number * step, first + (number + 1) * step)
        for number in range(ROUNDS)
    ]
    plan = RunPlan(RunKind.SCHEDULED, planned, seats)
    return catalogue.schedule_run(session, course or factories.make_course(session), plan)


def attend(
    session: Session,
    enrolment: Enrolment,
    sessions: int,
    method: AttendanceMethod = AttendanceMethod.CODE,
) -> None:
    """Evidence of the first so many sessions or units, as check-ins would have left it."""
    meetings = session.query(RunSession).filter_by(run_id=enrolment.run_id).order_by(RunSession.sequence)
    for meeting in meetings.limit(sessions):
        session.add(
            Attendance(
                enrolment_id=enrolment.id,
                session_id=meeting.id,
                method=method.value,
                recorded_at=clock.now(session),
                recorded_by=enrolment.participant.user_id,
            )
        )
    if sessions:
        enrolment.state = EnrolmentState.ATTENDING.value
    session.flush()


def at_once(app: Flask, works: Sequence[Callable[[Session], T]]) -> list[T | MarketplaceError]:
    """Run each in a thread and a transaction of its own; what each returned or was refused."""

    def run(work: Callable[[Session], T]) -> T | MarketplaceError:
        with app.app_context():
            try:
                return db.run_in_transaction(work)
            except MarketplaceError as refusal:
                return refusal

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def new_id() -> uuid.UUID:
    """An id that nothing has."""
    return uuid7()
