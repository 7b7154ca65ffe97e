"""The list's filters, columns and spreadsheet, and what keeps it new while somebody watches."""

import io
from datetime import timedelta
from decimal import Decimal

import openpyxl
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from marketplace import clock
from marketplace.db import transaction
from marketplace.enrolments import completion
from marketplace.web.formatting import rupiah
from tests import factories
from tests.web.conftest import SignIn, read, words
from tests.web.provider.conftest import Stall, counted

LIST = "/lembaga/pendaftaran"


def _names(client: FlaskClient, query: str) -> set[str]:
    return {cell.get_text() for cell in read(client.get(LIST + query).text).select("tbody td.p-title a")}


def _sheet(answer: TestResponse) -> list[tuple[object, ...]]:
    book = openpyxl.load_workbook(io.BytesIO(answer.data))
    [sheet] = book.worksheets
    return [tuple(cell.value for cell in row) for row in sheet.iter_rows()]


@pytest.fixture
def settled(stall: Stall) -> Stall:
    """A settled run of three people who attended all, half and nothing, and another still to come."""
    run = stall.make_run()
    sold = stall.sell(run, "Ratna Lestari", "=1+1", "Sulastri")
    for enrolment, attended in zip(sold, (4, 2, 0), strict=True):
        stall.attend(enrolment, attended)
    stall.pass_until_over(run)
    with transaction() as current:
        completion.complete_run(current, run.id, None)
    stall.sell(stall.make_run(starts_in=timedelta(days=5)), "Yohanes Tukan")
    return stall


def test_attendance_and_days_narrow_the_list(desk: FlaskClient, settled: Stall) -> None:
    assert _names(desk, "?percent=80-100") == {"Ratna Lestari"}
    assert _names(desk, "?percent=25-79") == {"=1+1"}
    assert _names(desk, "?percent=0-24") == {"Sulastri", "Yohanes Tukan"}
    today = clock.today(settled.session)
    assert _names(desk, f"?from={today}") == {"Yohanes Tukan"}
    assert _names(desk, f"?to={today - timedelta(days=1)}") == {"Ratna Lestari", "=1+1", "Sulastri"}
    assert len(_names(desk, f"?from={today - timedelta(days=30)}&to={today}")) == 4
    for nonsense in ("?percent=80-20", "?percent=1-101", "?percent=x", "?from=9999-99-99", "?to=0001-01-01"):
        assert len(_names(desk, nonsense)) == 4, nonsense


def test_chosen_columns_stay_in_the_address_and_in_the_files(desk: FlaskClient, settled: Stall) -> None:
    page = read(desk.get(f"{LIST}?col=fee&col=receipt&col=zzz&q=ratna").text)
    assert [each.get_text() for each in page.select("#daftar th")] == ["Nomor bukti", "Peserta", "Potongan"]
    links = {each.get_text(): str(each["href"]) for each in page.select("#daftar a")}
    assert "col=receipt&col=fee" in links["XLSX"] and "q=ratna" in links["XLSX"]
    assert _sheet(desk.get(links["XLSX"]))[0] == ("Nomor bukti", "Peserta", "Potongan")
    assert desk.get(links["CSV"]).text.splitlines()[0].endswith("Nomor bukti,Peserta,Potongan")
    [chip] = page.select(".cip-baris a")
    assert chip["href"] == f"{LIST}?q=ratna", "what was chosen elsewhere is seen here, and taken away"
    kept = page.select('form input[type="hidden"][name="col"]')
    assert [each["value"] for each in kept] == ["receipt", "fee"]
    further = read(desk.get(str(page.find("a", string="Saringan lain dan kolom")["href"])).text)
    checked = further.select('input[name="col"][checked]')
    assert [each["value"] for each in checked] == ["receipt", "fee"]
    [typed] = further.select('input[name="q"]')
    assert typed["value"] == "ratna"


