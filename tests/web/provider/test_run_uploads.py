"""Runs from a file, page by page: look first, then open the good ones."""

import csv
import io
from datetime import timedelta

from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace import clock
from marketplace.catalogue.models import Run
from tests.web.bad_input import ALERT
from tests.web.conftest import read, words
from tests.web.provider.conftest import Stall
from tests.web.provider.test_uploads import send

PAGE = "/lembaga/jadwal/impor"
HEAD = "course,run,date,start,end,place,seats"


def test_runs_are_looked_through_and_then_opened(desk: FlaskClient, stall: Stall) -> None:
    first, last = (clock.today(stall.session) + timedelta(days=ahead) for ahead in (30, 33))
    lines = [
        HEAD,
        f"Dasar Akuntansi,A,{first},09:00,12:00,Sleman,20",
        f"Dasar Akuntansi,A,{last},09:00,12:00,,",
        f"Dasar Akuntansi,B,{last},12:00,09:00,{ALERT},20",
        f"={ALERT},,{last},09:00,12:00,,9",
    ]
    assert PAGE in desk.get("/lembaga/jadwal").text
    preview = send(desk, "\n".join(lines).encode(), f"{ALERT}.csv", PAGE)
    page = desk.get(preview).text
    assert [each.text for each in read(page).select(".angka4 dd.uang")] == ["1", "2", "0", "2"]
    assert ALERT not in page and "Sleman 2 sesi" in words(page)
    faults = list(csv.reader(io.StringIO(desk.get(f"{preview}/salah.csv").data.decode("utf-8-sig"))))[1:]
    assert sorted((row[0], row[1], row[4]) for row in faults) == [
        ("4", "end", "end_before_start"), ("4", "place", "html"), ("5", "course", "html"),
    ]  # fmt: skip
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in faults for cell in row)
    stall.session.rollback()
    assert stall.session.scalars(select(Run)).all() == []
    done = words(desk.post(preview, follow_redirects=True).text)
    assert "1 jadwal dibuka." in done and "Sleman" in done
    assert desk.post(preview).status_code == 404  # opened once
    again = send(desk, "\n".join(lines[:3]).encode(), "jadwal.csv", PAGE)
    assert "Semua jadwal di berkas ini sudah ada." in words(desk.get(again).text)


def test_the_example_is_a_file_that_opens_a_run(desk: FlaskClient, stall: Stall) -> None:
    example = desk.get(f"{PAGE}/contoh.csv").data
    desk.post(send(desk, example, "contoh.csv", PAGE))
    stall.session.rollback()
    [run] = stall.session.scalars(select(Run)).all()
    assert (run.course.title, run.seats, len(run.sessions)) == ("Dasar Akuntansi", 20, 2)
    assert "Pilih berkas CSV atau XLSX" in send(desk, b"", "kosong.csv", PAGE)
    assert "kolom tidak sesuai" in send(desk, b"a,b\n1,2\n", "lain.csv", PAGE)
