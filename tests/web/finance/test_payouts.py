"""A payout run's pages: exactly the one right act for each person, and none for the auditor."""

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.identity.models import Role
from marketplace.payouts.due import WaitingReason
from marketplace.providers import queries as providers
from marketplace.web.finance.money_words import waiting_words
from tests import factories
from tests.marketplace.payouts import world
from tests.marketplace.payouts.world import MONDAY, noon
from tests.web.conftest import SignIn, read, words
from tests.web.finance.conftest import Office
from tests.web.page_rules import crawl

_ACTS: dict[str, Callable[[Office], str]] = {
    "submit": lambda office: f"{office.address}/ajukan",
    "approve": lambda office: f"{office.address}/setujui",
    "cancel": lambda office: f"{office.address}/batalkan",
    "retry": lambda office: f"{office.payout_address}/ulangi",
}


def _buttons(html: str) -> list[str]:
    return [words(str(each)) for each in read(html).select("main form button")]


def test_two_people_bring_a_run_to_the_bank(office: Office, sign_in: SignIn) -> None:
    first = sign_in(office.first)
    assert "Menunggu Anda 1" in words(first.get("/keuangan").text)
    assert _buttons(first.get(office.address).text) == ["Ajukan untuk disetujui"]
    answer = first.post(f"{office.address}/ajukan", follow_redirects=True)
    assert "Diajukan. Rekan Anda perlu menyetujuinya." in words(answer.text)
    assert "Tidak ada yang menunggu Anda." in words(first.get("/keuangan").text)
    second = sign_in(office.second)
    assert "Menunggu Anda 1" in words(second.get("/keuangan").text)
    page = second.get(office.address).text
    assert _buttons(page) == ["Setujui dan kirim Rp900.000 ke bank"]
    assert "Diajukan oleh Sari Wulandari." in words(page)
    answer = second.post(f"{office.address}/setujui", follow_redirects=True)
    assert "Disetujui. Berkas pembayaran dikirim ke bank." in words(answer.text)
    assert _buttons(answer.text) == []
    assert (office.run.submitted_by, office.run.approved_by) == (office.first.id, office.second.id)


def test_who_submitted_is_told_who_must_approve(office: Office, sign_in: SignIn) -> None:
    first = sign_in(office.first)
    first.post(f"{office.address}/ajukan")
    page = first.get(office.address).text
    assert _buttons(page) == []
    assert "Anda yang mengajukan, jadi orang lain harus menyetujui." in words(page)
    assert "Budi Hartono" in words(page)
    answer = first.post(f"{office.address}/setujui", follow_redirects=True)
    assert "Orang yang mengajukan tidak boleh menyetujui." in words(answer.text)
    assert office.run.state == "submitted"


def test_on_a_day_off_nobody_approves(office: Office, sign_in: SignIn) -> None:
    sign_in(office.first).post(f"{office.address}/ajukan")
    office.session.rollback()
    world.set_programme_time(office.settings.database_owner_url, noon(MONDAY + timedelta(days=5)))
    second = sign_in(office.second)
    page = second.get(office.address).text
    assert _buttons(page) == []
    assert "Persetujuan bisa diberikan lagi mulai Senin 30 November 2026" in words(page)
    second.post(f"{office.address}/setujui")
    assert office.run.state == "submitted"


@pytest.mark.parametrize("act", _ACTS)
def test_an_auditor_changes_nothing(office: Office, sign_in: SignIn, act: str) -> None:
    auditor = sign_in(office.auditor)
    assert auditor.post(_ACTS[act](office), data={"reason": "x"}).status_code == 403
    assert office.run.state == "prepared"


def test_an_auditor_reads_everything_without_a_button(office: Office, sign_in: SignIn) -> None:
    office.approve()
    office.send()
    office.answer("AC04", "Account closed")
    auditor = sign_in(office.auditor)
    assert "Anda membaca sebagai auditor." in words(auditor.get("/keuangan").text)
    for address in ("/keuangan", office.address, office.payout_address, "/keuangan/rekening-koran"):
        page = auditor.get(address)
        assert page.status_code == 200
        assert _buttons(page.text) == [], address
        assert "/batalkan" not in page.text


@pytest.mark.parametrize("role", [Role.PARTICIPANT, Role.PROVIDER])
def test_nobody_else_comes_in(office: Office, sign_in: SignIn, role: Role) -> None:
    with transaction() as current:
        stranger = factories.make_user(current, role)
    other = sign_in(stranger)
    for address in (
        "/keuangan",
        office.address,
        "/keuangan/buku-besar",
        "/keuangan/buku-besar/akun/bank:treasury",
    ):
        assert other.get(address).status_code == 403
    assert other.post(f"{office.address}/ajukan").status_code == 403


