"""The waiting list and the code before a purchase, from outside."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.batches import queries as grants
from marketplace.batches.models import Grant
from marketplace.catalogue.models import Run
from marketplace.db import transaction
from marketplace.enrolments.cancellation import cancel
from marketplace.identity import codes
from marketplace.identity import service as identity
from marketplace.identity.models import User, UserSession
from marketplace.notifications.models import Notification
from marketplace.providers.models import Provider
from tests import factories
from tests.marketplace.enrolments.scenes import buy
from tests.web.conftest import SignIn, hidden_fields, words

SAVED = Decimal(3_500_000)


@pytest.fixture
def grant(session: Session) -> Grant:
    with transaction() as current:
        factories.fund_scheme(current)
        return factories.make_grant(current)


@pytest.fixture
def run(session: Session, grant: Grant) -> Run:
    """A run of Rp750.000 with one seat."""
    with transaction() as current:
        course = factories.make_course(current, price=Decimal(750_000))
        return factories.make_run(current, course, seats=1)


@pytest.fixture
def buyer(sign_in: SignIn, grant: Grant) -> FlaskClient:
    return sign_in(grant.participant.user)


def test_a_full_run_has_a_line_and_a_free_seat_is_offered_to_the_first(
    buyer: FlaskClient, run: Run, session: Session, sign_in: SignIn, grant: Grant
) -> None:
    early = buyer.post(f"/beli/{run.id}/tunggu", follow_redirects=True)
    assert "masih punya kursi" in words(early.text)
    with transaction() as current:
        bought = buy(current, current.get_one(Run, run.id))
        owner = (bought.id, bought.participant_id)
    assert "Lihat daftar tunggu" in words(buyer.get(f"/kursus/{run.course_id}").text)
    assert "Masuk daftar tunggu" in words(buyer.get(f"/beli/{run.id}").text)
    for _ in range(2):
        joined = words(buyer.post(f"/beli/{run.id}/tunggu", follow_redirects=True).text)
    assert "Anda nomor 1 di daftar tunggu." in joined and "Keluar dari daftar tunggu" in joined
    assert "Daftar tunggu nomor 1" in words(buyer.get("/kursus-saya").text)
    with transaction() as current:
        staff = factories.make_staff(current, current.get_one(Provider, run.course.provider_id))
    page = words(sign_in(staff).get(f"/lembaga/jadwal/{run.id}").text)
    assert "1 dari 1 kursi terisi; 1 orang di daftar tunggu" in page
    sign_in(grant.participant.user)
    with transaction() as current:
        cancel(current, *owner)
    offered = buyer.get("/beranda")
    assert "Ada kursi untuk Anda" in words(offered.text)
    review = buyer.get(f"/beli/{run.id}").text
    assert "Satu kursi disimpan untuk Anda sampai" in words(review)
    receipt = buyer.post(f"/beli/{run.id}", data=hidden_fields(review), follow_redirects=True)
    assert "Anda terdaftar" in words(receipt.text)
    assert "Daftar tunggu" not in words(buyer.get("/kursus-saya").text)
    assert buyer.post(f"/beli/{run.id}/tunggu/keluar").status_code == 404


def _age(session: Session, seconds: int) -> None:
    """Let the proof of every session become so old."""
    with transaction() as current:
        current.execute(update(UserSession).values(proved_at=clock.wall_now() - timedelta(seconds=seconds)))


def _code(session: Session) -> str:
    session.rollback()
    secret = select(Notification.body).where(Notification.secret).order_by(Notification.id.desc())
    found = re.search(r"\d{6}", session.scalars(secret).first() or "")
    assert found is not None
    return found[0]


def _balance(session: Session, grant: Grant) -> Decimal:
    session.rollback()
    return grants.balance_of(session, grant.participant_id)


def test_an_old_session_buys_after_a_code_of_its_own(
    app: Flask, buyer: FlaskClient, run: Run, grant: Grant, session: Session
) -> None:
    form = hidden_fields(buyer.get(f"/beli/{run.id}").text)
    _age(session, 901)
    asked = buyer.post(f"/beli/{run.id}", data=form)
    assert "Pastikan ini Anda" in words(asked.text) and _balance(session, grant) == SAVED
    assert hidden_fields(asked.text) == form, "what was seen is kept"
    code = _code(session)
    other = _other_browser(app, grant.participant.user)
    _age(session, 901)
    for browser, typed, said in [
        (buyer, "", "Tulis enam angka"),
        (buyer, f"{(int(code) + 1) % 10**6:06d}", "Kode itu tidak cocok"),
        (other, code, "Kode ini sudah tidak berlaku"),
    ]:
        answer = browser.post(f"/beli/{run.id}", data=form | {"code": typed})
        assert (answer.status_code, said in words(answer.text)) == (409, True), typed
    with transaction() as current, pytest.raises(codes.CodeExpired):
        identity.sign_in(current, grant.participant.user.contact, code, "another purpose")
    bought = buyer.post(f"/beli/{run.id}", data=form | {"code": code})
    assert bought.location.startswith("/bukti/") and _balance(session, grant) == SAVED - 750_000
    _age(session, 901)
    assert buyer.post(f"/beli/{run.id}", data=form).location == bought.location, "a repeat needs no code"
    with transaction() as current:
        second = factories.make_run(current, factories.make_course(current, price=Decimal(500_000)))
    form = hidden_fields(buyer.get(f"/beli/{second.id}").text)
    replayed = buyer.post(f"/beli/{second.id}", data=form | {"code": code})
    assert "Kode ini sudah tidak berlaku" in words(replayed.text)
    buyer.post(f"/beli/{second.id}", data=form | {"code": code, "resend": "1"})
    assert buyer.post(f"/beli/{second.id}", data=form | {"code": _code(session)}).status_code == 302


def _other_browser(app: Flask, user: User) -> FlaskClient:
    browser = app.test_client()
    with transaction() as current:
        token = identity.start_session(current, current.get_one(User, user.id), "test")
    with browser.session_transaction() as cookie:
        cookie["token"] = token
    return browser


def test_a_refusal_comes_before_a_code_and_free_courses_need_none(
    buyer: FlaskClient, run: Run, session: Session
) -> None:
    form = hidden_fields(buyer.get(f"/beli/{run.id}").text)
    with transaction() as current:
        buy(current, current.get_one(Run, run.id))
        free = factories.make_run(current, factories.make_course(current, price=Decimal(0)))
    gratis = hidden_fields(buyer.get(f"/beli/{free.id}").text)
    _age(session, 901)
    assert "Kursi terakhir" in words(buyer.post(f"/beli/{run.id}", data=form).text)
    assert buyer.post(f"/beli/{free.id}", data=gratis).status_code == 302
    session.rollback()
    assert session.scalars(select(Notification.id).where(Notification.secret)).all() == []
