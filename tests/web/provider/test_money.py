"""A provider's money: one set of words, the days on which it comes, and statements that are the ledger's."""

import io
from datetime import date, timedelta
from decimal import Decimal

import openpyxl
import pypdfium2
import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

import ledger
from marketplace import chart, clock
from marketplace.config import Settings
from marketplace.db import OFFSET, transaction
from marketplace.participants.models import Participant
from marketplace.payouts import sending, service, statements
from marketplace.payouts.courier import Desk
from marketplace.payouts.models import PayoutRun
from marketplace.providers import queries as providers
from marketplace.providers.models import BankAccount, Provider
from marketplace.web.provider import monthly, payouts
from tests.marketplace.payouts import world
from tests.web.conftest import read, words
from tests.web.provider.conftest import Stall, counted

MONEY = "/lembaga/pembayaran"
STAGE = "3. Siap dibayar Rp900.000 1 pendaftaran, dibayar setelah disetujui"


@pytest.fixture
def desk_of_money(settings: Settings) -> Desk:
    return world.desk_of(settings)


def _noon(stall: Stall, settings: Settings, day: date) -> None:
    """Put the programme's clock there, with the account in use; what the session remembers of it goes."""
    world.set_programme_time(settings.database_owner_url, world.noon(day))
    stall.session.rollback()
    stall.session.info.pop(OFFSET, None)
    with transaction() as current:
        current.execute(update(BankAccount).values(usable_from=world.noon(day) - timedelta(days=1)))


def _prepare(stall: Stall) -> PayoutRun:
    with transaction() as current:
        run = service.prepare(current, world.SCHEME, clock.today(current), world.make_finance(current))
        assert run is not None
    return run


def _earn(stall: Stall, matures_on: date | None = None, price: int = 1_000_000) -> None:
    with transaction() as current:
        provider = current.merge(stall.provider)
        earning = world.make_earning(current, provider, price=Decimal(price))
        if matures_on is not None:
            earning.matures_at = clock.end_of_day(matures_on)


