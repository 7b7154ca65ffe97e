"""A seat that the provider confirms, from both sides of the counter."""

from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from marketplace.batches.models import Grant
from marketplace.catalogue.models import Run
from marketplace.db import transaction
from marketplace.enrolments import tasks
from marketplace.identity import service as identity
from marketplace.identity.models import User
from marketplace.notifications import queries as notifications
from marketplace.oversight import tasks as oversight
from marketplace.providers.models import StaffRole
from marketplace.providers.service import add_staff
from tests import factories
from tests.marketplace.enrolments.scenes import advance
from tests.watermark import wait_for_others
from tests.web.conftest import hidden_fields, words

LIST = "/lembaga/pendaftaran"


@pytest.fixture
def grant(session: Session) -> Grant:
    with transaction() as current:
        factories.fund_scheme(current)
        return factories.make_grant(current)


@pytest.fixture
def run(session: Session, grant: Grant) -> Run:
    """A run of Rp750.000 in a week whose provider has not asked for anything yet."""
    with transaction() as current:
        return factories.make_run(current, factories.make_course(current, price=Decimal(750_000)))


def _browser(app: Flask, user: User) -> FlaskClient:
    browser = app.test_client()
    with transaction() as current:
        token = identity.start_session(current, current.get_one(User, user.id), "test")
    with browser.session_transaction() as cookie:
        cookie["token"] = token
    return browser


@pytest.fixture
def buyer(app: Flask, grant: Grant) -> FlaskClient:
    return _browser(app, grant.participant.user)


@pytest.fixture
def desk(app: Flask, run: Run) -> FlaskClient:
    """The provider's staff, who have switched confirmation on."""
    with transaction() as current:
        staff = factories.make_staff(current, run.course.provider)
    browser = _browser(app, staff)
    page = browser.get(f"/lembaga/jadwal/{run.id}")
    assert "Setiap pembelian langsung berlaku" in words(page.text)
    answer = browser.post(
        f"/lembaga/jadwal/{run.id}/konfirmasi", data=hidden_fields(page.text), follow_redirects=True
    )
    assert "Setiap pembelian menunggu konfirmasi Anda" in words(answer.text)
    return browser


def _request(buyer: FlaskClient, run: Run) -> str:
    """Ask for the seat; the enrolment's id."""
    review = buyer.get(f"/beli/{run.id}").text
    assert "Minta kursi, sisihkan Rp750.000" in words(review)
    answer = buyer.post(f"/beli/{run.id}", data=hidden_fields(review), follow_redirects=True)
    assert "Kursi Anda diminta Lembaga menjawab paling lambat" in words(answer.text)
    assert "Rp750.000 disisihkan sampai lembaga mengonfirmasi" in words(answer.text)
    return answer.request.path.rpartition("/")[2]


def test_a_confirmed_seat_has_a_receipt_with_its_proof(
    buyer: FlaskClient, desk: FlaskClient, run: Run, session: Session
) -> None:
    enrolment = _request(buyer, run)
    home = words(buyer.get("/beranda").text)
    assert "Sisa, siap dipakai Rp2.750.000" in home
    assert "Menunggu konfirmasi lembaga Rp750.000 Seluruh bantuan Rp3.500.000" in home
    assert buyer.get(f"/bukti/{enrolment}/catatan.json").status_code == 404
    listed = words(desk.get(LIST).text)
    assert "Menunggu konfirmasi Anda 1" in listed and "1 cocok" in words(
        desk.get(f"{LIST}?state=awaiting").text
    )
    assert "1 pendaftaran menunggu konfirmasi Anda" in words(desk.get("/lembaga").text)
    answer = desk.post(f"{LIST}/{enrolment}/konfirmasi", follow_redirects=True)
    assert "Kursi dikonfirmasi" in words(answer.text) and "Uangnya dititipkan di Bekal" in words(answer.text)
    again = desk.post(f"{LIST}/{enrolment}/tolak", data={"reason": "x"}, follow_redirects=True)
    assert "Keadaannya sudah berubah" in words(again.text)
    wait_for_others(session)
    oversight.seal()
    receipt = words(buyer.get(f"/bukti/{enrolment}").text)
    assert "Anda terdaftar" in receipt and "Tercatat di buku besar" in receipt
    assert "Rp750.000 disisihkan" in receipt and "Rp750.000 dititipkan di Bekal" in receipt
    assert buyer.get(f"/bukti/{enrolment}/catatan.json").status_code == 200
    home = words(buyer.get("/beranda").text)
    assert "Yang disisihkan kini dititipkan di Bekal. " in home and "Saldo tetap Rp2.750.000" in home