def test_the_spreadsheet_opened_again_equals_the_page(desk: FlaskClient, settled: Stall) -> None:
    query = "?col=receipt&col=attendance&col=price&col=gross&col=fee&col=share"
    page = read(desk.get(LIST + query).text)
    shown = [
        [words(str(cell)).split(" perkiraan")[0].split(" siap")[0] for cell in row.select("td")]
        for row in page.select("#daftar tbody tr")
    ]
    head, *rows, foot = _sheet(desk.get(f"{LIST}.xlsx{query}"))
    amount = {name: head.index(name) for name in ("Harga", "Kotor", "Potongan", "Hak lembaga")}
    estimate = head.index("Perkiraan hak")

    def said(row: tuple[object, ...]) -> list[str]:
        money = [row[amount[name]] for name in ("Harga", "Kotor", "Potongan")]
        harga, kotor, potongan = (None if each is None else Decimal(str(each)) for each in money)
        share = row[amount["Hak lembaga"]] or row[estimate]
        started = row[2] or row[head.index("Peserta")] != "Yohanes Tukan"
        return [
            str(row[0]), str(row[1]), f"{row[2]}/{row[3]}" if started else "Belum mulai", rupiah(harga or 0),
            rupiah(kotor) if kotor else "–", rupiah(-potongan) if potongan else "–",
            rupiah(Decimal(str(share))),
        ]  # fmt: skip

    assert shown == [said(row) for row in rows]
    sums = [words(str(cell)) for cell in page.select("#daftar tfoot td")]
    assert sums == [
        "", "Jumlah", "", rupiah(Decimal(str(foot[amount["Harga"]]))),
        rupiah(Decimal(str(foot[amount["Kotor"]]))), rupiah(-Decimal(str(foot[amount["Potongan"]]))),
        rupiah(Decimal(str(foot[amount["Hak lembaga"]]))),
    ]  # fmt: skip


def test_a_name_that_is_a_formula_is_text_in_the_spreadsheet(desk: FlaskClient, settled: Stall) -> None:
    book = openpyxl.load_workbook(io.BytesIO(desk.get(f"{LIST}.xlsx?col=who").data))
    cells = {cell.value: cell for row in book.worksheets[0].iter_rows(min_row=2) for cell in row}
    assert (cells["=1+1"].data_type, cells["=1+1"].quotePrefix) == ("s", True)


def test_an_unchanged_list_costs_little_and_a_changed_one_is_sent(desk: FlaskClient, settled: Stall) -> None:
    script = read(desk.get(f"{LIST}?q=r").text).select_one("script")
    assert script is not None
    address, known = str(script["data-href"]), {"If-None-Match": f'"{script["data-etag"]}"'}
    assert address == f"{LIST}/langsung?q=r"
    with counted() as few:
        same = desk.get(address, headers=known)
    assert (same.status_code, same.data, len(few) <= 5) == (304, b"", True), few
    assert same.headers["Bekal-Clock"].endswith(" WIB")
    settled.sell(settled.make_run(), "Rosa Ratulangi")
    changed = desk.get(address, headers=known)
    assert changed.status_code == 200
    assert [each["id"] for each in read(changed.text).find_all(recursive=False)] == ["cocok", "daftar"]
    assert "Rosa Ratulangi" in changed.text
    known = {"If-None-Match": changed.headers["ETag"]}
    assert desk.get(address, headers=known).status_code == 304
    with transaction() as current:
        other = factories.make_run(current)
    settled.sell(other, "Rini dari tempat lain")
    assert desk.get(address, headers=known).status_code == 304


def test_only_the_watched_list_may_run_a_script(desk: FlaskClient, stall: Stall) -> None:
    watched, other = (
        desk.get(where).headers["Content-Security-Policy"] for where in (LIST, "/lembaga/jadwal")
    )
    assert watched == f"{other}; script-src 'self'; connect-src 'self'"
    assert "script" not in other


def test_filters_and_columns_take_no_more_queries_for_more_rows(
    desk: FlaskClient, stall: Stall, sign_in: SignIn
) -> None:
    with transaction() as current:
        run = factories.make_run(current, stall.course, seats=60)
    stall.sell(run, "Satu", "Dua")
    addresses = [f"{LIST}?percent=0-24&col=gross&col=earning", f"{LIST}.xlsx", f"{LIST}/langsung"]
    few = [_queries(desk, address) for address in addresses]
    stall.sell(run, *(f"Orang {number}" for number in range(12)))
    assert [_queries(desk, address) for address in addresses] == few


def _queries(desk: FlaskClient, address: str) -> int:
    with counted() as seen:
        assert desk.get(address).status_code == 200
    return len(seen)
