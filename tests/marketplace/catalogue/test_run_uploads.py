"""A provider's own file of runs: what it would open, what it opens, and the runs that it does not."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.catalogue import offering, run_uploads, uploads
from marketplace.catalogue.course_rows import CatalogueFileError
from marketplace.catalogue.csv_words import ENGLISH
from marketplace.catalogue.models import Course, Run
from marketplace.catalogue.run_rows import COLUMNS
from marketplace.catalogue.versions import CatalogueUpload
from marketplace.errors import NotFound
from marketplace.identity.models import User
from marketplace.providers.models import Provider
from tests import factories
from tests.marketplace.catalogue.test_uploads import as_csv, as_xlsx

Row = dict[str, Any]


@dataclass
class Desk:
    session: Session
    provider: Provider
    staff: User
    course: Course

    def day(self, ahead: int) -> date:
        return clock.today(self.session) + timedelta(days=ahead)

    def row(self, ahead: int = 30, **cells: Any) -> Row:
        """One session of the course from nine to twelve; the rest of GOOD's columns are not written."""
        usual = {"course": "Barista Dasar", "run": "A", "date": self.day(ahead), "start": "09:00"}
        rest = {"end": "12.00", "topic": "", "place": "Sleman", "seats": 20, "confirmation": ""}
        return usual | rest | cells

    def keep(self, *rows: Row, form: Callable[..., bytes] = as_csv) -> CatalogueUpload:
        content = form(*rows, head=list(COLUMNS))
        return run_uploads.keep(self.session, self.provider.id, self.staff, "jadwal", content)

    def plan(self, *rows: Row, form: Callable[..., bytes] = as_csv) -> run_uploads.RunsPlan:
        return run_uploads.plan(self.session, self.keep(*rows, form=form))

    def faults(self, *rows: Row) -> list[tuple[int, str, str]]:
        """What is wrong, where nothing is opened."""
        plan = self.plan(*rows)
        assert plan.runs == [] and all(each.code in ENGLISH for each in plan.problems)
        return [(each.line, each.column, each.code) for each in plan.problems]


@pytest.fixture
def desk(session: Session) -> Desk:
    provider = factories.make_provider(session, "Sanggar Kopi")
    staff = factories.make_staff(session, provider)
    return Desk(session, provider, staff, factories.make_course(session, provider, title="Barista Dasar"))


@pytest.mark.parametrize("form", [as_csv, as_xlsx])
def test_rows_become_runs_as_the_form_would_open_them(desk: Desk, form: Callable[..., bytes]) -> None:
    times = ("13:00", "15.30") if form is as_csv else (time(13, 0), time(15, 30))
    rows = [
        desk.row(31, topic="Seduh", confirmation="Ya", start=times[0], end=times[1]),
        desk.row(30, topic="Giling", place="", seats=""),
        desk.row(40, run="", course=desk.course.source_id, date=f"{desk.day(40):%d/%m/%Y}", seats=5),
        desk.row(41, run="", course=str(desk.course.id), place=""),
    ]
    upload = desk.keep(*rows, form=form)
    assert desk.session.scalars(select(Run)).all() == []  # looking opens nothing
    assert run_uploads.book(desk.session, upload.id, desk.provider.id, desk.staff) == 3
    two, five, last = desk.session.scalars(select(Run).order_by(Run.starts_at)).all()
    assert [(each.topic, each.sequence) for each in two.sessions] == [("Giling", 1), ("Seduh", 2)]
    assert (two.seats, two.place, two.needs_confirmation) == (20, "Sleman", True)
    assert two.ends_at == datetime.combine(desk.day(31), time(15, 30), clock.ZONE)
    assert (five.seats, five.needs_confirmation, last.place) == (5, False, "")
    again = desk.plan(*rows, form=form)
    assert (again.runs, again.unchanged, again.problems) == ([], 3, [])


def test_the_hours_of_a_file_are_those_of_the_providers_province(desk: Desk) -> None:
    desk.provider.province_code = "94"
    [found] = desk.plan(desk.row()).runs
    assert found.plan.sessions[0].starts_at == datetime.combine(desk.day(30), time(7), clock.ZONE)