def test_finance_staff_read_who_waits_and_only_those_who_may_answer_are_told(
    app: Flask, buyer: FlaskClient, desk: FlaskClient, run: Run, session: Session
) -> None:
    with transaction() as current:
        people = {role: factories.make_user(current, name=f"Staf {role}") for role in StaffRole}
        for role, user in people.items():
            add_staff(current, run.course.provider, user, role)
    enrolment = _request(buyer, run)
    session.rollback()
    asked = {
        role
        for role, user in people.items()
        if any("Konfirmasi kursi" in each.subject for each in notifications.list_for_user(session, user.id))
    }
    assert asked == {StaffRole.OWNER, StaffRole.TEACHING}
    finance = _browser(app, people[StaffRole.FINANCE])
    listed, own = words(finance.get(LIST).text), words(finance.get(f"{LIST}/{enrolment}").text)
    assert "Menunggu konfirmasi rekan pengajar 1" in listed and "konfirmasi Anda" not in listed
    assert "Kursinya menunggu konfirmasi rekan pengajar sampai" in own and "Konfirmasi kursi" not in own
    assert "Konfirmasi kursinya sampai" in words(desk.get(f"{LIST}/{enrolment}").text)


def test_a_declined_seat_says_why_and_what_came_back(buyer: FlaskClient, desk: FlaskClient, run: Run) -> None:
    enrolment = _request(buyer, run)
    assert "Tulis alasan yang dibaca peserta." in words(desk.post(f"{LIST}/{enrolment}/tolak").text)
    desk.post(f"{LIST}/{enrolment}/tolak", data={"reason": "Hanya untuk <b>UMKM</b> kuliner"})
    page = words(buyer.get(f"/kursus-saya/{enrolment}").text)
    assert "Lembaga tidak memberi Anda kursi: Hanya untuk <b>UMKM</b> kuliner" in page
    assert "Rp750.000 bisa dipakai lagi" in words(buyer.get(f"/bukti/{enrolment}").text)
    assert "Lembaga tidak memberi kursi. Yang disisihkan kembali utuh." in words(buyer.get("/beranda").text)


def test_whoever_waits_may_withdraw_and_is_told_when_nobody_answers(
    buyer: FlaskClient, desk: FlaskClient, run: Run, session: Session, owner_engine: Engine
) -> None:
    enrolment = _request(buyer, run)
    assert "yang disisihkan bisa Anda pakai lagi" in words(buyer.get(f"/kursus-saya/{enrolment}/batal").text)
    buyer.post(f"/kursus-saya/{enrolment}/batal")
    assert "Anda batalkan sebelum dikonfirmasi." in words(buyer.get("/beranda").text)
    second = _request(buyer, run)
    session.rollback()
    advance(session, owner_engine, timedelta(days=6, hours=1))
    answer = desk.post(f"{LIST}/{second}/konfirmasi", follow_redirects=True)
    assert "Batas konfirmasi sudah lewat" in words(answer.text)
    tasks.sweep()
    session.rollback()
    page = words(buyer.get(f"/kursus-saya/{second}").text)
    assert "Lembaga tidak menjawab sampai" in page
    assert "Saldo jadi Rp3.500.000" in words(buyer.get("/beranda").text)