def test_both_pages_say_the_same_of_money_on_its_way(
    desk: FlaskClient,
    stall: Stall,
    desk_of_money: Desk,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _noon(stall, settings, world.MONDAY)
    _earn(stall)
    pages = [words(desk.get(where).text) for where in ("/lembaga", MONEY)]
    assert all(f"{STAGE} 4." in page for page in pages)
    run = _prepare(stall)
    pages = [words(desk.get(where).text) for where in ("/lembaga", MONEY)]
    assert all(f"{STAGE}; Rp900.000 menunggu persetujuan 4." in page for page in pages)
    assert "Menunggu persetujuan" in pages[1]
    with transaction() as current:
        world.approve(current, current.get_one(PayoutRun, run.id))
        sending.begin(current, run.id, desk_of_money.debtor)
    pages = [words(desk.get(where).text) for where in ("/lembaga", MONEY)]
    assert all(f"{STAGE}; Rp900.000 sudah dikirim ke bank 4." in page for page in pages)
    assert not any("Dalam perjalanan" in page for page in pages)
    _noon(stall, settings, world.MONDAY + timedelta(days=1))
    _earn(stall, price=2_000_000)
    _prepare(stall)
    monkeypatch.setattr(payouts, "_SHOWN", 1)
    first = desk.get(MONEY).text
    second = desk.get(str(read(first).find("a", string="Berikutnya")["href"])).text
    rows = [words(str(read(page).select_one("tbody"))) for page in (first, second)]
    assert "Rp1.800.000" in rows[0] and "Rp900.000" in rows[1]
    assert "Ke awal" in second and "Berikutnya" not in second


def _paydays(desk: FlaskClient) -> list[list[str]]:
    panel = next(
        each for each in read(desk.get(MONEY).text).select("section") if "Kapan dibayar" in each.get_text()
    )
    return [[words(str(cell)) for cell in row.select("td")] for row in panel.select("tbody tr")]


def test_paydays_keep_to_working_days_and_to_the_minimum(
    desk: FlaskClient, stall: Stall, settings: Settings
) -> None:
    _noon(stall, settings, world.MONDAY)
    _earn(stall)
    _earn(stall, date(2026, 11, 27), price=20_000)
    _earn(stall, date(2026, 12, 24))
    assert _paydays(desk) == [
        ["Senin 23 November 1 pendaftaran", "Rp900.000"],
        # too little for a payout of its own, so it waits for the month's last day
        ["Senin 30 November 1 pendaftaran; menunggu jumlah terkecil tercapai", "Rp18.000"],
        # Friday is a holiday, then comes the weekend
        ["Senin 28 Desember 1 pendaftaran", "Rp900.000"],
    ]
    with transaction() as current:
        [account] = providers.list_bank_accounts(current, stall.provider.id)
        account.blocked_code = "AC04"
    assert "Kapan dibayar" in words(desk.get(MONEY).text)
    assert "Senin 28 Desember" not in desk.get(MONEY).text


def test_a_statement_is_the_ledgers_own_account_of_the_month(
    desk: FlaskClient, stall: Stall, settings: Settings, desk_of_money: Desk
) -> None:
    _noon(stall, settings, date(2026, 11, 26))
    _earn(stall, price=2_000_000)
    _noon(stall, settings, date(2026, 12, 1))
    _earn(stall)
    run = _prepare(stall)
    with transaction() as current:
        world.approve(current, current.get_one(PayoutRun, run.id))
        sending.begin(current, run.id, desk_of_money.debtor)
    _earn(stall, price=500_000)
    november, december = (words(desk.get(f"/lembaga/laporan/2026-{n}").text) for n in (11, 12))
    assert "Saldo awal Rp0 Hak baru Rp1.800.000 Dibayarkan Rp0 Saldo akhir Rp1.800.000" in november
    assert (
        "Saldo awal Rp1.800.000 Hak baru Rp1.350.000 Dibayarkan −Rp2.700.000 Saldo akhir Rp450.000"
        in december
    )
    assert "Bulan ini belum berakhir." in december and "Bulan ini belum berakhir." not in november
    stall.session.rollback()
    account = chart.payable(stall.provider.id)
    assert ledger.balance(stall.session, account) == 450_000
    assert ledger.balance(stall.session, account, as_of=clock.start_of_day(date(2026, 12, 1))) == 1_800_000
    with pypdfium2.PdfDocument(desk.get("/lembaga/laporan/2026-12.pdf").data) as document:
        printed = " ".join(document[0].get_textpage().get_text_bounded().split())
    assert "Laporan Desember 2026 Karya Mandiri Yogyakarta Sampai 1 Desember 2026" in printed
    assert "Saldo awal Rp1.800.000 Hak baru Rp1.350.000 Dibayarkan −Rp2.700.000" in printed
    assert "Rp1.000.000 Rp900.000 Rp2.700.000" in printed and "huruf nama" not in printed
    with transaction() as current:
        current.get_one(Provider, stall.provider.id).name = "Yayasan Pelatihan Kerja " * 8 + "Sangihe"
        current.execute(update(Participant).values(full_name="محمد Ali"))
    with pypdfium2.PdfDocument(desk.get("/lembaga/laporan/2026-12.pdf").data) as document:
        text = document[0].get_textpage()
        rights = [text.get_charbox(number)[2] for number in range(text.count_chars())]
        printed = " ".join(text.get_text_range().split())
    assert max(rights) <= (210 - 15.5) * 72 / 25.4 and "Kerja Sangihe" in printed and " Ali " in printed
    assert "Sebagian huruf nama tidak bisa dicetak di sini; selengkapnya ada di halaman laporan" in printed
    sheet = openpyxl.load_workbook(io.BytesIO(desk.get("/lembaga/laporan/2026-12.xlsx").data)).worksheets[0]
    head, opening, *lines, closing = list(sheet.values)
    amount, balance = head.index("Jumlah"), head.index("Saldo")
    assert (opening[balance], closing[balance]) == (1_800_000, 450_000)
    assert [line[amount] for line in lines] == [900_000, -2_700_000, 450_000]
    assert [line[head.index("Kotor")] for line in lines] == [1_000_000, None, 500_000]


def test_a_new_provider_has_no_statement_and_no_month_is_made_up(desk: FlaskClient, stall: Stall) -> None:
    assert "Belum ada laporan." in words(desk.get("/lembaga/laporan").text)
    following = f"{statements.next_month(clock.today(stall.session).replace(day=1)):%Y-%m}"
    for month in ("2026-13", "x", "2026-1", following, "%00"):
        assert desk.get(f"/lembaga/laporan/{month}").status_code == 404, month
    assert desk.get(f"/lembaga/laporan/{clock.today(stall.session):%Y-%m}").status_code == 200


def test_more_lines_take_no_more_queries_and_come_in_pages(
    desk: FlaskClient, stall: Stall, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = [MONEY, f"/lembaga/laporan/{clock.today(stall.session):%Y-%m}"]

    def queries() -> list[int]:
        found = []
        for address in addresses:
            with counted() as seen:
                assert desk.get(address).status_code == 200
            found.append(len(seen))
        return found

    _earn(stall)
    _prepare(stall)
    few = queries()
    for days in (1, 2, 3):
        _earn(stall, clock.today(stall.session) + timedelta(days=days))
    assert queries() == few
    monkeypatch.setattr(monthly, "_SHOWN", 3)
    first = desk.get(addresses[1])
    assert "Baris 1 sampai 3 dari 4" in words(first.text)
    assert not read(first.text).select("tfoot")
    second = words(desk.get(str(read(first.text).find("a", string="Berikutnya")["href"])).text)
    assert "Baris 4 sampai 4 dari 4" in second and "Saldo akhir Rp3.600.000 Baris" in second
    for odd in ("0", "99", "x", "%00"):
        assert desk.get(f"{addresses[1]}?mulai={odd}").status_code == 200
