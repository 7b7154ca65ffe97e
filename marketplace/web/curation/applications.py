"""Organisations that ask to sell: what they handed in, and the decision."""

import uuid

from flask import Response as FileResponse
from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from marshmallow import validate
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import db
from marketplace.broker import nudge
from marketplace.errors import MarketplaceError, NotFound, ReasonMissing
from marketplace.identity.models import User
from marketplace.notifications import tasks as notifications
from marketplace.providers import applications
from marketplace.providers.models import ApplicationState, ProviderApplication
from marketplace.shown import ChangedMeanwhile
from marketplace.web.attachments import as_download
from marketplace.web.curation.blueprint import pages
from marketplace.web.errors import words_for
from marketplace.web.forms import Form, FormSchema, Paragraphs, Text, empty, submitted
from marketplace.web.identity import signed_in_user
from marketplace.web.regions import PROVINCES
from marketplace.web.state_words import application_tag

_SHOWN, _DECIDED_SHOWN = 100, 20


class ApplicationForm(FormSchema):
    verdict = Text(
        _l("Pilih keputusannya."),
        validate=validate.OneOf(["approve", "return", "reject"], error=_l("Pilih keputusannya.")),
    )
    comment = Paragraphs(
        required=False,
        load_default="",
        validate=validate.Length(
            max=applications.LONGEST_REASON,
            error=_l("Tulis paling banyak %(most)s huruf.", most=applications.LONGEST_REASON),
        ),
    )
    seen = Text(required=False, load_default="")


@pages.get("/lembaga")
def provider_applications() -> str:
    """What waits, and what was decided last."""
    current = db.session()
    return render_template(
        "curation/applications.html",
        waiting=applications.list_waiting(current, _SHOWN),
        decided=applications.list_decided(current, _DECIDED_SHOWN),
        tag_of=application_tag,
    )


@pages.get("/lembaga/<uuid:application_id>")
def provider_application(application_id: uuid.UUID) -> str:
    """One application with its documents."""
    return _page(application_id, empty())


@pages.post("/lembaga/<uuid:application_id>")
def decide_application(application_id: uuid.UUID) -> Response | tuple[str, int]:
    """Make it a provider, send it back, or refuse it, as it was read. The applicant is told."""
    form = submitted(ApplicationForm())
    if form.is_valid:
        _decide(application_id, form)
    if form.is_valid:
        return redirect(url_for("curation.provider_applications"))
    found = applications.get_application(db.session(), application_id)
    if found.state != ApplicationState.SUBMITTED:
        return _too_late(found, form), 409
    return _page(application_id, form), 400


@pages.get("/lembaga/<uuid:application_id>/dokumen/<uuid:document_id>")
def application_document(application_id: uuid.UUID, document_id: uuid.UUID) -> FileResponse:
    """A document. That it was read is recorded."""
    user_id = signed_in_user().id

    def work(current: Session) -> FileResponse:
        found = applications.get_application(current, application_id)
        actor = current.get_one(User, user_id)
        return as_download(*applications.open_document(current, found, document_id, actor))

    return db.run_in_transaction(work)


def _decide(application_id: uuid.UUID, form: Form) -> None:
    user_id, comment, seen = signed_in_user().id, form.data["comment"], form.data["seen"]

    def work(current: Session) -> ProviderApplication:
        actor = current.get_one(User, user_id)
        if form.data["verdict"] == "approve":
            return applications.approve(current, application_id, actor, seen=seen)
        act = applications.reject if form.data["verdict"] == "reject" else applications.return_application
        return act(current, application_id, actor, comment, seen=seen)

    try:
        db.run_in_transaction(work)
    except NotFound:
        raise
    except ReasonMissing as error:
        form.refuse("comment", words_for(error))
    except ChangedMeanwhile as error:
        form.refuse("", words_for(error))
    except MarketplaceError as error:
        form.refuse("verdict", words_for(error))
    else:
        nudge(notifications.sweep)
        flash(_("Keputusan dicatat dan pendaftar diberi tahu."), "daun")


def _too_late(found: ProviderApplication, form: Form) -> str:
    """It is decided already: nothing to decide, but what was typed is not lost."""
    state = application_tag(found.state)[0]
    return render_template(
        "curation/not_recorded.html",
        heading=_("Sudah diputuskan"),
        why=_("Pendaftaran ini sudah diputuskan: %(state)s. Kiriman Anda ini tidak dicatat.", state=state),
        comment=form.data.get("comment", form.typed.get("comment", "")),
        queue=url_for("curation.provider_applications"),
        decided=url_for("curation.provider_application", application_id=found.id),
    )


def _page(application_id: uuid.UUID, form: Form) -> str:
    found = applications.get_application(db.session(), application_id)
    return render_template(
        "curation/application.html",
        application=found,
        province=PROVINCES.get(found.province_code, ""),
        tag=application_tag(found.state),
        is_waiting=found.state == ApplicationState.SUBMITTED,
        seen=applications.mark_of(found),
        form=form,
    )