def test_cancelling_wants_a_reason_that_is_kept(office: Office, sign_in: SignIn) -> None:
    first = sign_in(office.first)
    address = f"{office.address}/batalkan"
    assert "Tidak ada uang yang berpindah." in words(first.get(address).text)
    answer = first.post(address, data={"reason": ""})
    assert answer.status_code == 400
    assert "Tulis alasan pembatalan." in words(answer.text)
    answer = first.post(address, data={"reason": "Rekening diperiksa lagi"}, follow_redirects=True)
    assert "Rekening diperiksa lagi" in words(answer.text)
    assert office.run.state == "cancelled"
    assert first.get(address).status_code == 302


def test_a_rejected_payout_is_tried_again_once(office: Office, sign_in: SignIn) -> None:
    office.approve()
    office.send()
    office.answer("AC04", "Account closed")
    first = sign_in(office.first)
    assert f'href="{office.payout_address}"' in first.get("/keuangan").text, "it leads to what can be done"
    page = first.get(office.payout_address).text
    assert "Rekening penerima sudah ditutup. Kata bank: “Account closed” AC04" in words(page)
    assert _buttons(page) == ["Bayar lagi dalam pembayaran baru"]
    answer = first.post(f"{office.payout_address}/ulangi", follow_redirects=True)
    assert "Pembayaran baru disiapkan." in words(answer.text)
    assert answer.request.path != office.address
    page = first.get(office.payout_address).text
    assert _buttons(page) == []
    assert "Sudah dicoba lagi" in words(page)


def test_a_payout_that_moves_cannot_be_tried_again(office: Office, sign_in: SignIn) -> None:
    office.approve()
    office.send()
    first = sign_in(office.first)
    assert _buttons(first.get(office.payout_address).text) == []
    answer = first.post(f"{office.payout_address}/ulangi", follow_redirects=True)
    assert "Hanya pembayaran yang ditolak atau dikembalikan bank yang bisa diulang." in words(answer.text)


def test_a_payout_lists_exactly_its_lines(office: Office, sign_in: SignIn) -> None:
    page = words(sign_in(office.first).get(office.payout_address).text)
    assert "Yang tercakup 1" in page
    assert "Rp1.000.000 −Rp100.000 Rp900.000" in page
    other = f"/keuangan/pembayaran/{uuid.uuid4()}/{office.payout_id}"
    assert sign_in(office.first).get(other).status_code == 404


def test_money_that_waits_is_named_with_its_reason(office: Office, session: Session, sign_in: SignIn) -> None:
    with transaction() as current:
        poor = factories.make_provider(current, "Balai Tanpa Rekening")
        world.make_earning(current, poor)
    page = words(sign_in(office.first).get("/keuangan").text)
    assert "Balai Tanpa Rekening Belum ada rekening bank 1 pendaftaran Rp900.000" in page
    assert "Buku seimbang." in page


@pytest.mark.parametrize("reason", list(WaitingReason))
def test_every_reason_has_words(app: object, session: Session, reason: WaitingReason) -> None:
    assert waiting_words(reason) not in {"", reason.value}


def test_the_provider_reads_paid_only_after_the_bank_has_paid(office: Office, sign_in: SignIn) -> None:
    staff = providers.list_staff(office.session, office.provider.id)[0].user
    address = f"/lembaga/pembayaran/{office.payout_id}"
    before = words(sign_in(staff).get(address).text)
    assert "Belum dibayarkan" in before
    assert "Uang ini menjadi hak lembaga. Dibayar setelah disetujui dua orang" in before
    office.approve()
    office.send()
    office.answer()
    after = words(sign_in(staff).get(address).text)
    assert "Belum dibayarkan" not in after
    assert "Rp900.000 Dibayarkan" in after
    assert "Rp1.000.000 −Rp100.000 Rp900.000" in after


def test_the_provider_reads_the_banks_words(office: Office, sign_in: SignIn) -> None:
    office.approve()
    office.send()
    office.answer("AC04", "Account closed")
    staff = providers.list_staff(office.session, office.provider.id)[0].user
    page = words(sign_in(staff).get(f"/lembaga/pembayaran/{office.payout_id}").text)
    assert "Rekening penerima sudah ditutup. Kata bank: “Account closed” AC04" in page
    assert "Bank tidak meneruskan pembayaran Rp900.000." in words(sign_in(staff).get("/lembaga").text)
    with transaction() as current:
        stranger = factories.make_staff(current, factories.make_provider(current))
    assert sign_in(stranger).get(f"/lembaga/pembayaran/{office.payout_id}").status_code == 404


def test_no_link_of_the_office_is_dead(office: Office, sign_in: SignIn) -> None:
    office.approve()
    office.send()
    office.answer("AC04", "Account closed")
    opened, problems = crawl(sign_in(office.second), "/keuangan", 120, "/keuangan")
    assert not problems, "\n".join(problems)
    assert len(opened) > 25
