"""One's own money from outside: waiting, earned, each line with its proof, and surveys that pay once."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from marketplace.batches.models import Grant
from marketplace.db import run_in_transaction, transaction
from marketplace.enrolments import certificates
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
