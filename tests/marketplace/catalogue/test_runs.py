"""Scheduling runs, and their seats."""

import threading
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.catalogue import service
from marketplace.catalogue.errors import NoSeats, RunPlanInvalid
from marketplace.catalogue.models import RunKind, RunState
from marketplace.catalogue.service import PlannedSession, RunPlan
from marketplace.db import run_in_transaction, transaction
from marketplace.events.queries import list_for_provider
from tests.factories import make_course, make_run, make_self_paced_run

HOUR = timedelta(hours=1)


def test_a_run_lasts_from_its_first_session_to_its_last(session: Session) -> None:
    run = make_run(session, sessions=3)
    assert [each.sequence for each in run.sessions] == [1, 2, 3]
    assert (run.starts_at, run.ends_at) == (run.sessions[0].starts_at, run.sessions[2].ends_at)
    assert list_for_provider(session, run.course.provider_id)[0].type == "run.scheduled"


def test_a_self_paced_run_has_units_without_times(session: Session) -> None:
    run = make_self_paced_run(session, units=2)
    assert [(each.topic, each.starts_at) for each in run.sessions] == [("Unit 1", None), ("Unit 2", None)]


def test_plans_that_contradict_themselves_are_refused(session: Session) -> None:
    now, course = clock.now(session), make_course(session)
    first = PlannedSession("1", now + HOUR, now + 2 * HOUR)
    overlapping = PlannedSession("2", now + HOUR, now + 3 * HOUR)
    backwards = PlannedSession("1", now + HOUR, now + HOUR)
    unit = PlannedSession("1")
    plans = [
        RunPlan(RunKind.SCHEDULED, [], 10),
        RunPlan(RunKind.SCHEDULED, [first], 0),
        RunPlan(RunKind.SCHEDULED, [first] * 501, 10),
        RunPlan(RunKind.SCHEDULED, [backwards], 10),
        RunPlan(RunKind.SCHEDULED, [first, overlapping], 10),
        RunPlan(RunKind.SCHEDULED, [unit], 10),
        RunPlan(RunKind.SELF_PACED, [unit], 10),
        RunPlan(RunKind.SELF_PACED, [unit], 10, starts_at=now, ends_at=now),
        RunPlan(RunKind.SELF_PACED, [first], 10, starts_at=now, ends_at=now + HOUR),
    ]
    for plan in plans:
        with pytest.raises(RunPlanInvalid):
            service.schedule_run(session, course, plan)


def test_the_last_seat_is_taken_once_and_can_be_given_back(session: Session) -> None:
    run = make_run(session, seats=1)
    service.take_seat(session, run.id)
    assert run.seats_left == 0
    with pytest.raises(NoSeats):
        service.take_seat(session, run.id)
    service.release_seat(session, run.id)
    service.release_seat(session, run.id)
    assert run.seats_left == 1


def test_a_cancelled_run_has_no_seats(session: Session) -> None:
    run = make_run(session)
    run.state = RunState.CANCELLED.value
    session.flush()
    with pytest.raises(NoSeats):
        service.take_seat(session, run.id)


def test_twenty_at_once_get_five_seats(app: Flask, session: Session) -> None:
    with transaction():
        run = make_run(session, seats=5)
    run_id, taken, start = run.id, [], threading.Barrier(20)

    def attempt() -> None:
        with app.app_context():
            start.wait()
            try:
                run_in_transaction(lambda own: service.take_seat(own, run_id))
                taken.append(1)
            except NoSeats:
                taken.append(0)

    threads = [threading.Thread(target=attempt) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    session.refresh(run)
    assert (len(taken), sum(taken), run.seats_taken) == (20, 5, 5)


def test_the_database_itself_oversells_nothing(session: Session, app_engine: Engine) -> None:
    with transaction():
        make_run(session, seats=1)
    with app_engine.connect() as connection, pytest.raises(DBAPIError, match="ck_run_seats"):
        connection.execute(text("UPDATE run SET seats_taken = 2"))
