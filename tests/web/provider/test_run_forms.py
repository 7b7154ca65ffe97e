"""Opening a run by form, and what may still be changed once somebody has bought it."""

import uuid
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from marketplace import clock
from marketplace.catalogue import offering
from marketplace.catalogue.errors import RunSold
from marketplace.catalogue.models import Run, RunKind
from marketplace.catalogue.service import PlannedSession, RunPlan
from marketplace.db import transaction
from marketplace.enrolments import run_changes
from marketplace.enrolments.cancellation import refund
from marketplace.enrolments.run_changes import RunChange
from marketplace.errors import NotFound
from marketplace.identity.models import Role, User
from marketplace.notifications import queries as notifications
from marketplace.providers.models import Provider
from tests import factories
from tests.marketplace.enrolments.scenes import at_once
from tests.web.bad_input import NASTY, encode
from tests.web.conftest import hidden_fields, read, words
from tests.web.provider.conftest import Stall


@pytest.fixture
def day(stall: Stall) -> date:
    return clock.today(stall.session) + timedelta(days=10)


def rows(*sessions: tuple[date, str, str, str]) -> dict[str, str]:
    """Fields of a form with these sessions."""
    fields = {"rows": "4", "seats": "20", "place": "Sleman"}
    for number, session in enumerate(sessions, start=1):
        parts = dict(zip(("date", "start", "end", "topic"), map(str, session), strict=True))
        fields |= {f"{part}-{number}": value for part, value in parts.items()}
    return fields


def newest(stall: Stall) -> Run:
    stall.session.rollback()
    found = select(Run).order_by(Run.id.desc()).limit(1).options(selectinload(Run.sessions))
    return stall.session.scalars(found).one()


def test_sessions_are_typed_row_by_row(desk: FlaskClient, stall: Stall, day: date) -> None:
    page = f"/lembaga/kursus/{stall.course.id}/jadwal-baru"
    typed = rows((day, "09:00", "12:00", "Neraca"), (day, "13.00", "15.00", "Laba"))
    more = desk.post(page, data=typed | {"more": "1"})
    assert more.status_code == 200 and len(read(more.text).select("fieldset.sesi")) == 8
    assert newest_count(stall) == 0
    answer = desk.post(page, data=typed | {"confirmation": "1"})
    run = newest(stall)
    assert run.needs_confirmation
    assert str(answer.location) == f"/lembaga/jadwal/{run.id}"
    assert [(each.topic, each.sequence) for each in run.sessions] == [("Neraca", 1), ("Laba", 2)]
    assert f"{run.starts_at.astimezone(clock.ZONE):%Y-%m-%d %H:%M}" == f"{day} 09:00"
    assert str(run.id) in desk.get(f"/kursus/{stall.course.id}").text


def test_a_form_sent_twice_opens_one_run(desk: FlaskClient, stall: Stall, day: date) -> None:
    page = f"/lembaga/kursus/{stall.course.id}/jadwal-baru"
    key = hidden_fields(desk.get(page).text)["key"]
    typed = rows((day, "09:00", "12:00", "Neraca")) | {"key": key}
    more = desk.post(page, data=typed | {"more": "1"})
    assert hidden_fields(more.text)["key"] == key
    answers = [desk.post(page, data=typed, follow_redirects=True) for _ in range(2)]
    assert len({each.request.path for each in answers}) == 1 and newest_count(stall) == 1
    assert all("Jadwal dibuka." in words(each.text) for each in answers)
    desk.post(page, data=typed | {"seats": "9"})
    assert newest_count(stall) == 2, "a form that was changed is another one"
    starts = clock.start_of_day(day)
    plan = RunPlan(RunKind.SCHEDULED, [PlannedSession("x", starts, starts + timedelta(hours=1))], 5)
    ids = (stall.provider.id, stall.course.id)

    def open_run(current: Session) -> uuid.UUID:
        return offering.offer_run(current, *ids, plan, current.get_one(User, stall.staff.id), key).id

    assert len(set(at_once(desk.application, [open_run] * 2))) == 1 and newest_count(stall) == 3


