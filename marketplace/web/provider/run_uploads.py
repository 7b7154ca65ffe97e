"""Runs from a file: choose it, see which runs it would open and what is wrong with it, then open them."""

import uuid
from datetime import timedelta
from typing import Any

from flask import Response as FileResponse
from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import clock, db
from marketplace.catalogue import run_uploads, uploads
from marketplace.catalogue import version_queries as versions
from marketplace.catalogue.course_rows import CatalogueFileError
from marketplace.catalogue.models import CourseState
from marketplace.catalogue.run_rows import COLUMNS, MOST_ROWS, OPTIONAL
from marketplace.catalogue.run_uploads import PlannedRun, RunsPlan
from marketplace.catalogue.service import period_of
from marketplace.catalogue.versions import UploadKind
from marketplace.identity.models import User
from marketplace.web.downloads import csv_file
from marketplace.web.formatting import date_range, rupiah
from marketplace.web.identity import current_provider, signed_in_user
from marketplace.web.provider.blueprint import pages
from marketplace.web.provider.file_faults import file_words, problem_file, problem_rows, sent_file

_SHOWN = 100


@pages.get("/jadwal/impor")
def choose_run_upload() -> str:
    """Choose a file."""
    return _choose()


@pages.post("/jadwal/impor")
def keep_run_upload() -> Response | tuple[str, int]:
    """Keep the file and look through it."""
    name, content = sent_file()
    if not content:
        return _choose(_("Pilih berkas CSV atau XLSX yang tidak kosong.")), 400
    provider_id, user_id = current_provider().id, signed_in_user().id

    def work(current: Session) -> uuid.UUID:
        actor = current.get_one(User, user_id)
        return run_uploads.keep(current, provider_id, actor, name, content).id

    try:
        upload_id = db.run_in_transaction(work)
    except CatalogueFileError as error:
        return _choose(file_words(error)), 400
    return redirect(url_for("provider.run_upload", run_upload_id=upload_id))


@pages.get("/jadwal/impor/contoh.csv")
def run_upload_example() -> FileResponse:
    """The columns, and one run of two sessions of a course of the provider's own, to start from."""
    current = db.session()
    sold = versions.list_courses(current, current_provider().id, "", _SHOWN)
    title = next((each.title for each in sold if each.state == CourseState.PUBLISHED), "Barista Dasar")
    days = [(clock.today(current) + timedelta(days=ahead)).isoformat() for ahead in (30, 31)]
    rows = [
        [title, "A", days[0], "09:00", "12:00", _("Sesi pertama"), "Yogyakarta", "20", "tidak"],
        [title, "A", days[1], "09:00", "12:00", _("Sesi kedua"), "", "", ""],
    ]
    return csv_file("contoh-jadwal", list(COLUMNS), rows)


@pages.get("/jadwal/impor/<uuid:run_upload_id>")
def run_upload(run_upload_id: uuid.UUID) -> str:
    """Which runs the file would open, and what is wrong with it. Nothing is opened yet."""
    kept, plan = _plan(run_upload_id)
    return render_template(
        "provider/run_upload.html",
        upload=kept,
        figures=_figures(plan),
        runs=[_row(each) for each in plan.runs[:_SHOWN]],
        count=len(plan.runs),
        problems=problem_rows(plan.problems[:_SHOWN]),
        problem_count=len(plan.problems),
        shown=_SHOWN,
    )


@pages.get("/jadwal/impor/<uuid:run_upload_id>/salah.csv")
def run_upload_problems(run_upload_id: uuid.UUID) -> FileResponse:
    """Every fault as a file: line, column, value, reason."""
    return problem_file(_plan(run_upload_id)[1].problems)


@pages.post("/jadwal/impor/<uuid:run_upload_id>")
def book_run_upload(run_upload_id: uuid.UUID) -> Response:
    """Open the runs that are good."""
    provider_id, user_id = current_provider().id, signed_in_user().id
    opened = db.run_in_transaction(
        lambda current: run_uploads.book(current, run_upload_id, provider_id, current.get_one(User, user_id))
    )
    flash(
        ngettext(
            "%(num)s jadwal dibuka. Peserta bisa membelinya mulai sekarang.",
            "%(num)s jadwal dibuka. Peserta bisa membelinya mulai sekarang.",
            opened,
        ),
        "daun",
    )
    return redirect(url_for("provider.runs"))


def _plan(upload_id: uuid.UUID) -> tuple[Any, RunsPlan]:
    current = db.session()
    kept = uploads.get_upload(current, upload_id, current_provider().id, UploadKind.RUNS)
    return kept, run_uploads.plan(current, kept)


def _choose(problem: str | None = None) -> str:
    columns = [(column, column in OPTIONAL) for column in COLUMNS]
    return render_template(
        "provider/choose_run_upload.html", problem=problem, columns=columns, most=MOST_ROWS
    )


def _row(planned: PlannedRun) -> list[Any]:
    plan = planned.plan
    sessions = ngettext("%(num)s sesi", "%(num)s sesi", len(plan.sessions))
    when = date_range(*period_of(plan))
    return [
        {"main": planned.course.title, "sub": rupiah(planned.course.price), "bold": True},
        {"main": f"{when}, {plan.place}" if plan.place else when, "sub": sessions},
        _("menunggu konfirmasi Anda") if plan.needs_confirmation else _("langsung berlaku"),
        ngettext("%(num)s kursi", "%(num)s kursi", plan.seats),
    ]


def _figures(plan: RunsPlan) -> list[tuple[str, int, str]]:
    sessions = sum(len(each.plan.sessions) for each in plan.runs)
    return [
        (_("Jadwal baru"), len(plan.runs), _("dibuka setelah Anda menyetujuinya")),
        (_("Sesi"), sessions, _("di jadwal baru")),
        (_("Sudah ada"), plan.unchanged, _("dilewati")),
        (_("Jadwal yang salah"), plan.refused, _("tidak ikut dibuka")),
    ]
