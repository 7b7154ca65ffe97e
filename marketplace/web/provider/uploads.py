"""Courses from a file: choose it, see what it would do and what is wrong with it, then book the good rows."""

import uuid
from typing import Any

from flask import Response as FileResponse
from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import db
from marketplace.broker import nudge
from marketplace.catalogue import uploads
from marketplace.catalogue.course_rows import COLUMNS, CatalogueFileError
from marketplace.catalogue.uploads import Booked, Planned, UploadPlan
from marketplace.identity.models import User
from marketplace.notifications import tasks as notifications
from marketplace.web import course_words
from marketplace.web.downloads import csv_file
from marketplace.web.identity import current_provider, signed_in_user
from marketplace.web.provider.blueprint import pages
from marketplace.web.provider.file_faults import file_words, problem_file, problem_rows, sent_file

_SHOWN = 100
_EXAMPLE = (
    "BARISTA-1", "Barista Dasar", "Kuliner", "in_person", "beginner", "24", "750000",
    "Dari biji sampai cangkir.", "id",
)  # fmt: skip


@pages.get("/kursus/impor")
def choose_upload() -> str:
    """Choose a file."""
    return _choose()


@pages.post("/kursus/impor")
def keep_upload() -> Response | tuple[str, int]:
    """Keep the file and look through it."""
    name, content = sent_file()
    if not content:
        return _choose(_("Pilih berkas CSV atau XLSX yang tidak kosong.")), 400
    provider_id, user_id = current_provider().id, signed_in_user().id

    def work(current: Session) -> uuid.UUID:
        actor = current.get_one(User, user_id)
        return uploads.keep_upload(current, provider_id, actor, name, content).id

    try:
        upload_id = db.run_in_transaction(work)
    except CatalogueFileError as error:
        return _choose(file_words(error)), 400
    return redirect(url_for("provider.upload", upload_id=upload_id))


@pages.get("/kursus/impor/contoh.csv")
def upload_example() -> FileResponse:
    """A file with the columns and one row, to start from."""
    columns = [column for column in COLUMNS if column not in uploads.TERMS.optional]
    return csv_file("contoh-kursus", columns, [_EXAMPLE])


@pages.get("/kursus/impor/<uuid:upload_id>")
def upload(upload_id: uuid.UUID) -> str:
    """What the file would do, and what is wrong with it. Nothing is booked yet."""
    current = db.session()
    kept = uploads.get_upload(current, upload_id, current_provider().id)
    plan = uploads.plan_upload(current, kept)
    return render_template(
        "provider/upload.html",
        upload=kept,
        plan=plan,
        figures=_figures(plan),
        problems=problem_rows(plan.problems[:_SHOWN]),
        problem_count=len(plan.problems),
        notices=problem_rows(plan.notices[:_SHOWN]),
        good=_good_rows(plan),
        good_count=len(plan.new) + len(plan.changed),
        shown=_SHOWN,
    )


@pages.get("/kursus/impor/<uuid:upload_id>/salah.csv")
def upload_problems(upload_id: uuid.UUID) -> FileResponse:
    """Every fault as a file: line, column, value, reason."""
    current = db.session()
    kept = uploads.get_upload(current, upload_id, current_provider().id)
    return problem_file(uploads.plan_upload(current, kept).problems)


@pages.post("/kursus/impor/<uuid:upload_id>")
def book_upload(upload_id: uuid.UUID) -> Response:
    """Book the good rows: as drafts, or handed in at once."""
    provider_id, user_id = current_provider().id, signed_in_user().id
    submits = request.form.get("then") == "submit"

    def work(current: Session) -> Booked:
        actor = current.get_one(User, user_id)
        return uploads.book_upload(current, upload_id, provider_id, actor, submits=submits)

    booked = db.run_in_transaction(work)
    nudge(notifications.sweep)
    flash(_booked_words(booked), "daun")
    return redirect(url_for("provider.courses"))


def _choose(problem: str | None = None) -> str:
    columns = [(column, column in uploads.TERMS.optional) for column in COLUMNS]
    return render_template(
        "provider/choose_upload.html", problem=problem, columns=columns, most=uploads.TERMS.most_rows
    )


def _good_rows(plan: UploadPlan) -> list[list[Any]]:
    def row(planned: Planned, what: str) -> list[Any]:
        price = course_words.field_value("price", planned.row.price)
        return [{"main": planned.row.title, "sub": planned.row.source_id}, what, price]

    rows = [row(each, _("baru")) for each in plan.new] + [row(each, _("perubahan")) for each in plan.changed]
    return rows[:_SHOWN]


def _figures(plan: UploadPlan) -> list[tuple[str, int, str]]:
    return [
        (_("Kursus baru"), len(plan.new), _("disimpan sebagai naskah")),
        (_("Perubahan"), len(plan.changed), _("versi baru dari yang sudah ada")),
        (_("Tidak berubah"), plan.unchanged, _("dilewati")),
        (_("Baris yang salah"), len(plan.refused), _("tidak ikut disimpan")),
    ]


def _booked_words(booked: Booked) -> str:
    parts = [
        ngettext("%(num)s naskah disimpan", "%(num)s naskah disimpan", booked.drafted)
        if booked.drafted
        else "",
        ngettext("%(num)s diajukan", "%(num)s diajukan", booked.submitted) if booked.submitted else "",
        ngettext("%(num)s langsung terbit", "%(num)s langsung terbit", booked.live) if booked.live else "",
    ]
    return ", ".join(part for part in parts if part) + "."