def test_staff_type_and_read_their_own_hours(desk: FlaskClient, stall: Stall, day: date) -> None:
    with transaction() as current:
        current.get_one(Provider, stall.provider.id).province_code = "93"
    page = f"/lembaga/kursus/{stall.course.id}/jadwal-baru"
    assert "Waktu dalam WIT, menurut urutannya." in words(desk.get(page).text)
    desk.post(page, data=rows((day, "09:00", "12:00", "Neraca")))
    run = newest(stall)
    assert f"{run.starts_at.astimezone(clock.ZONE):%Y-%m-%d %H:%M}" == f"{day} 07:00"
    assert "09.00–12.00 WIT" in words(desk.get(f"/lembaga/jadwal/{run.id}").text)
    again = read(desk.get(f"/lembaga/jadwal/{run.id}/ubah").text)
    assert [again.select_one(f"#{name}-1")["value"] for name in ("date", "start", "end")] == [
        *(str(day), "09:00", "12:00")
    ]
    paced = f"/lembaga/kursus/{stall.course.id}/akses-baru"
    assert "Sampai pukul 23.59 WIT hari itu." in words(desk.get(paced).text)
    [sold] = stall.sell(run, "Ratna")
    assert "07.00–10.00 WIB" in words(desk.application.test_client().get(f"/kursus/{stall.course.id}").text)
    assert f"{sold.purchased_at.astimezone(ZoneInfo('Asia/Jayapura')):%Y-%m-%dT%H:%M:%S+09:00}" in (
        desk.get("/lembaga/pendaftaran.csv").text
    )


def newest_count(stall: Stall) -> int:
    stall.session.rollback()
    return len(stall.session.scalars(select(Run.id)).all())


def test_faults_are_named_with_their_session(desk: FlaskClient, stall: Stall, day: date) -> None:
    page = f"/lembaga/kursus/{stall.course.id}/jadwal-baru"
    backwards = rows((day, "12:00", "09:00", ""), (day, "25:00", "09:60", ""))
    refused = desk.post(page, data=backwards)
    assert refused.status_code == 400
    told = words(refused.text)
    assert "Sesi 1: selesainya harus sesudah mulainya." in told and "Tulis jam dan menit" in told
    overlapping = rows((day, "09:00", "12:00", ""), (day, "11:00", "13:00", ""))
    assert "Sesi 2: mulainya harus sesudah" in words(desk.post(page, data=overlapping).text)
    early = rows((day - timedelta(days=20), "09:00", "12:00", ""))
    assert "Sesi pertama harus masih akan datang." in words(desk.post(page, data=early).text)
    late = rows((date(2199, 1, 1), "09:00", "12:00", ""))
    assert "saldo pelatihan tidak berlaku" in words(desk.post(page, data=late).text)
    assert "Tulis tanggal yang ada di kalender" in words(desk.post(page, data=rows()).text)
    turned = rows((day, "09:00", "12:00", "S\u202eatu")) | {"place": "Slem\u200fan"}
    told = words(desk.post(page, data=turned).text)
    assert "Tulis tempatnya. Ada tanda pembalik" in told and "Tulis topik sesi 1. Ada tanda" in told
    for value in NASTY.values():
        body = encode({name: field.encode() for name, field in rows((day, "9:00", "10:00", "")).items()})
        for name in ("date-1", "rows"):
            nasty = f"{body}&{encode({name: value})}"
            answer = desk.post(page, data=nasty, content_type="application/x-www-form-urlencoded")
            assert answer.status_code < 500
    assert newest_count(stall) <= len(NASTY) * 2


def test_a_self_paced_run_has_a_unit_a_line(desk: FlaskClient, stall: Stall, day: date) -> None:
    page = f"/lembaga/kursus/{stall.course.id}/akses-baru"
    typed = {
        "seats": "100",
        "place": "",
        "units": "Satu\r\n\r\nDua\r\n",
        "opens": str(day),
        "closes": str(day),
    }
    assert desk.post(page, data=typed | {"closes": "1-1-2020"}).status_code == 400
    assert desk.post(page, data=typed).status_code == 302
    run = newest(stall)
    assert [each.topic for each in run.sessions] == ["Satu", "Dua"]
    again = desk.get(f"/lembaga/jadwal/{run.id}/ubah").text
    assert "Satu\nDua" in again
    desk.post(f"/lembaga/jadwal/{run.id}/ubah", data=typed | {"units": "Satu"})
    assert [each.topic for each in newest(stall).sessions] == ["Satu"]


