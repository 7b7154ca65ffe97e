"""A run's attendance as a sheet and its files, and the signed list that comes as a file."""

import uuid
from datetime import datetime

from flask import Response, render_template, request
from flask_babel import gettext as _

from marketplace import clock, db
from marketplace.catalogue.models import Run, RunSession
from marketplace.enrolments import provider_queries
from marketplace.enrolments.models import AttendanceMethod
from marketplace.enrolments.sheet import Sheet, SheetRow, attendance_sheet
from marketplace.enrolments.signed_list import Fault, Problem, SignedList, read_signed_list
from marketplace.schemes import queries as schemes
from marketplace.web.downloads import Cell, csv_file
from marketplace.web.formatting import short_date
from marketplace.web.identity import current_provider
from marketplace.web.provider.blueprint import pages
from marketplace.web.provider.rows import day_words
from marketplace.web.provider.sessions import attendance_page, get_meeting
from marketplace.web.spreadsheets import xlsx_file

_MOST_BYTES = 256 * 1024


@pages.get("/jadwal/<uuid:run_id>/kehadiran")
def sheet(run_id: uuid.UUID) -> str:
    """Everybody in a run against every session."""
    current = db.session()
    run, found, now = _sheet(run_id)
    limit = min(each.uploaded_attendance_limit_percent for each in schemes.list_schemes(current))
    return render_template(
        "provider/sheet.html", run=run, days=day_words(run), sheet=found, limit=limit, now=now
    )


@pages.get("/jadwal/<uuid:run_id>/kehadiran.csv")
def sheet_csv(run_id: uuid.UUID) -> Response:
    """The sheet as a file."""
    run, found, now = _sheet(run_id)
    return csv_file(_name(run), _head(found), [_line(row, found, now) for row in found.rows])


@pages.get("/jadwal/<uuid:run_id>/kehadiran.xlsx")
def sheet_xlsx(run_id: uuid.UUID) -> Response:
    """The sheet as a spreadsheet, with the number of those who came below each session."""
    run, found, now = _sheet(run_id)
    foot: list[Cell] = [None, _("Jumlah hadir"), *found.came, None, None]
    rows = [_line(row, found, now) for row in found.rows]
    return xlsx_file(_name(run), _("Kehadiran"), _head(found), rows, foot)


@pages.get("/sesi/<uuid:session_id>/daftar-hadir.csv")
def empty_list(session_id: uuid.UUID) -> Response:
    """The list of a session to be filled in: who may be named, with an empty column."""
    current = db.session()
    meeting, run = get_meeting(current, session_id)
    roll = provider_queries.roll_call(current, meeting)
    rows = [
        [row.enrolment.receipt_number, row.enrolment.participant.full_name, ""]
        for row in roll
        if row.attendance is None and row.enrolment.is_live
    ]
    name = f"daftar-hadir-{clock.local_date(run.starts_at)}-sesi-{meeting.sequence}"
    return csv_file(name, [_("Nomor bukti"), _("Peserta"), _("Hadir")], rows)


@pages.post("/sesi/<uuid:session_id>/daftar-hadir/berkas")
def read_list(session_id: uuid.UUID) -> str | tuple[str, int]:
    """Read a filled-in list: whoever it names is ticked, nothing is recorded before a person has looked."""
    current = db.session()
    meeting, _run = get_meeting(current, session_id)
    file = request.files.get("file")
    if file is None or not file.filename:
        return attendance_page(session_id, file_problem=_("Pilih berkas CSV daftar hadir.")), 400
    content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        return attendance_page(session_id, file_problem=_("Berkas lebih besar dari 256 KB.")), 400
    roll = provider_queries.roll_call(current, meeting)
    found = read_signed_list(content, [row.enrolment for row in roll])
    return _offered(session_id, found)


def _offered(session_id: uuid.UUID, found: SignedList) -> tuple[str, int]:
    whole = [each for each in found.problems if not each.line]
    if whole:
        return attendance_page(session_id, file_problem=_sentence(whole[0])), 400
    page = attendance_page(
        session_id,
        ticked=[str(each) for each in found.present],
        problems=list(map(_sentence, found.problems)),
    )
    return page, 400 if found.problems else 200


def _sentence(problem: Problem) -> str:
    words = {
        Fault.NOT_TEXT: _(
            "Berkas ini bukan CSV dengan huruf UTF-8. Simpan dari lembar kerja sebagai “CSV UTF-8”."
        ),
        Fault.EMPTY: _("Berkas ini kosong."),
        Fault.NO_RECEIPTS: _("Kolom “Nomor bukti” tidak ada di baris pertama."),
        Fault.TOO_LONG: _("Berkas lebih panjang dari 2.000 baris; sisanya tidak dibaca."),
        Fault.UNKNOWN_RECEIPT: _("nomor bukti ini tidak ada di jadwal ini"),
        Fault.DOUBLED: _("nomor bukti ini sudah ada di baris sebelumnya"),
        Fault.ENDED: _("pendaftaran ini sudah selesai atau dibatalkan"),
        Fault.UNCLEAR: _("tulis “ya” atau kosongkan"),
        Fault.RAGGED: _("baris ini kurang kolom"),
    }[problem.fault]
    if not problem.line:
        return words
    if not problem.column:
        return _("Baris %(line)s: %(words)s.", line=problem.line, words=words.rstrip("."))
    return _(
        "Baris %(line)s, kolom %(column)s, “%(value)s”: %(words)s.",
        line=problem.line,
        column=problem.column.capitalize(),
        value=problem.value,
        words=words,
    )


def _sheet(run_id: uuid.UUID) -> tuple[Run, Sheet, datetime]:
    current = db.session()
    run = provider_queries.get_run_of_provider(current, run_id, current_provider().id)
    return run, attendance_sheet(current, run), clock.now(current)


def _name(run: Run) -> str:
    return f"kehadiran-{clock.local_date(run.starts_at)}"


def _head(found: Sheet) -> list[str]:
    meetings = [
        f"{each.sequence}, {short_date(each.starts_at)}" if each.starts_at else str(each.sequence)
        for each in found.sessions
    ]
    return [_("Nomor bukti"), _("Peserta"), *meetings, _("Hadir"), _("Persen")]


def _line(row: SheetRow, found: Sheet, now: datetime) -> list[Cell]:
    marks: list[Cell] = [
        _mark(mark, meeting, now) for mark, meeting in zip(row.marks, found.sessions, strict=True)
    ]
    enrolment = row.progress.enrolment
    return [
        enrolment.receipt_number, enrolment.participant.full_name, *marks, row.progress.attended,
        row.progress.percent,
    ]  # fmt: skip


def _mark(mark: AttendanceMethod | None, meeting: RunSession, now: datetime) -> str | None:
    """In words; a session still to come stays empty, an absence does not."""
    if mark is None:
        return _("tidak") if meeting.ends_at is not None and meeting.ends_at <= now else None
    return {
        AttendanceMethod.CODE: _("kode"),
        AttendanceMethod.UPLOAD: _("daftar"),
        AttendanceMethod.UNIT: _("selesai"),
    }[mark]
