"""The sweep finds what waits in the tables, whatever became of any message."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from marketplace import clock, db
from marketplace.enrolments import tasks
from marketplace.enrolments.models import Enrolment
from tests import factories
from tests.marketplace.enrolments.scenes import advance, buy, make_short_run


@pytest.fixture
def nudged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runs that the sweep asked a worker to declare."""
    ids: list[str] = []
    monkeypatch.setattr(tasks, "nudge", lambda _task, run_id: ids.append(run_id))
    return ids


def test_the_sweep_asks_for_overdue_runs_and_refunds_unopened_courses(
    app: Flask, session: Session, owner_engine: Engine, nudged: list[str]
) -> None:
    with db.transaction():
        run = make_short_run(session)
        buy(session, run)
        unopened = buy(session, factories.make_self_paced_run(session, days=90)).id
        run_id = str(run.id)
    tasks.sweep()
    assert nudged == []
    advance(session, owner_engine, timedelta(days=31))
    tasks.sweep()
    assert nudged == [run_id]
    assert session.get_one(Enrolment, unopened, populate_existing=True).state == "cancelled_by_programme"


def test_a_message_that_comes_twice_or_late_changes_nothing(
    app: Flask, session: Session, owner_engine: Engine
) -> None:
    with db.transaction():
        run = make_short_run(session)
        buy(session, run)
        run_id = str(run.id)
        advance(session, owner_engine, run.ends_at - clock.now(session) + timedelta(days=10))
    for _ in range(3):
        tasks.declare(run_id)
    enrolment = session.scalars(select(Enrolment)).one()
    assert (enrolment.state, enrolment.declared_by) == ("cancelled_by_programme", None)
