"""A provider with somebody at the desk, and what the tests of its pages start from."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.catalogue.models import Course, Run
from marketplace.db import db, transaction
from marketplace.enrolments.models import AttendanceMethod, Enrolment
from marketplace.identity.models import User
from marketplace.providers.models import Provider
from tests import factories
from tests.marketplace.enrolments.scenes import advance, attend, buy, make_grants
from tests.web.conftest import SignIn


@dataclass
class Stall:
    """A provider, its staff, one course of Rp750.000."""

    session: Session
    owner: Engine
    provider: Provider
    staff: User
    course: Course

    def make_run(self, *, starts_in: timedelta = timedelta(days=2), sessions: int = 4) -> Run:
        with transaction() as current:
            return factories.make_run(current, self.course, starts_in=starts_in, sessions=sessions)

    def sell(self, run: Run, *names: str) -> list[Enrolment]:
        """One enrolment for each name."""
        with transaction() as current:
            sold = []
            for name, grant in zip(names, make_grants(current, len(names)), strict=True):
                grant.participant.full_name = name
                sold.append(buy(current, run, grant))
            return sold

    def attend(
        self, enrolment: Enrolment, sessions: int, method: AttendanceMethod = AttendanceMethod.CODE
    ) -> None:
        with transaction() as current:
            attend(current, current.get_one(Enrolment, enrolment.id), sessions, method)

    def pass_until_over(self, run: Run) -> None:
        """Let programme time go by until the run has ended."""
        self.session.rollback()
        advance(self.session, self.owner, run.ends_at - clock.now(self.session) + timedelta(minutes=1))


@pytest.fixture
def stall(session: Session, owner_engine: Engine) -> Stall:
    with transaction() as current:
        factories.fund_scheme(current)
        provider = factories.make_provider(current, "Karya Mandiri Yogyakarta")
        staff = factories.make_staff(current, provider)
        factories.make_bank_account(current, provider)
        course = factories.make_course(current, provider, title="Dasar Akuntansi", price=Decimal(750_000))
    return Stall(session, owner_engine, provider, staff, course)


@pytest.fixture
def desk(stall: Stall, sign_in: SignIn) -> FlaskClient:
    """The browser of the provider's staff."""
    return sign_in(stall.staff)


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that PostgreSQL is sent meanwhile."""
    seen: list[str] = []

    def note(connection: object, cursor: object, statement: str, *more: object) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield seen
    event.remove(db.engine, "before_cursor_execute", note)
