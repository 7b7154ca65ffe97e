"""The list of enrolments: filters, pages, the file, and nobody else's people."""

import csv
import io
import uuid
from datetime import timedelta

import pytest
from bs4 import Tag
from flask.testing import FlaskClient

from marketplace.db import transaction
from marketplace.enrolments import completion
from marketplace.enrolments.cancellation import cancel
from marketplace.enrolments.models import AttendanceMethod
from marketplace.web.downloads import neutral
from tests import factories
from tests.web.conftest import SignIn, read, words
from tests.web.provider.conftest import Stall, counted

LIST = "/lembaga/pendaftaran"


def _names(client: FlaskClient, address: str) -> list[str]:
    cells = read(client.get(address).text).select("table tbody td.p-title a")
    return [cell.get_text() for cell in cells]


def _rows(client: FlaskClient, query: str = "") -> list[dict[str, str]]:
    text = client.get(f"{LIST}.csv{query}").data.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_names_numbers_and_states_filter_the_list(desk: FlaskClient, stall: Stall) -> None:
    run = stall.make_run()
    _ratna, yohanes, sulastri = stall.sell(run, "Ratna Lestari", "Yohanes Tukan", "Sulastri")
    with transaction() as current:
        cancel(current, sulastri.id, sulastri.participant_id)
    assert sorted(_names(desk, LIST)) == ["Ratna Lestari", "Sulastri", "Yohanes Tukan"]
    assert _names(desk, f"{LIST}?q=ratna") == ["Ratna Lestari"]
    assert _names(desk, f"{LIST}?q={yohanes.receipt_number}") == ["Yohanes Tukan"]
    assert _names(desk, f"{LIST}?state=cancelled") == ["Sulastri"]
    assert sorted(_names(desk, f"{LIST}?state=live")) == ["Ratna Lestari", "Yohanes Tukan"]
    assert _names(desk, f"{LIST}?state=completed") == []
    assert "Tidak ada yang cocok." in words(desk.get(f"{LIST}?q=zzz").text)


def test_a_course_and_a_run_narrow_the_list(desk: FlaskClient, stall: Stall) -> None:
    first, second = stall.make_run(), stall.make_run()
    stall.sell(first, "Ratna Lestari")
    stall.sell(second, "Yohanes Tukan")
    assert _names(desk, f"{LIST}?run={first.id}") == ["Ratna Lestari"]
    assert len(_names(desk, f"{LIST}?course={stall.course.id}")) == 2
    assert _names(desk, f"{LIST}?course={uuid.uuid4()}") == []


@pytest.mark.parametrize(
    "query", ["?course=%00", "?run=x", "?state=zzz", "?days=-3", "?q=%00%27%25_", "?cursor=x"]
)
def test_nonsense_in_the_address_is_no_error(desk: FlaskClient, stall: Stall, query: str) -> None:
    stall.sell(stall.make_run(), "Ratna Lestari")
    assert desk.get(LIST + query).status_code == 200


def test_pages_show_everybody_once(desk: FlaskClient, stall: Stall) -> None:
    names = {f"Orang {number}" for number in range(45)}
    with transaction() as current:
        run = factories.make_run(current, stall.course, seats=60)
    stall.sell(run, *names)
    seen: list[str] = []
    address: str | None = LIST
    while address:
        page = read(desk.get(address).text)
        assert "45 cocok" in page.get_text()
        seen += [cell.get_text() for cell in page.select("table tbody td.p-title a")]
        link = page.find("a", string="Berikutnya")
        address = str(link["href"]) if isinstance(link, Tag) else None
    assert len(seen) == 45
    assert set(seen) == names


def test_the_sums_are_of_all_that_match(desk: FlaskClient, stall: Stall) -> None:
    run = stall.make_run()
    sold = stall.sell(run, "Ratna Lestari", "Yohanes Tukan", "Sulastri")
    with transaction() as current:
        cancel(current, sold[2].id, sold[2].participant_id)
    stall.attend(sold[0], 4)
    stall.pass_until_over(run)
    with transaction() as current:
        completion.complete_run(current, run.id, None)
    foot = read(desk.get(LIST).text).select_one("tfoot")
    assert foot is not None
    # both prices; the net of one at 100 and one at 25 percent
    assert words(str(foot)) == "Jumlah Rp1.500.000 Rp843.750"


