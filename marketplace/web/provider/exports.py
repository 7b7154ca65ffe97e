"""Files of enrolments that are too long to wait for: asked for, their progress, and the download."""

import uuid
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from marketplace import clock, db
from marketplace.broker import nudge
from marketplace.enrolments import exports, provider_queries
from marketplace.enrolments.tracking_models import EnrolmentExport, ExportKind, ExportState
from marketplace.errors import MarketplaceError
from marketplace.identity.models import User
from marketplace.web import live
from marketplace.web.downloads import CSV, download
from marketplace.web.errors import words_for
from marketplace.web.formatting import number, stamp
from marketplace.web.identity import current_provider, signed_in_user
from marketplace.web.language import current_language
from marketplace.web.provider import tasks
from marketplace.web.provider.blueprint import pages
from marketplace.web.provider.rows import tag_cell
from marketplace.web.provider.wanted import Wanted, read_wanted
from marketplace.web.spreadsheets import XLSX
from marketplace.web.state_words import export_tag

_MIMETYPES = {ExportKind.CSV: CSV, ExportKind.XLSX: XLSX}
_REFRESH_SECONDS = 2
_RECENT = 5


@pages.get("/berkas")
def ask_export() -> str:
    """Before a long file is written: how long it is, and that one may go on working."""
    current = db.session()
    wanted = read_wanted(request.args)
    found = _count(current, wanted)
    return render_template("provider/ask_export.html", wanted=wanted, kind=_kind(), total=found)


@pages.post("/berkas")
def request_export() -> AnyResponse:
    """Have it written."""
    wanted, kind = read_wanted(request.args), _kind()
    provider_id, user_id, language = current_provider().id, signed_in_user().id, current_language()
    query = urlencode(wanted.parts(), doseq=True)

    def work(current: Session) -> uuid.UUID:
        order = exports.Order(kind, query, language, _count(current, wanted))
        return exports.request(current, provider_id, order, current.get_one(User, user_id)).id

    try:
        export_id = db.run_in_transaction(work)
    except MarketplaceError as error:
        flash(words_for(error), "bata")
        return redirect(wanted.address())
    nudge(tasks.write, str(export_id))
    return redirect(url_for("provider.export", export_id=export_id))


@pages.get("/berkas/<uuid:export_id>")
def export(export_id: uuid.UUID) -> str:
    """How far the writing is, and the file once it is there."""
    found = exports.get_export(db.session(), export_id, current_provider().id)
    region = live.Region(
        url_for("provider.export_live", export_id=export_id), _version(found), _REFRESH_SECONDS
    )
    return render_template("provider/export.html", live=region, **_shown(found))


@pages.get("/berkas/<uuid:export_id>/langsung")
def export_live(export_id: uuid.UUID) -> Response:
    """The same for who waits: 304 while nothing more was written."""
    current = db.session()
    found = exports.get_export(current, export_id, current_provider().id)
    return live.answer(
        _version(found),
        clock.now(current),
        lambda: render_template("provider/_export_live.html", **_shown(found)),
    )


def recent_rows(session: Session) -> list[list[Any]]:
    """The files that anybody of the provider asked for last, as a table's rows."""
    return [
        [
            {
                "main": stamp(each.requested_at),
                "href": url_for("provider.export", export_id=each.id),
                "bold": True,
            },
            _("%(kind)s, %(rows)s baris", kind=each.kind.upper(), rows=number(each.rows)),
            {**tag_cell(export_tag(each)), "sub": _until(each)},
        ]
        for each in exports.list_recent(session, current_provider().id, _RECENT)
    ]


def _until(export: EnrolmentExport) -> str:
    if export.state != ExportState.FINISHED or export.expires_at is None:
        return ""
    return _("sampai %(until)s", until=stamp(export.expires_at))


def _shown(found: EnrolmentExport) -> dict[str, Any]:
    """`refresh`: the seconds after which to look again, None once there is nothing to wait for."""
    waits = found.state == ExportState.REQUESTED
    wanted = read_wanted(MultiDict(parse_qsl(found.query)))
    return {"export": found, "wanted": wanted, "refresh": _REFRESH_SECONDS if waits else None}


def _version(found: EnrolmentExport) -> str:
    return live.digest(f"{found.state} {found.written} {current_language()}")


@pages.get("/berkas/<uuid:export_id>/unduh")
def download_export(export_id: uuid.UUID) -> Response:
    """The file itself."""
    current, provider_id = db.session(), current_provider().id
    found = exports.get_export(current, export_id, provider_id)
    content = exports.get_content(current, export_id, provider_id)
    name = f"pendaftaran-{clock.local_date(found.requested_at)}.{found.kind}"
    return download(name, _MIMETYPES[ExportKind(found.kind)], content)


def _kind() -> ExportKind:
    return ExportKind.CSV if request.args.get("kind") == ExportKind.CSV else ExportKind.XLSX


def _count(session: Session, wanted: Wanted) -> int:
    filters = wanted.filters(clock.now(session))
    return provider_queries.list_for_provider(session, current_provider().id, filters, limit=1).total
