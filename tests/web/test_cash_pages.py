"""One's own money from outside: waiting, earned, each line with its proof, and surveys that pay once."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from marketplace.batches.models import Grant
from marketplace.db import run_in_transaction, transaction
from marketplace.enrolments import certificates, earnings
from marketplace.enrolments.models import Enrolment
from marketplace.identity.models import Role
from marketplace.payouts.incentives import judge_certificates
from tests import factories
from tests.marketplace.enrolments.scenes import advance
from tests.marketplace.payouts import world
from tests.web.conftest import SignIn, read, words
from tests.web.page_rules import problems_of


@pytest.fixture
def grant(session: Session) -> Grant:
    with transaction() as current:
        found = factories.make_grant(current)
        world.make_earning(current, factories.make_provider(current), grant=found)
        return found


def _earn(session: Session, owner: Engine) -> None:
    session.rollback()
    advance(session, owner, timedelta(days=20))
    run_in_transaction(judge_certificates)


def test_an_incentive_is_announced_earned_and_proven(
    session: Session, owner_engine: Engine, grant: Grant, sign_in: SignIn
) -> None:
    mine = sign_in(grant.participant.user)
    assert "Insentif setelah sertifikat" in words(mine.get("/beranda").text)
    assert "bisa dikoreksi lembaga sampai" in words(mine.get("/insentif").text)
    _earn(session, owner_engine)
    assert "Uang tunai Anda Rp600.000" in words(mine.get("/beranda").text)
    page = mine.get("/insentif")
    assert problems_of(page) == []
    assert "Pembayaran ke rekening Anda belum dibuka" in words(page.text)
    [row] = read(page.text).select(".riwayat a")
    proof = mine.get(str(row["href"]))
    assert "Insentif" in words(proof.text) and "Rp600.000" in words(proof.text)
    with transaction() as current:
        other, office = factories.make_participant(current).user, factories.make_user(current, Role.FINANCE)
    assert sign_in(other).get(str(row["href"])).status_code == 404
    [certificate] = certificates.list_own(session, grant.participant_id)
    label = str(row["href"]).rpartition("/")[2].replace("-", "")
    story = words(sign_in(office).get(f"/keuangan/buku-besar/txn_{label}").text)
    assert "berhak atas insentif Rp600.000" in story and certificate.number in story


def test_whoever_gets_no_incentive_is_told_why_and_whoever_waits_for_what(
    session: Session, owner_engine: Engine, grant: Grant, sign_in: SignIn
) -> None:
    mine = sign_in(grant.participant.user)
    session.rollback()
    [certificate] = certificates.list_own(session, grant.participant_id)
    title, enrolment_id = certificate.course_title, certificate.enrolment_id
    with transaction() as current:
        earning = current.get_one(Enrolment, enrolment_id).earning
        assert earning is not None
        office = factories.make_user(current, Role.FINANCE)
        earnings.hold(current, earning.id, "attendance_uploaded", office)
    advance(session, owner_engine, timedelta(days=20))
    held = f"Insentif dari {title} menunggu: kantor program memeriksa dulu kehadiran di kelas itu."

    def said() -> tuple[bool, str]:
        session.rollback()
        page, home = (words(mine.get(address).text) for address in ("/insentif", "/beranda"))
        assert "bisa dikoreksi lembaga" not in page + home
        return held in page and held in home, page

    assert said()[0], "held after its certificate: no day that is over"
    with transaction() as current:
        earnings.unhold(current, earning.id, office)
    assert "sudah tetap. Insentifnya sedang diputuskan." in said()[1]
    with owner_engine.begin() as connection:
        connection.execute(text("UPDATE certificate SET hours = 14"))
    run_in_transaction(judge_certificates)
    assert f"{title} terlalu singkat, jadi sertifikatnya tidak memberi insentif." in said()[1]
    with transaction() as current:
        certificates.revoke(current, certificate.id, "Daftar hadir dipalsukan", office)
    assert f"Sertifikat {title} dicabut, jadi tidak memberi insentif." in said()[1]
    with owner_engine.begin() as connection:
        connection.execute(text("UPDATE certificate SET revoked_at = NULL, revoked_code = NULL"))
        connection.execute(text("UPDATE enrolment SET price = 0"))
    assert f"{title} gratis, jadi sertifikatnya tidak memberi insentif." in said()[1]


def test_a_survey_is_answered_in_full_and_paid_once(
    session: Session, owner_engine: Engine, grant: Grant, sign_in: SignIn
) -> None:
    mine = sign_in(grant.participant.user)
    assert "setelah insentif pertama" in words(mine.get("/survei/1").text)
    full = {"useful": "5", "pace": "right", "recommend": "yes"}
    assert _answer(mine, full) == 409
    _earn(session, owner_engine)
    assert "Seberapa berguna" in words(mine.get("/survei/1").text)
    for wrong in ({}, full | {"pace": "<b>"}, {"useful": "5"}):
        assert _answer(mine, wrong) == 400
    for _ in range(2):
        assert _answer(mine, full) == 302
    page = words(mine.get("/insentif").text)
    assert "Rp650.000" in page and "Tentang pekerjaan Anda" in page and "Tentang pelatihan Anda" not in page
    assert "sudah Anda isi" in words(mine.get("/survei/1").text)
    assert [mine.get(f"/survei/{number}").status_code for number in (0, 3, 99)] == [404] * 3


def _answer(browser: FlaskClient, answers: dict[str, str]) -> int:
    return browser.post("/survei/1", data=answers).status_code
