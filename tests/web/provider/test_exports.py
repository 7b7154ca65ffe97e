"""Files too long to wait for: asked for once, written by a worker, kept for a day."""

import io
from datetime import timedelta

import openpyxl
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from marketplace import clock
from marketplace.config import Settings
from marketplace.core import build_core
from marketplace.db import db, transaction
from marketplace.enrolments import exports
from marketplace.enrolments.tracking_models import EnrolmentExport, ExportState
from marketplace.identity.models import AuditEntry
from marketplace.web.provider import enrolments, tasks, writing
from tests import factories
from tests.web.conftest import SignIn, words
from tests.web.provider.conftest import Stall

LIST = "/lembaga/pendaftaran"


@pytest.fixture
def crowd(stall: Stall, monkeypatch: pytest.MonkeyPatch) -> Stall:
    """Seven people, where five are too many to wait for and a slice is three."""
    monkeypatch.setattr(enrolments, "MOST_AT_ONCE", 5)
    monkeypatch.setattr(writing, "SLICE", 3)
    stall.sell(stall.make_run(), *(f"Orang {number}" for number in range(6)), "Ratna")
    return stall


def _write_as_a_worker(settings: Settings, export_id: str) -> None:
    """Its application has no pages."""
    with build_core(settings).app_context():
        tasks.write(export_id)
        db.session.remove()
        db.engine.dispose()


def test_a_long_file_is_written_in_the_background_and_equals_a_short_one(
    desk: FlaskClient, crowd: Stall, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "/lembaga/berkas?q=o&amp;kind=xlsx" in desk.get(f"{LIST}?q=o").text
    ask = desk.get(f"{LIST}.xlsx?q=o").location
    assert "6 pendaftaran cocok" in words(desk.get(ask).text)
    progress = desk.post(ask).location
    assert desk.post(ask).location == progress
    page = desk.get(progress).text
    assert "0 dari 6 baris ditulis." in words(page) and 'http-equiv="refresh"' in page
    assert desk.get(f"{progress}/unduh").status_code == 404
    held = {"If-None-Match": desk.get(f"{progress}/langsung").headers["ETag"]}
    assert desk.get(f"{progress}/langsung", headers=held).status_code == 304
    tasks.sweep()
    _write_as_a_worker(settings, progress.rpartition("/")[2])
    assert "Berkas siap" in words(desk.get(f"{progress}/langsung", headers=held).text)
    assert "Berkas siap" in words(desk.get(progress).text)
    long = openpyxl.load_workbook(io.BytesIO(desk.get(f"{progress}/unduh").data)).worksheets[0]
    monkeypatch.setattr(enrolments, "MOST_AT_ONCE", 10)
    short = openpyxl.load_workbook(io.BytesIO(desk.get(f"{LIST}.xlsx?q=o").data)).worksheets[0]
    assert list(long.values) == list(short.values)
    assert long.max_row == 8
    assert crowd.session.scalar(select(AuditEntry.action).where(AuditEntry.action == "enrolment.export"))


def test_a_file_expires_with_its_day(desk: FlaskClient, crowd: Stall) -> None:
    progress = desk.post("/lembaga/berkas?kind=csv&q=a&col=who").location
    export_id = progress.rpartition("/")[2]
    tasks.write(export_id)
    lines = desk.get(f"{progress}/unduh").data.decode("utf-8-sig").splitlines()
    assert lines[0] == "Peserta" and sorted(lines[1:])[-1] == "Ratna" and len(lines) == 8
    tasks.sweep()
    assert desk.get(f"{progress}/unduh").status_code == 200
    assert progress in desk.get(LIST).text and "Bisa diunduh sampai" in words(desk.get(LIST).text)
    with transaction() as current:
        before = clock.wall_now() - timedelta(seconds=1)
        current.execute(update(EnrolmentExport).values(expires_at=before))
    tasks.sweep()
    assert desk.get(f"{progress}/unduh").status_code == 404
    assert "Berkas ini sudah tidak ada" in words(desk.get(progress).text)
    crowd.session.rollback()
    kept = crowd.session.execute(select(EnrolmentExport.content, EnrolmentExport.query)).one()
    assert tuple(kept) == (None, "&col=who")  # nor whom it was a search for


def test_a_file_that_fails_three_times_is_given_up(desk: FlaskClient, crowd: Stall) -> None:
    progress = desk.post("/lembaga/berkas?kind=csv&q=ratna").location
    [export_id] = exports.list_waiting(crowd.session)
    for _attempt in range(3):
        with transaction() as current:
            claimed = exports.claim(current, export_id)
            assert claimed is not None
            assert exports.claim(current, export_id) is None
            claimed.started_at = clock.wall_now() - timedelta(minutes=10)
    tasks.write(str(export_id))
    assert "Berkas tidak berhasil dibuat" in words(desk.get(progress).text)
    crowd.session.rollback()
    failed = crowd.session.get_one(EnrolmentExport, export_id)
    assert (failed.state, failed.query) == (ExportState.FAILED, "")  # nor whom it was a search for


def test_a_fourth_waiting_file_is_refused_and_another_providers_is_not_there(
    desk: FlaskClient, crowd: Stall, sign_in: SignIn
) -> None:
    made = [desk.post(f"/lembaga/berkas?kind=csv&q={number}").location for number in range(3)]
    listed = words(desk.get(LIST).text)
    assert listed.count("Sedang disiapkan") == 3 and "Berkas yang terakhir disiapkan" in listed
    refused = desk.post("/lembaga/berkas?kind=csv&q=4", follow_redirects=True)
    assert "Beberapa berkas masih disiapkan." in words(refused.text)
    tasks.write(made[0].rpartition("/")[2])
    with transaction() as current:
        stranger = factories.make_staff(current, factories.make_provider(current))
    other = sign_in(stranger)
    for address in (made[0], f"{made[0]}/unduh"):
        assert other.get(address).status_code == 404