def test_once_bought_the_times_stay_and_another_place_is_told(
    desk: FlaskClient, stall: Stall, day: date
) -> None:
    run = stall.make_run(sessions=2)
    page = f"/lembaga/jadwal/{run.id}/ubah"
    desk.post(page, data=rows((day, "09:00", "12:00", "Neraca")))
    assert [each.topic for each in newest(stall).sessions] == ["Neraca"]
    first, second = stall.sell(newest(stall), "Ratna", "Yohanes")
    kept = newest(stall).starts_at
    refused = desk.post(page, data={"seats": "1", "place": "Sleman", "topic-1": "Neraca"})
    assert refused.status_code == 400 and "2 kursi sudah dibeli" in words(refused.text)
    opened_before = desk.post(page, data=rows((day, "10:00", "12:00", "Laba")) | {"place": "Gedung A"})
    assert opened_before.status_code == 400 and newest(stall).place == "Sleman"
    assert "Sudah ada yang membeli, jadi waktu dan jumlah sesinya tetap." in words(opened_before.text)
    assert len(read(opened_before.text).select(".govuk-error-summary li")) == 1
    typed = [read(opened_before.text).select_one(f"#{name}")["value"] for name in ("place", "topic-1")]
    assert typed == ["Gedung A", "Laba"]
    changed = {"seats": "2", "place": "Gedung B", "topic-1": "Neraca lajur"}
    assert desk.post(page, data=changed).status_code == 302
    found = newest(stall)
    assert (found.seats, found.place, found.sessions[0].topic) == (2, "Gedung B", "Neraca lajur")
    assert found.starts_at == kept
    for enrolment in (first, second):
        told = notifications.list_for_user(stall.session, enrolment.participant.user_id)
        assert any("Gedung B" in message.body for message in told)


def test_times_that_somebody_was_there_stay_when_their_seat_is_given_back(
    desk: FlaskClient, stall: Stall
) -> None:
    with transaction() as current:
        run = factories.make_self_paced_run(current, stall.course, units=3)
    [learner] = stall.sell(run, "Ratna")
    page = f"/lembaga/jadwal/{run.id}/ubah"
    stall.attend(learner, 3)
    with transaction() as current:
        refund(current, learner.id, factories.make_user(current, Role.FINANCE), "ADU-1")
    assert newest(stall).seats_taken == 0
    asked = desk.get(page)
    assert "Kehadiran di jadwal ini sudah tercatat" in words(asked.text) and 'name="units"' not in asked.text
    paced = {"seats": "9", "units": "Satu", "opens": "1-1-2027", "closes": "1-1-2027"}
    assert desk.post(page, data=paced).status_code == 400
    plan = RunPlan(RunKind.SELF_PACED, [PlannedSession("x")], 9, starts_at=run.starts_at, ends_at=run.ends_at)
    with transaction() as current, pytest.raises(RunSold):
        staff = current.get_one(User, stall.staff.id)
        run_changes.change_run(current, run.id, RunChange(9, "", [], plan), staff)
    changed = {"seats": "9", "place": "", "topic-1": "Pembukuan"}
    assert desk.post(page, data=changed).status_code == 302
    found = newest(stall)
    assert (found.seats, [each.topic for each in found.sessions]) == (9, ["Pembukuan", "", ""])


def test_the_rules_stand_behind_the_form(stall: Stall, day: date) -> None:
    run = stall.make_run()
    stall.sell(run, "Ratna")
    starts = clock.start_of_day(day)
    plan = RunPlan(RunKind(run.kind), [PlannedSession("x", starts, starts + timedelta(hours=1))], 5)
    staff = stall.session.get_one(User, stall.staff.id)
    with pytest.raises(RunSold):
        run_changes.change_run(stall.session, run.id, RunChange(5, "", [], plan), staff)
    other = factories.make_provider(stall.session)
    with pytest.raises(NotFound):
        offering.offer_run(stall.session, other.id, stall.course.id, plan, staff)