def test_the_file_has_the_same_filter_and_every_figure(desk: FlaskClient, stall: Stall) -> None:
    stall.sell(stall.make_run(), "Ratna Lestari", "Yohanes Tukan")
    assert len(_rows(desk)) == 2
    [row] = _rows(desk, "?q=ratna")
    assert (row["Peserta"], row["Harga"], row["Sesi"]) == ("Ratna Lestari", "750000", "4")
    assert row["Dibeli"].endswith("+07:00")


def test_a_name_that_is_a_formula_stays_text_in_the_file(desk: FlaskClient, stall: Stall) -> None:
    stall.sell(stall.make_run(), '=HYPERLINK("http://contoh.test")', "Ratna Lestari")
    names = sorted(row["Peserta"] for row in _rows(desk))
    assert names == ['\'=HYPERLINK("http://contoh.test")', "Ratna Lestari"]


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\tx", "\rx", "\nx", "＝1"])
def test_cells_that_begin_a_formula_are_neutralised(text: str) -> None:
    assert neutral(text) == "'" + text
    assert neutral("a" + text) == "a" + text


def test_one_enrolment_says_where_its_money_is(desk: FlaskClient, stall: Stall) -> None:
    run = stall.make_run()
    [enrolment] = stall.sell(run, "Ratna Lestari")
    page = words(desk.get(f"{LIST}/{enrolment.id}").text)
    assert "Uangnya dititipkan di Bekal." in page
    stall.attend(enrolment, 2)
    stall.pass_until_over(run)
    with transaction() as current:
        completion.complete_run(current, run.id, None)
    page = words(desk.get(f"{LIST}/{enrolment.id}").text)
    assert "Hak lembaga Rp337.500" in page
    assert "Potongan program Rp37.500" in page
    assert "Kembali ke peserta Rp375.000" in page
    assert "Menjadi hak lembaga; siap dibayar setelah masa keberatan" in page
    assert "dibayarkan" not in page.lower()


def test_a_list_of_twenty_takes_no_more_queries_than_one_of_two(desk: FlaskClient, stall: Stall) -> None:
    with transaction() as current:
        run = factories.make_run(current, stall.course, seats=60)
    stall.sell(run, "Satu", "Dua")
    desk.get(LIST)
    with counted() as few:
        desk.get(LIST)
    stall.sell(run, *(f"Orang {number}" for number in range(18)))
    with counted() as many:
        desk.get(LIST)
    assert len(many) == len(few)


def test_other_providers_things_do_not_exist(desk: FlaskClient, stall: Stall, sign_in: SignIn) -> None:
    run = stall.make_run()
    [enrolment] = stall.sell(run, "Ratna Lestari")
    meeting = run.sessions[0].id
    addresses = {
        "/lembaga/pendaftaran/{}": enrolment.id,
        "/lembaga/jadwal/{}": run.id,
        "/lembaga/sesi/{}": meeting,
        "/lembaga/sesi/{}/daftar-hadir": meeting,
        "/lembaga/pendaftaran?run={}": run.id,
    }
    guarded = {"/lembaga/jadwal/{}/selesai": run.id, "/lembaga/jadwal/{}/batalkan": run.id}
    for address, own in addresses.items():
        assert desk.get(address.format(own)).status_code == 200, address
        assert desk.get(address.format(uuid.uuid4())).status_code == 404, address
    with transaction() as current:
        stranger = factories.make_staff(current, factories.make_provider(current))
    other = sign_in(stranger)
    for address, own in (addresses | guarded).items():
        assert other.get(address.format(own)).status_code == 404, address
    assert other.get(f"{LIST}?cursor={enrolment.id}").location == LIST
    assert _rows(other) == []


def test_time_narrows_the_list(desk: FlaskClient, stall: Stall) -> None:
    run = stall.make_run(starts_in=timedelta(days=20))
    stall.sell(run, "Ratna Lestari")
    stall.pass_until_over(run)
    stall.sell(stall.make_run(), "Yohanes Tukan")
    assert _names(desk, f"{LIST}?days=7") == ["Yohanes Tukan"]
    assert len(_names(desk, f"{LIST}?days=30")) == 2


def test_held_money_is_not_called_ready(desk: FlaskClient, stall: Stall) -> None:
    run = stall.make_run()
    [enrolment] = stall.sell(run, "Ratna Lestari")
    stall.attend(enrolment, 4, AttendanceMethod.UPLOAD)
    stall.pass_until_over(run)
    with transaction() as current:
        completion.complete_run(current, run.id, None)
    page = words(desk.get(f"{LIST}/{enrolment.id}").text)
    assert "Rp675.000 ditahan sampai kantor program selesai memeriksanya." in page
    assert "siap dibayar" not in page
