"""The classroom's screen and the signed list."""

import re
import uuid
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from marketplace.catalogue.models import Run
from marketplace.db import transaction
from marketplace.enrolments.models import Attendance
from marketplace.notifications.models import Notification
from marketplace.web.provider import sessions
from tests import factories
from tests.marketplace.enrolments.scenes import buy
from tests.web.conftest import SignIn, read, words
from tests.web.provider.conftest import Stall

_CODE = re.compile(r"\b\d{3} \d{3}\b")


@pytest.fixture
def run(stall: Stall) -> Run:
    """A run whose first session opens its code now: it begins in ten minutes."""
    return stall.make_run(starts_in=timedelta(minutes=10))


def _count(stall: Stall) -> int:
    stall.session.rollback()
    return stall.session.scalar(select(func.count()).select_from(Attendance)) or 0


def test_the_code_on_the_screen_checks_a_participant_in(
    desk: FlaskClient, stall: Stall, run: Run, sign_in: SignIn
) -> None:
    [enrolment] = stall.sell(run, "Ratna Lestari")
    meeting = run.sessions[0].id
    page = desk.get(f"/lembaga/sesi/{meeting}").text
    [code] = _CODE.findall(words(page))
    sign_in(enrolment.participant.user).post(
        f"/kursus-saya/{enrolment.id}/sesi/{meeting}", data={"code": code.replace(" ", "")}
    )
    assert _count(stall) == 1
    page = words(sign_in(stall.staff).get(f"/lembaga/sesi/{meeting}").text)
    assert "Sudah hadir 1 dari 1" in page
    assert "Ratna Lestari" in page


def test_the_screen_refreshes_itself_when_the_code_changes(
    desk: FlaskClient, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "current_code", lambda meeting: ("123456", 20))
    page = read(desk.get(f"/lembaga/sesi/{run.sessions[0].id}").text)
    refresh = page.select_one('meta[http-equiv="refresh"]')
    assert refresh is not None
    assert 1 <= int(str(refresh["content"])) <= 30
    assert refresh.parent is not None and refresh.parent.name == "noscript"
    [script] = page.select("script")
    headers = {"If-None-Match": f'"{script["data-etag"]}"'}
    assert desk.get(str(script["data-href"]), headers=headers).status_code == 304
    [part, _who] = read(desk.get(str(script["data-href"])).text).select("[id]")
    assert _CODE.findall(part.get_text(" ")) == ["123 456"]
    monkeypatch.setattr(sessions, "current_code", lambda meeting: ("654321", 30))
    assert "654 321" in desk.get(str(script["data-href"]), headers=headers).text


def test_before_its_time_there_is_no_code(desk: FlaskClient, run: Run) -> None:
    page = desk.get(f"/lembaga/sesi/{run.sessions[1].id}").text
    assert _CODE.findall(words(page)) == []
    assert "Kode muncul pukul" in words(page)


def test_after_its_end_there_is_no_code_and_no_refresh(desk: FlaskClient, stall: Stall, run: Run) -> None:
    stall.sell(run, "Ratna Lestari")
    stall.pass_until_over(run)
    page = desk.get(f"/lembaga/sesi/{run.sessions[0].id}").text
    assert _CODE.findall(words(page)) == []
    assert "Sesi ini sudah selesai" in words(page)
    assert 'http-equiv="refresh"' not in page


def test_the_signed_list_is_recorded_and_everybody_named_is_told(
    desk: FlaskClient, stall: Stall, run: Run
) -> None:
    ratna, yohanes = stall.sell(run, "Ratna Lestari", "Yohanes Tukan")
    meeting = run.sessions[0].id
    stall.pass_until_over(run)
    address = f"/lembaga/sesi/{meeting}/daftar-hadir"
    assert "Ratna Lestari" in words(desk.get(address).text)
    answer = desk.post(address, data={"enrolment": [str(ratna.id)]}, follow_redirects=True)
    assert "1 kehadiran dicatat dari daftar. Setiap peserta diberi tahu." in words(answer.text)
    told = stall.session.scalars(
        select(Notification.user_id).where(Notification.subject.contains("dicatat lembaga"))
    ).all()
    assert told == [ratna.participant.user_id]
    boxes = read(desk.get(address).text).select('input[name="enrolment"]')
    assert [box["value"] for box in boxes] == [str(yohanes.id)]


def test_a_list_before_the_session_is_refused(desk: FlaskClient, stall: Stall, run: Run) -> None:
    [enrolment] = stall.sell(run, "Ratna Lestari")
    address = f"/lembaga/sesi/{run.sessions[0].id}/daftar-hadir"
    assert "Sesi belum mulai." in words(desk.get(address).text)
    answer = desk.post(address, data={"enrolment": [str(enrolment.id)]}, follow_redirects=True)
    assert "Presensi dibuka" in words(answer.text)
    assert _count(stall) == 0


def test_an_empty_list_is_asked_for_again(desk: FlaskClient, stall: Stall, run: Run) -> None:
    stall.sell(run, "Ratna Lestari")
    stall.pass_until_over(run)
    answer = desk.post(f"/lembaga/sesi/{run.sessions[0].id}/daftar-hadir")
    assert answer.status_code == 400
    assert "Centang sedikitnya satu nama." in words(answer.text)


def test_a_list_with_somebody_from_elsewhere_records_nobody(
    desk: FlaskClient, stall: Stall, run: Run
) -> None:
    [own] = stall.sell(run, "Ratna Lestari")
    with transaction() as current:
        foreign = buy(current, factories.make_run(current))
    stall.pass_until_over(run)
    address = f"/lembaga/sesi/{run.sessions[0].id}/daftar-hadir"
    for other in (str(foreign.id), str(uuid.uuid4()), "x"):
        assert desk.post(address, data={"enrolment": [str(own.id), other]}).status_code == 404
    assert _count(stall) == 0


def test_a_unit_of_a_self_paced_run_has_no_screen(desk: FlaskClient, stall: Stall) -> None:
    with transaction() as current:
        run = factories.make_self_paced_run(current, stall.course)
    assert desk.get(f"/lembaga/sesi/{run.sessions[0].id}").status_code == 404
    assert desk.get(f"/lembaga/jadwal/{run.id}").status_code == 200
