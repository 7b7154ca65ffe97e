"""The sheet of a run, the signed list as a file, and words to everybody in a run."""

import io
import uuid
from datetime import timedelta

import openpyxl
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from marketplace.db import transaction
from marketplace.enrolments.cancellation import cancel
from marketplace.enrolments.models import Attendance, AttendanceMethod
from marketplace.enrolments.tracking_models import RunMessage
from marketplace.notifications.models import Notification
from tests import factories
from tests.marketplace.enrolments.scenes import buy
from tests.web.conftest import SignIn, hidden_fields, read, words
from tests.web.provider.conftest import Stall, counted


def _upload(desk: FlaskClient, meeting: uuid.UUID, content: bytes) -> TestResponse:
    data = {"file": (io.BytesIO(content), "daftar.csv")}
    return desk.post(f"/lembaga/sesi/{meeting}/daftar-hadir/berkas", data=data)


def test_the_sheet_has_a_mark_for_everybody_and_every_session(desk: FlaskClient, stall: Stall) -> None:
    run = stall.make_run()
    ratna, yohanes, gone = stall.sell(run, "Ratna Lestari", "=Yohanes", "Sulastri")
    with transaction() as current:
        cancel(current, gone.id, gone.participant_id)
    stall.attend(ratna, 3)
    stall.attend(yohanes, 1, AttendanceMethod.UPLOAD)
    stall.pass_until_over(run)
    address = f"/lembaga/jadwal/{run.id}/kehadiran"
    page = desk.get(address).text
    rows = [
        [words(str(cell)) for cell in row.select("th, td")]
        for row in read(page).select(".lembar tbody tr, .lembar tfoot tr")
    ]
    assert rows == [
        ["=Yohanes", "D daftar", "– tidak", "– tidak", "– tidak", "1/4 25%"],
        ["Ratna Lestari", "✓ kode", "✓ kode", "✓ kode", "– tidak", "3/4 75%"],
        ["Jumlah hadir", "2", "1", "1", "0", ""],
    ]
    assert "25% kehadiran berasal dari daftar." in words(page)
    sheet = openpyxl.load_workbook(io.BytesIO(desk.get(f"{address}.xlsx").data)).worksheets[0]
    assert [row[1:] for row in sheet.values][1:] == [
        ("=Yohanes", "daftar", "tidak", "tidak", "tidak", 1, 25),
        ("Ratna Lestari", "kode", "kode", "kode", "tidak", 3, 75),
        ("Jumlah hadir", 2, 1, 1, 0, None, None),
    ]
    lines = desk.get(f"{address}.csv").data.decode("utf-8-sig").splitlines()
    assert lines[1].endswith("'=Yohanes,daftar,tidak,tidak,tidak,1,25")


def test_a_file_ticks_names_and_records_nothing_by_itself(desk: FlaskClient, stall: Stall) -> None:
    run = stall.make_run(starts_in=timedelta(minutes=10))
    ratna, yohanes, sulastri = stall.sell(run, "Ratna Lestari", "Yohanes Tukan", "Sulastri")
    with transaction() as current:
        foreign = buy(current, factories.make_run(current)).receipt_number
        cancel(current, sulastri.id, sulastri.participant_id)
    stall.pass_until_over(run)
    meeting = run.sessions[0].id
    empty = desk.get(f"/lembaga/sesi/{meeting}/daftar-hadir.csv").data.decode("utf-8-sig")
    assert empty.splitlines()[0] == "Nomor bukti,Peserta,Hadir"
    filled = "\r\n".join(
        [
            "\ufeffNomor bukti;Peserta;Hadir",
            f"{ratna.receipt_number};Ratna Lestari;ya",
            f"{yohanes.receipt_number};Yohanes Tukan;mungkin",
            f"{foreign};Orang lain;ya",
            f"{ratna.receipt_number};Ratna lagi;ya",
            f"{sulastri.receipt_number};Sulastri;ya",
            "sendirian",
            "",
        ]
    )
    answer = _upload(desk, meeting, filled.encode())
    page = words(answer.text)
    assert answer.status_code == 400
    assert "1 nama dicentang dari berkas. Belum ada yang dicatat." in page
    assert "Baris 3, kolom Hadir, “mungkin”: tulis “ya” atau kosongkan." in page
    assert f"Baris 4, kolom Nomor bukti, “{foreign}”: nomor bukti ini tidak ada di jadwal ini." in page
    assert "Baris 5, kolom Nomor bukti" in page and "sudah ada di baris sebelumnya" in page
    # who cancelled is not on the list at all
    assert f"Baris 6, kolom Nomor bukti, “{sulastri.receipt_number}”" in page
    assert "Baris 7: baris ini kurang kolom." in page
    ticked = read(answer.text).select('input[name="enrolment"][checked]')
    assert [each["value"] for each in ticked] == [str(ratna.id)]
    stall.session.rollback()
    assert stall.session.scalars(select(Attendance)).all() == []
    desk.post(f"/lembaga/sesi/{meeting}/daftar-hadir", data={"enrolment": [str(ratna.id)]})
    stall.session.rollback()
    assert [each.enrolment_id for each in stall.session.scalars(select(Attendance))] == [ratna.id]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "Berkas ini kosong."),
        (b"\n\n", "Berkas ini kosong."),
        (b"PK\x03\x04\x00\xff", "bukan CSV"),
        ("Nomor bukti\nBKL".encode("utf-16"), "bukan CSV"),
        (b"Nomor bukti\x00\nx", "bukan CSV"),
        (b"nama,umur\nRatna,3", "Kolom “Nomor bukti” tidak ada"),
        (b"x" * (256 * 1024 + 1), "lebih besar dari 256 KB"),
        (b'Nomor bukti\n"' + b"x" * 200_000, "Baris"),
    ],
)
def test_a_file_that_is_no_list_says_so(desk: FlaskClient, stall: Stall, content: bytes, says: str) -> None:
    run = stall.make_run(starts_in=timedelta(minutes=10))
    stall.sell(run, "Ratna Lestari")
    stall.pass_until_over(run)
    answer = _upload(desk, run.sessions[0].id, content)
    assert answer.status_code == 400
    assert says in words(answer.text)


