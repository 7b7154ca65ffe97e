"""Checking in by scanning the classroom's screen: a camera, a link, one button."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import zxingcpp
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.catalogue.models import Run, RunSession
from marketplace.db import transaction
from marketplace.enrolments.check_in_codes import current_code
from marketplace.enrolments.models import Attendance, Enrolment
from tests import factories
from tests.marketplace.enrolments.scenes import buy
from tests.web.conftest import SignIn, read, words
from tests.web.page_rules import problems_of
from tests.web.test_receipt_code import drawn


@pytest.fixture
def run(session: Session) -> Run:
    with transaction() as current:
        return factories.make_run(current, starts_in=timedelta(minutes=10), sessions=2)


def _sell(run: Run) -> Enrolment:
    with transaction() as current:
        return buy(current, current.get_one(Run, run.id))


def _count(session: Session) -> int:
    session.rollback()
    return session.scalar(select(func.count()).select_from(Attendance)) or 0


def _scan(page: str) -> str:
    """What a camera reads from the picture on the screen."""
    modules = drawn(str(read(page).select(".layar .qr img")[0]["src"]))
    picture = Image.new("L", (len(modules) + 8,) * 2, 255)
    for y, row in enumerate(modules, start=4):
        for x, dark in enumerate(row, start=4):
            picture.putpixel((x, y), 0 if dark else 255)
    large = picture.resize((picture.width * 6, picture.height * 6), Image.Resampling.NEAREST)
    [code] = zxingcpp.read_barcodes(large)
    return str(urlsplit(code.text).path)


def _address(meeting: RunSession, code: str) -> str:
    return f"/presensi/{meeting.id}/{code}"


def test_the_scanned_link_asks_and_one_button_checks_in(
    run: Run, session: Session, sign_in: SignIn, client: FlaskClient
) -> None:
    enrolment = _sell(run)
    with transaction() as current:
        staff = factories.make_staff(current, current.get_one(Run, run.id).course.provider)
    link = _scan(sign_in(staff).get(f"/lembaga/sesi/{run.sessions[0].id}").text)
    with client.session_transaction() as cookie:
        cookie.clear()
    assert client.get(link).location.startswith("/masuk?next=/presensi/")
    phone = sign_in(enrolment.participant.user)
    asked = phone.get(link)
    assert problems_of(asked) == [] and "Presensi sesi 1" in words(asked.text)
    assert _count(session) == 0, "opening a link is no presence"
    for _ in range(2):
        done = phone.post(link, follow_redirects=True)
        assert "Kehadiran Anda tercatat." in words(done.text)
    assert _count(session) == 1


def test_a_guessed_an_old_and_another_sessions_code_are_refused(
    run: Run, session: Session, sign_in: SignIn
) -> None:
    phone = sign_in(_sell(run).participant.user)
    first, second = run.sessions
    right, _left = current_code(first)
    old, _left = current_code(first, clock.wall_now() - timedelta(seconds=90))
    foreign, _left = current_code(second)
    for code in (f"{(int(right) + 1) % 10**6:06d}", old, foreign, "x"):
        assert "cocok" in words(phone.post(_address(first, code)).text)
    ahead = phone.post(_address(second, foreign))
    assert ahead.status_code == 409 and "Presensi dibuka" in words(ahead.text)
    for _ in range(6):
        phone.post(_address(first, "000000" if right != "000000" else "000001"))
    assert "Terlalu banyak kode salah" in words(phone.post(_address(first, right)).text)
    assert _count(session) == 0


def test_who_is_not_in_the_class_is_told_so(run: Run, session: Session, sign_in: SignIn) -> None:
    with transaction() as current:
        other = factories.make_grant(current).participant.user
    phone = sign_in(other)
    code, _left = current_code(run.sessions[0])
    link = _address(run.sessions[0], code)
    assert "Anda tidak terdaftar di kelas ini" in words(phone.get(link).text)
    assert phone.post(link).status_code == 409
    assert _count(session) == 0


def test_my_courses_begin_with_the_next_session_and_end_with_what_is_over(
    session: Session, sign_in: SignIn
) -> None:
    with transaction() as current:
        grant = factories.make_grant(current)
        runs = [factories.make_run(current, starts_in=timedelta(days=days)) for days in (9, 2, 5)]
        paced = factories.make_self_paced_run(current)
        for each in (*runs, paced):
            price = each.course.price = each.course.price / 2
            assert price and buy(current, each, grant)
    page = words(sign_in(grant.participant.user).get("/kursus-saya").text)
    titles = [each.course.title for each in (runs[1], runs[2], runs[0], paced)]
    places = [page.index(title) for title in titles]
    assert places == sorted(places)
    assert page.count("Sesi 1,") == 3 and "0 dari 5 unit selesai" in page
