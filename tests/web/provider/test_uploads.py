"""Courses from a file, page by page: look first, then keep the good rows."""

import csv
import io

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.catalogue.models import Course
from marketplace.catalogue.versions import CatalogueUpload, CourseVersion
from marketplace.db import transaction
from marketplace.identity import service as identity
from tests import factories
from tests.marketplace.catalogue.test_uploads import as_csv, as_xlsx
from tests.web.bad_input import ALERT
from tests.web.conftest import read, words
from tests.web.provider.conftest import Stall

PAGE = "/lembaga/kursus/impor"
ROWS = (
    {},
    {"source_id": "k:2", "price_idr": "$1,575.00", "hours": "1e3"},
    {"source_id": "k:3", "title": f"=cmd {ALERT}"},
    {"source_id": "k:4", "category": "", "title": "Roti sobek"},
)


def send(client: FlaskClient, content: bytes, name: str = "kursus.xlsx", page: str = PAGE) -> str:
    """The address of the preview, or the page that refuses the file."""
    answer = client.post(page, data={"file": (io.BytesIO(content), name)}, content_type="multipart/form-data")
    return str(answer.location) if answer.status_code == 302 else words(answer.text)


def test_a_workbook_is_looked_through_and_then_booked(desk: FlaskClient, stall: Stall) -> None:
    preview = send(desk, as_xlsx(*ROWS))
    page = desk.get(preview).text
    shown = read(page)
    assert [each.text for each in shown.select(".angka4 dd.uang")] == ["2", "0", "0", "2"]
    assert ALERT not in page
    file = desk.get(f"{preview}/salah.csv").data.decode("utf-8-sig")
    faults = list(csv.reader(io.StringIO(file)))[1:]
    assert [(row[0], row[1], row[4]) for row in faults] == [
        ("3", "hours", "hours"), ("3", "price_idr", "price_currency"), ("4", "title", "formula_cell"),
    ]  # fmt: skip
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in faults for cell in row)
    told = words(str(shown.find("table", class_="lipat")))
    assert all(row[3] in told for row in faults)  # the file says what the page says
    done = desk.post(preview, data={"then": "submit"}, follow_redirects=True)
    assert "1 naskah disimpan, 1 diajukan." in words(done.text)
    assert desk.post(preview, data={"then": "submit"}).status_code == 404  # booked once
    stall.session.rollback()
    states = stall.session.execute(select(CourseVersion.source_id, CourseVersion.state)).all()
    assert sorted(states) == [("k:1", "submitted"), ("k:4", "drafted")]
    assert len(stall.session.scalars(select(Course)).all()) == 1  # nothing was published


def test_another_provider_opens_and_books_nothing(app: Flask, desk: FlaskClient, stall: Stall) -> None:
    preview = send(desk, as_csv({}), "kursus.csv")
    with transaction() as current:
        rival = factories.make_staff(current, factories.make_provider(current))
        token = identity.start_session(current, rival, "test")
    other = app.test_client()
    with other.session_transaction() as cookie:
        cookie["token"] = token
    for answer in (other.get(preview), other.get(f"{preview}/salah.csv"), other.post(preview)):
        assert answer.status_code == 404
    assert stall.session.scalars(select(CourseVersion)).all() == []
    assert desk.get(preview).status_code == 200


def test_a_file_of_no_use_is_refused_in_words_and_kept_nowhere(desk: FlaskClient, stall: Stall) -> None:
    assert "Pilih berkas CSV atau XLSX yang tidak kosong." in send(desk, b"")
    assert "kolom tidak sesuai" in send(desk, b"a,b\n1,2\n")
    assert "rusak atau tidak bisa dibaca" in send(desk, b"PK\x03\x04" + bytes(40))
    assert "simpan ulang sebagai “CSV UTF-8”." in send(desk, "source_id,title\n".encode("utf-16"))
    assert "Pilih berkas" in words(desk.post(PAGE, data={"file": "kursus"}).text)
    with desk.session_transaction() as cookie:
        cookie["language"] = "en"
    told = send(desk, b"title,x\n1,2\n")
    assert "(line 1): the columns do not fit (missing: source_id, category, mode," in told
    assert "; unknown: x). Expected: source_id," in told and "tidak" not in told
    assert "(line 3): a quotation mark that is opened here is never closed." in send(
        desk, as_csv({}) + b'\n"a'
    )
    cut = b"course,date,start,end,seats\nBatik,27-8-2027\n"
    assert "(line 2): has 2 cells instead of 5" in send(desk, cut, "j.csv", "/lembaga/jadwal/impor")
    english = words(desk.get(send(desk, as_csv(*ROWS), f"{ALERT}\x00.csv")).text)
    assert "uses another currency" in english and "wajib" not in english
    assert len(stall.session.scalars(select(CatalogueUpload)).all()) == 1
