"""My courses, from outside: what comes next, checking in, and what it says when that is refused."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from marketplace.batches.models import Grant
from marketplace.catalogue import queries as catalogue
from marketplace.catalogue.models import Run
from marketplace.db import transaction
from marketplace.enrolments import cancellation, completion
from marketplace.enrolments import service as enrolments
from marketplace.enrolments.check_in_codes import current_code
from marketplace.enrolments.models import Enrolment
from marketplace.identity.models import Role
from tests import factories
from tests.marketplace.enrolments.scenes import advance, buy
from tests.web import page_rules
from tests.web.conftest import SignIn, read, words
from tests.web.page_rules import dead_fragments


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
    receipt = words(client.get(f"/bukti/{enrolment.id}").text)
    assert "Anda bisa mulai belajar sekarang." in receipt and "Mulai dari unit pertama." in receipt
    assert "5 unit" in receipt and "5 sesi" not in receipt
    address = f"/kursus-saya/{enrolment.id}/unit/{unit.id}"
    answer = client.post(address, follow_redirects=True)
    assert "Unit ini sudah selesai." in words(answer.text)
    assert "Unit 1/5" in words(answer.text)
    assert "Anda bisa mulai belajar sekarang." not in words(client.get(f"/bukti/{enrolment.id}").text)


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


def test_a_code_is_taken_for_the_class_that_is_shown_and_no_other(
    sign_in: SignIn, session: Session, grant: Grant
) -> None:
    shown, _run = _buy(grant, starts_in=timedelta(days=3))
    with transaction() as current:
        open_now = factories.make_run(current, starts_in=timedelta(minutes=10))
        wish = enrolments.PurchaseRequest(grant.participant_id, open_now.id, "k2", 1, open_now.course.price)
        enrolments.purchase(current, wish)
    meeting = catalogue.get_run(session, open_now.id).sessions[0]
    code, _left = current_code(meeting)
    client = sign_in(grant.participant.user)
    assert client.post(f"/kursus-saya/{shown.id}/sesi/{meeting.id}", data={"code": code}).status_code == 404


def test_a_refusal_links_to_its_field_where_there_is_one(
    sign_in: SignIn, session: Session, grant: Grant
) -> None:
    client = sign_in(grant.participant.user)
    for starts_in, links in ((timedelta(minutes=10), ["#code-1"]), (timedelta(days=3), [])):
        with transaction() as current:
            run = factories.make_run(current, starts_in=starts_in)
            wish = enrolments.PurchaseRequest(grant.participant_id, run.id, str(run.id), 1, run.course.price)
            enrolment = enrolments.purchase(current, wish)
        meeting = catalogue.get_run(session, run.id).sessions[0]
        page = client.post(f"/kursus-saya/{enrolment.id}/sesi/{meeting.id}", data={"code": "x"}).text
        assert [each["href"] for each in read(page).select(".govuk-error-summary a")] == links
        assert dead_fragments(page_rules.read(page)) == []


def test_a_self_paced_course_leads_back_and_is_not_offered_for_refund_once_begun(
    sign_in: SignIn, session: Session, grant: Grant
) -> None:
    with transaction() as current:
        run = factories.make_self_paced_run(current, factories.make_course(current, price=Decimal(300_000)))
        wish = enrolments.PurchaseRequest(grant.participant_id, run.id, "k", 1, Decimal(300_000))
        enrolment = enrolments.purchase(current, wish)
    client = sign_in(grant.participant.user)
    assert "0 dari 5 unit selesai" in words(client.get("/beranda").text)
    cancel = f"/kursus-saya/{enrolment.id}/batal"
    assert "Batalkan, kembalikan Rp300.000" in words(client.get(cancel).text)
    unit = catalogue.get_run(session, run.id).sessions[0]
    client.post(f"/kursus-saya/{enrolment.id}/unit/{unit.id}")
    assert "1 dari 5 unit selesai" in words(client.get("/beranda").text)
    page = words(client.get(cancel).text)
    assert "Kehadiran Anda sudah tercatat, jadi pembelian ini tidak bisa dibatalkan lagi." in page
    assert "Batalkan, kembalikan" not in page


def test_what_the_programme_took_back_says_why(
    sign_in: SignIn, session: Session, grant: Grant, owner_engine: Engine
) -> None:
    with transaction() as current:
        empty, complained = (buy(current, factories.make_run(current), grant) for _ in range(2))
        paced = [factories.make_self_paced_run(current, days=days) for days in (20, 60)]
        over, unopened = (buy(current, run, grant) for run in paced)
        cancellation.refund(current, complained.id, factories.make_user(current, Role.FINANCE), "ADU-1")
        cancellation.cancel_run(current, complained.run_id, None, "Atap roboh")
        advance(current, owner_engine, timedelta(days=31))
        for bought in (empty, over):
            completion.complete_run(current, bought.run_id, None)
        assert cancellation.refund_unopened(current) == 1
    client = sign_in(grant.participant.user)
    reasons = {
        empty: "Tidak ada kehadiran yang tercatat di kelas ini.",
        complained: "Pengaduan Anda dikabulkan.",
        over: "Tidak ada unit yang diselesaikan sampai aksesnya berakhir.",
        unopened: "Unit pertamanya tidak dibuka selama 30 hari.",
    }
    for bought, why in reasons.items():
        page = words(client.get(f"/kursus-saya/{bought.id}").text)
        assert f"Program mengembalikan pembelian ini. {why}" in page and "Atap roboh" not in page
