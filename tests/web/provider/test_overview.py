"""The provider's first page: what wants doing, and figures that are those of the database."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from marketplace.catalogue.models import Run
from marketplace.db import transaction
from marketplace.enrolments import completion
from marketplace.enrolments.models import AttendanceMethod
from marketplace.identity.models import Role
from marketplace.providers import service
from marketplace.providers.models import BankAccount
from marketplace.web.provider import enrolments
from tests import factories
from tests.marketplace.enrolments.scenes import buy
from tests.web.conftest import words
from tests.web.provider.conftest import Stall, counted


def test_a_new_provider_sees_help_and_no_figures_made_up(desk: FlaskClient) -> None:
    page = words(desk.get("/lembaga").text)
    assert "Belum ada pendaftaran." in page
    assert "belum ada jadwal terbuka" in page
    assert "Belum ada pendaftaran dalam 30 hari terakhir." in page


def test_escrow_and_seats_are_counted(desk: FlaskClient, stall: Stall) -> None:
    stall.sell(stall.make_run(), "Ratna Lestari", "Yohanes Tukan")
    page = words(desk.get("/lembaga").text)
    assert "Dititipkan peserta Rp1.500.000 2 pendaftaran, kelas belum selesai" in page
    assert "10% 2 dari 20, jadwal terbuka" in page
    assert "2 lebih banyak dari pekan lalu" in page
    assert "Ratna Lestari" in page


def test_a_run_that_is_over_comes_first_with_its_deadline(desk: FlaskClient, stall: Stall) -> None:
    run = stall.make_run()
    stall.sell(run, "Ratna Lestari")
    assert "menunggu pernyataan Anda" not in words(desk.get("/lembaga").text)
    stall.pass_until_over(run)
    page = desk.get("/lembaga").text
    assert "1 kelas sudah selesai dan menunggu pernyataan Anda." in words(page)
    assert "dinyatakan otomatis oleh Bekal setelah" in words(page)
    assert f"/lembaga/jadwal/{run.id}" in page


def test_seats_that_wait_are_counted_past_those_that_are_shown(
    desk: FlaskClient, stall: Stall, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = stall.make_run()
    desk.post(f"/lembaga/jadwal/{run.id}/konfirmasi", data={"needed": "1"})
    with transaction() as current:
        for _ in range(3):
            buy(current, current.get_one(Run, run.id))
    assert "3 pendaftaran menunggu konfirmasi Anda." in words(desk.get("/lembaga").text)
    monkeypatch.setattr(enrolments, "MOST_AWAITING", 2)
    page = words(desk.get("/lembaga/pendaftaran").text)
    assert "Menunggu konfirmasi Anda 3" in page and "Yang ditampilkan 2 yang paling mendesak." in page


def test_a_missing_account_is_named_here_and_the_next_step_changes(desk: FlaskClient, stall: Stall) -> None:
    def both() -> list[str]:
        return [desk.get(where).text for where in ("/lembaga", "/lembaga/pembayaran")]

    with transaction() as current:
        current.execute(update(BankAccount).values(state="replaced"))
    for page in both():
        assert "Belum ada rekening bank." in words(page) and 'href="/lembaga/rekening"' in page
        assert "Hubungi kantor" not in page
    typed = {"bank_code": "BMRIIDJA", "holder_name": "Karya Mandiri", "number": "1370 0123-4567"}
    desk.post("/lembaga/rekening", data=typed)
    assert all("Rekening Mandiri ••••4567 menunggu orang kedua." in words(page) for page in both())
    with transaction() as current:
        proposed = current.scalars(select(BankAccount.id).where(BankAccount.state == "proposed")).one()
        service.approve_bank_account(current, proposed, factories.make_user(current, Role.FINANCE))
    assert "Rekening baru Mandiri ••••4567 belum dipakai." in words(both()[0])
    with transaction() as current:
        current.execute(update(BankAccount).values(blocked_code="AC04"))
    assert all("Bank menolak rekening Mandiri ••••4567." in words(page) for page in both())
    assert "Ajukan rekening lain sebagai gantinya." in words(both()[0])


def test_held_money_is_named_with_its_reason(desk: FlaskClient, stall: Stall) -> None:
    run = stall.make_run()
    [enrolment] = stall.sell(run, "Ratna Lestari")
    stall.attend(enrolment, 4, AttendanceMethod.UPLOAD)
    stall.pass_until_over(run)
    with transaction() as current:
        completion.complete_run(current, run.id, None)
    page = words(desk.get("/lembaga").text)
    assert "Rp675.000 ditahan pada 1 pendaftaran: terlalu banyak kehadiran dicatat dari daftar" in page
    held = words(desk.get("/lembaga/pendaftaran?state=held").text)
    assert "1 cocok" in held
    assert "Ratna Lestari" in held


def test_the_plot_has_its_table_and_its_file(desk: FlaskClient, stall: Stall) -> None:
    stall.sell(stall.make_run(), "Ratna Lestari", "Yohanes Tukan")
    page = desk.get("/lembaga").text
    assert "2 dalam 30 hari. Puncak 2 pada" in words(page)
    assert "<details" in page
    file = desk.get("/lembaga/pendaftaran-per-hari.csv")
    lines = file.data.decode("utf-8-sig").splitlines()
    assert (lines[0], len(lines)) == ("Tanggal,Pendaftaran", 31)
    assert lines[-1].endswith(",2")


def test_more_enrolments_take_no_more_queries(desk: FlaskClient, stall: Stall) -> None:
    run = stall.make_run()
    stall.sell(run, "Satu")
    desk.get("/lembaga")
    with counted() as few:
        desk.get("/lembaga")
    stall.sell(run, *(f"Orang {number}" for number in range(7)))
    stall.make_run()
    with counted() as many:
        desk.get("/lembaga")
    assert len(many) == len(few)
    assert len(few) < 40