def test_a_message_reaches_everybody_in_the_run_three_times_a_day(desk: FlaskClient, stall: Stall) -> None:
    run = stall.make_run()
    ratna, yohanes, gone = stall.sell(run, "Ratna Lestari", "Yohanes Tukan", "Sulastri")
    with transaction() as current:
        cancel(current, gone.id, gone.participant_id)
        yohanes_user = current.merge(yohanes.participant.user)
        yohanes_user.locale = "en"
    address = f"/lembaga/jadwal/{run.id}/pesan"
    text = "Bawa laptop.\r\n<b>Ruang {2}</b>"
    form = hidden_fields(desk.get(address).text) | {"body": text}
    for _click in range(2):
        answer = desk.post(address, data=form, follow_redirects=True)
        assert "Pesan dikirim ke 2 peserta." in words(answer.text)
    assert "<b>Ruang" not in answer.text and "Ruang {2}" in answer.text
    stall.session.rollback()
    told = stall.session.scalars(
        select(Notification).where(Notification.body.contains("Bawa laptop.\n<b>Ruang {2}</b>"))
    ).all()
    people = (ratna.participant.user_id, yohanes.participant.user_id)
    assert sorted(each.user_id for each in told) == sorted(people), "each of them once"
    assert {each.subject for each in told} == {
        "Pesan lembaga: Dasar Akuntansi", "A message from the provider: Dasar Akuntansi"
    }  # fmt: skip
    for bad in ("", " \n ", "x" * 1001, "a\x00b"):
        assert desk.post(address, data={"body": bad}).status_code == 400
    for _more in range(2):
        desk.post(address, data=hidden_fields(desk.get(address).text) | {"body": "Jangan lupa."})
    refused = desk.post(address, data={"body": "Sekali lagi."})
    assert refused.status_code == 409
    assert "Paling banyak 3 pesan dalam 24 jam" in words(refused.text)
    stall.session.rollback()
    assert len(stall.session.scalars(select(RunMessage)).all()) == 3


def test_nobody_writes_to_another_providers_run_or_to_nobody(
    desk: FlaskClient, stall: Stall, sign_in: SignIn
) -> None:
    run = stall.make_run()
    empty = desk.post(f"/lembaga/jadwal/{run.id}/pesan", data={"body": "Halo"})
    assert empty.status_code == 409
    stall.sell(run, "Ratna Lestari")
    with transaction() as current:
        stranger = factories.make_staff(current, factories.make_provider(current))
    other = sign_in(stranger)
    assert other.post(f"/lembaga/jadwal/{run.id}/pesan", data={"body": "Halo"}).status_code == 404
    assert _upload(other, run.sessions[0].id, b"Nomor bukti\n").status_code == 404
    stall.session.rollback()
    assert stall.session.scalars(select(RunMessage)).all() == []


def test_a_longer_sheet_takes_no_more_queries(desk: FlaskClient, stall: Stall) -> None:
    run = stall.make_run()
    addresses = [f"/lembaga/jadwal/{run.id}/{page}" for page in ("kehadiran", "kehadiran.xlsx", "pesan")]

    def queries() -> list[int]:
        found = []
        for address in addresses:
            with counted() as seen:
                assert desk.get(address).status_code == 200
            found.append(len(seen))
        return found

    stall.sell(run, "Satu")
    few = queries()
    for enrolment in stall.sell(run, *(f"Orang {number}" for number in range(6))):
        stall.attend(enrolment, 2)
    assert queries() == few
