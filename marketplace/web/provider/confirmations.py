"""Seats that a provider confirms or declines, and the switch that asks for it."""

import uuid
from collections.abc import Callable

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from marshmallow import fields, validate
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import clock, db
from marketplace.catalogue import service as catalogue
from marketplace.catalogue.models import RunState
from marketplace.enrolments import confirmation, offer, provider_queries
from marketplace.identity.models import User
from marketplace.web.acting import act_and_return
from marketplace.web.forms import Form, FormSchema, Text, empty, submitted
from marketplace.web.identity import current_provider, signed_in_user
from marketplace.web.provider.blueprint import pages

LONGEST_REASON = 200


class DeclineForm(FormSchema):
    reason = Text(
        _l("Tulis alasan yang dibaca peserta."),
        validate=validate.Length(
            max=LONGEST_REASON, error=_l("Tulis paling banyak %(most)s huruf.", most=LONGEST_REASON)
        ),
    )


class AskForm(FormSchema):
    needed = fields.Boolean(required=True)


@pages.post("/pendaftaran/<uuid:enrolment_id>/konfirmasi")
def confirm(enrolment_id: uuid.UUID) -> Response:
    """Give the seat: the money that was set aside goes into escrow."""
    return _act(
        enrolment_id,
        lambda current, actor: confirmation.confirm(current, enrolment_id, actor),
        _("Kursi dikonfirmasi. Uangnya dititipkan di Bekal dan peserta diberi tahu."),
    )


@pages.get("/pendaftaran/<uuid:enrolment_id>/tolak")
def ask_decline(enrolment_id: uuid.UUID) -> str | Response:
    """Before declining: what happens, and the reason that the participant will read."""
    return _ask_decline(enrolment_id, empty())


@pages.post("/pendaftaran/<uuid:enrolment_id>/tolak")
def decline(enrolment_id: uuid.UUID) -> str | Response | tuple[str | Response, int]:
    """Refuse the seat: the money that was set aside can be spent again."""
    form = submitted(DeclineForm())
    if not form.is_valid:
        return _ask_decline(enrolment_id, form), 400
    return _act(
        enrolment_id,
        lambda current, actor: confirmation.decline(current, enrolment_id, actor, form.data["reason"]),
        _("Permintaan ditolak. Uangnya kembali ke peserta, dan alasan Anda disampaikan."),
    )


@pages.post("/jadwal/<uuid:run_id>/konfirmasi")
def ask_for_confirmation(run_id: uuid.UUID) -> Response:
    """Whether seats of a run wait for the provider's word, from the next purchase on."""
    form = submitted(AskForm())
    provider_id = current_provider().id

    def work(current: Session) -> bool:
        run = provider_queries.get_run_of_provider(current, run_id, provider_id)
        may = form.is_valid and run.state == RunState.OPEN and clock.now(current) < offer.sold_until(run)
        if may:
            catalogue.ask_confirmation(current, run, form.data["needed"])
        return may

    if db.run_in_transaction(work):
        flash(_("Aturan kursi disimpan. Berlaku untuk pembelian berikutnya."), "daun")
    else:
        flash(_("Aturan kursi tidak berubah: jadwal ini sudah mulai atau sudah tidak dijual."), "bata")
    return redirect(url_for("provider.run", run_id=run_id))


def _ask_decline(enrolment_id: uuid.UUID, form: Form) -> str | Response:
    progress = provider_queries.get_for_provider(db.session(), enrolment_id, current_provider().id)
    if not progress.enrolment.is_awaiting:
        return redirect(url_for("provider.enrolment", enrolment_id=enrolment_id))
    return render_template(
        "provider/decline.html", enrolment=progress.enrolment, form=form, most=LONGEST_REASON
    )


def _act(enrolment_id: uuid.UUID, act: Callable[[Session, User], object], done: str) -> Response:
    provider_id, user_id = current_provider().id, signed_in_user().id

    def work(current: Session) -> None:
        provider_queries.get_for_provider(current, enrolment_id, provider_id)
        act(current, current.get_one(User, user_id))

    return act_and_return(work, done, url_for("provider.enrolment", enrolment_id=enrolment_id))
