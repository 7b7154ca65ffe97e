"""My courses, from outside: what comes next, checking in, and what it says when that is refused."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy.orm import Session

from marketplace.batches.models import Grant
from marketplace.catalogue import queries as catalogue
from marketplace.catalogue.models import Run
from marketplace.db import transaction
from marketplace.enrolments import service as enrolments
from marketplace.enrolments.check_in_codes import current_code
from marketplace.enrolments.models import Enrolment
from tests import factories
from tests.web.conftest import SignIn, words


@pytest.fixture
def grant(session: Session) -> Grant:
    with transaction() as current:
        factories.fund_scheme(current)
        return factories.make_grant(current)


def _buy(grant: Grant, **run: object) -> tuple[Enrolment, Run]:
    with transaction() as current:
        bought = factories.make_run(current, **run)  # type: ignore[arg-type] # the factory's own options
        wish = enrolments.PurchaseRequest(grant.participant_id, bought.id, "k", 1, bought.course.price)
        return enrolments.purchase(current, wish), bought


def test_home_leads_to_the_session_that_is_open_now(sign_in: SignIn, session: Session, grant: Grant) -> None:
    enrolment, _run = _buy(grant, starts_in=timedelta(minutes=10))
    home = sign_in(grant.participant.user).get("/beranda")
    assert "Sesi 1," in words(home.text)
    assert f"/kursus-saya/{enrolment.id}" in home.text
    assert "Dititipkan Rp750.000" in words(home.text)


def test_the_code_on_the_screen_checks_in_once(sign_in: SignIn, session: Session, grant: Grant) -> None:
    enrolment, run = _buy(grant, starts_in=timedelta(minutes=10))
    meeting = catalogue.get_run(session, run.id).sessions[0]
    client = sign_in(grant.participant.user)
    page = f"/kursus-saya/{enrolment.id}"
    assert "Presensi sesi 1" in words(client.get(page).text)
    for _ in range(2):
        code, _left = current_code(meeting)
        answer = client.post(f"{page}/sesi/{meeting.id}", data={"code": code}, follow_redirects=True)
        assert "Kehadiran Anda tercatat." in words(answer.text)
    assert "Sesi 1/4" in words(client.get(page).text)


def test_a_wrong_code_is_refused_in_words_beside_the_field(
    sign_in: SignIn, session: Session, grant: Grant
) -> None:
    enrolment, run = _buy(grant, starts_in=timedelta(minutes=10))
    meeting = catalogue.get_run(session, run.id).sessions[0]
    code, _left = current_code(meeting)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    client = sign_in(grant.participant.user)
    answer = client.post(f"/kursus-saya/{enrolment.id}/sesi/{meeting.id}", data={"code": wrong})
    assert answer.status_code == 409
    assert "Kode itu tidak cocok" in words(answer.text)


def test_a_session_that_is_not_open_yet_says_when_it_opens(
    sign_in: SignIn, session: Session, grant: Grant
) -> None:
    enrolment, run = _buy(grant, starts_in=timedelta(days=2))
    meeting = catalogue.get_run(session, run.id).sessions[0]
    code, _left = current_code(meeting)
    client = sign_in(grant.participant.user)
    assert "Presensi sesi" not in words(client.get(f"/kursus-saya/{enrolment.id}").text)
    answer = client.post(f"/kursus-saya/{enrolment.id}/sesi/{meeting.id}", data={"code": code})
    assert "Presensi dibuka" in words(answer.text)


def test_a_self_paced_unit_is_marked_done_with_one_button(
    sign_in: SignIn, session: Session, grant: Grant
) -> None:
    with transaction() as current:
        run = factories.make_self_paced_run(current, factories.make_course(current, price=Decimal(300_000)))
        wish = enrolments.PurchaseRequest(grant.participant_id, run.id, "k", 1, Decimal(300_000))
        enrolment = enrolments.purchase(current, wish)
    unit = catalogue.get_run(session, run.id).sessions[0]
    client = sign_in(grant.participant.user)
    address = f"/kursus-saya/{enrolment.id}/unit/{unit.id}"
    answer = client.post(address, follow_redirects=True)
    assert "Unit ini sudah selesai." in words(answer.text)
    assert "Unit 1/5" in words(answer.text)


def test_another_persons_course_does_not_exist(sign_in: SignIn, session: Session, grant: Grant) -> None:
    enrolment, run = _buy(grant, starts_in=timedelta(minutes=10))
    meeting = catalogue.get_run(session, run.id).sessions[0]
    with transaction() as current:
        other = factories.make_grant(current).participant.user
    stranger = sign_in(other)
    assert stranger.get(f"/kursus-saya/{enrolment.id}").status_code == 404
    assert stranger.post(f"/kursus-saya/{enrolment.id}/batal").status_code == 404
    answer = stranger.post(f"/kursus-saya/{enrolment.id}/sesi/{meeting.id}", data={"code": "123456"})
    assert answer.status_code == 404
