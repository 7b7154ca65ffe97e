"""An organisation asks to sell here: who it is, its documents, and what became of it."""

import uuid
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask import Response as FileResponse
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from marshmallow import validate
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import db
from marketplace.catalogue import csv_cells as cells
from marketplace.errors import MarketplaceError, NotFound
from marketplace.identity.models import User
from marketplace.providers import applications
from marketplace.providers.applications import Details
from marketplace.providers.errors import DocumentInvalid
from marketplace.providers.models import ApplicationState, ProviderApplication, ProviderDocument
from marketplace.web.attachments import as_download, readable_name
from marketplace.web.cells import Cell
from marketplace.web.errors import words_for
from marketplace.web.forms import Form, FormSchema, Text, empty, submitted
from marketplace.web.identity import find_provider, signed_in_user
from marketplace.web.regions import PROVINCES
from marketplace.web.state_words import application_tag

pages = Blueprint("applying", __name__, url_prefix="/daftar-lembaga")


def _line(ask: object, most: int) -> Text:
    too_long = _l("Tulis paling banyak %(most)s huruf.", most=most)
    return Text(ask, validate=validate.Length(max=most, error=too_long))


class DetailsForm(FormSchema):
    name = Cell(cells.name(200), _l("Tulis nama lembaga."))
    registration_number = Text(
        _l("Tulis NIB: 13 angka."),
        validate=validate.Regexp(r"[0-9]{13}\Z", error=_l("NIB terdiri dari 13 angka, tanpa spasi.")),
    )
    address = _line(_l("Tulis alamatnya."), 300)
    city = _line(_l("Tulis kota atau kabupatennya."), 80)
    province_code = Text(
        _l("Pilih provinsi dari daftar."),
        validate=validate.OneOf(list(PROVINCES), error=_l("Pilih provinsi dari daftar.")),
    )
    contact_name = _line(_l("Tulis nama yang bisa dihubungi."), 120)


@pages.get("")
def application() -> str | Response:
    """What one has begun, or the form to begin."""
    if find_provider() is not None:
        return redirect(url_for("provider.overview"))
    current, user = db.session(), signed_in_user()
    found = applications.find_last(current, user.id)
    if found is None:
        return _form(empty()) if not user.roles else render_template("applying/other_login.html")
    return _page(found)


@pages.get("/ubah")
def edit_application() -> str | Response:
    """Change what one has written; after a refusal, begin anew."""
    found = applications.find_open(db.session(), signed_in_user().id)
    if found is None or found.state == ApplicationState.SUBMITTED:
        return _form(empty()) if found is None and not signed_in_user().roles else _back()
    return _form(empty(**{name: getattr(found, name) for name in DetailsForm().fields}))


@pages.post("")
def write_application() -> Response | tuple[str, int]:
    """Keep what was written."""
    form = submitted(DetailsForm())
    if not form.is_valid:
        return _form(form), 400
    details = Details(**form.data)
    return _act(lambda current, actor: applications.write(current, actor, details), _("Disimpan."))


@pages.post("/dokumen")
def add_document() -> Response | tuple[str, int]:
    """Add a document."""
    sent = request.files.get("file")
    content, name = (sent.read(), sent.filename or "") if sent else (b"", "")
    name = readable_name(name)
    user_id = signed_in_user().id

    def work(current: Session) -> ProviderDocument:
        return applications.add_document(current, current.get_one(User, user_id), name, content)

    try:
        db.run_in_transaction(work)
    except DocumentInvalid as error:
        found = applications.find_open(db.session(), user_id)
        return (_page(found, words_for(error)), 400) if found else _back()
    except NotFound:
        raise
    except MarketplaceError as error:
        flash(words_for(error), "bata")
    else:
        flash(_("Dokumen disimpan."), "daun")
    return _back()


@pages.get("/dokumen/<uuid:document_id>")
def document(document_id: uuid.UUID) -> FileResponse:
    """One's own document."""
    current, user = db.session(), signed_in_user()
    found = applications.find_last(current, user.id)
    if found is None:
        raise NotFound("no application")
    return as_download(*applications.open_document(current, found, document_id, user))


@pages.post("/dokumen/<uuid:document_id>/hapus")
def remove_document(document_id: uuid.UUID) -> Response:
    """Take a document back."""
    return _act(
        lambda current, actor: applications.remove_document(current, actor, document_id),
        _("Dokumen dihapus."),
    )


@pages.post("/kirim")
def submit_application() -> Response:
    """Hand it in."""
    return _act(applications.submit, _("Terkirim. Kantor program memeriksanya dan Anda diberi tahu."))


def _act(act: Any, done: str) -> Response:
    user_id = signed_in_user().id
    try:
        db.run_in_transaction(lambda current: act(current, current.get_one(User, user_id)))
    except NotFound:
        raise
    except MarketplaceError as error:
        flash(words_for(error), "bata")
    else:
        flash(done, "daun")
    return _back()


def _back() -> Response:
    return redirect(url_for("applying.application"))


def _form(form: Form) -> str:
    return render_template("applying/form.html", form=form, provinces=PROVINCES)


def _page(found: ProviderApplication, problem: str | None = None) -> str:
    return render_template(
        "applying/application.html",
        application=found,
        province=PROVINCES.get(found.province_code, ""),
        tag=application_tag(found.state),
        may_write=found.state in {ApplicationState.DRAFTED, ApplicationState.RETURNED},
        is_refused=found.state == ApplicationState.REJECTED,
        most=applications.MOST_DOCUMENTS,
        problem=problem,
    )