def test_one_bad_row_keeps_its_whole_run_closed_and_no_other(desk: Desk) -> None:
    rows = [
        desk.row(30),
        desk.row(31, end="08:00", date="31-2-2027", seats="-1"),
        desk.row(32, run="B", seats=""),
        desk.row(33, run="C"),
    ]
    plan = desk.plan(*rows)
    assert [(each.line, each.column, each.code) for each in plan.problems] == [
        (3, "date", "no_such_day"), (3, "seats", "seats"), (4, "seats", "required"),
    ]  # fmt: skip
    assert (len(plan.runs), plan.refused) == (1, 2)
    assert run_uploads.book(desk.session, desk.keep(*rows).id, desk.provider.id, desk.staff) == 1
    [run] = desk.session.scalars(select(Run)).all()
    assert clock.local_date(run.starts_at) == desk.day(33)


def test_what_a_run_may_not_be_is_named(desk: Desk) -> None:
    factories.make_course(desk.session, title="Milik Orang")
    for _ in range(2):
        factories.make_course(desk.session, desk.provider, title="Kembar")
    gone = factories.make_course(desk.session, desk.provider, title="Sudah Lewat")
    gone.state = "suspended"
    assert desk.faults(desk.row(course="Milik Orang")) == [(2, "course", "unknown_course")]
    assert desk.faults(desk.row(course="kembar")) == [(2, "course", "ambiguous_course")]
    assert desk.faults(desk.row(course="Sudah lewat")) == [(2, "course", "not_published")]
    assert desk.faults(desk.row(-1)) == [(2, "date", "past")]
    assert desk.faults(desk.row(date="2199-01-01")) == [(2, "date", "after_scheme")]
    assert desk.faults(desk.row(start="25:00", end="9")) == [(2, "start", "time"), (2, "end", "time")]
    assert desk.faults(desk.row(), desk.row(start="10:00", end="13:00", place="Bantul", course="Kembar")) == [
        (3, "course", "run_differs"), (3, "place", "run_differs"), (3, "start", "overlap"),
    ]  # fmt: skip
    assert desk.faults(*[desk.row(each) for each in range(30, 131)])[0][2] == "too_many_sessions"
    twice = desk.plan(desk.row(), desk.row(run="B"))
    assert [(each.line, each.code) for each in twice.problems] == [(3, "same_run")]


def test_a_file_whose_rows_cannot_be_told_apart_opens_nothing(desk: Desk) -> None:
    head = ",".join(COLUMNS)
    for content in (b"course,date\nx,y\n", f"{head}\nBarista Dasar,A\n".encode()):
        with pytest.raises(CatalogueFileError):
            run_uploads.keep(desk.session, desk.provider.id, desk.staff, "x", content)
    courses = uploads.keep_upload(desk.session, desk.provider.id, desk.staff, "kursus", as_csv({}))
    mine = desk.keep(desk.row())
    assert desk.session.get(CatalogueUpload, courses.id) is not None  # one of each kind is kept
    stranger = factories.make_provider(desk.session)
    for upload, provider in ((courses, desk.provider), (mine, stranger)):
        with pytest.raises(NotFound):
            run_uploads.book(desk.session, upload.id, provider.id, desk.staff)


def test_if_one_run_fails_none_is_opened(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = desk.keep(desk.row(), desk.row(40, run="B"))
    offer, calls = offering.offer_run, []

    def fail_at_the_second(*given: Any) -> Run:
        calls.append(given)
        if len(calls) == 2:
            raise NotFound("gone meanwhile")
        return offer(*given)

    monkeypatch.setattr(offering, "offer_run", fail_at_the_second)
    with pytest.raises(NotFound), desk.session.begin_nested():
        run_uploads.book(desk.session, upload.id, desk.provider.id, desk.staff)
    assert desk.session.scalars(select(Run)).all() == []
    assert desk.session.get(CatalogueUpload, upload.id) is not None
