"""Buying: one review page, one button, a receipt."""

import uuid
from decimal import Decimal

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from marshmallow import validate
from werkzeug.wrappers import Response

from ledger import uuid7
from ledger.proofs import find_sealing
from marketplace import clock, db
from marketplace.batches import queries as grants
from marketplace.broker import nudge
from marketplace.catalogue import queries as courses
from marketplace.enrolments import queries, service
from marketplace.enrolments.errors import AlreadyEnrolled
from marketplace.errors import MarketplaceError, NotFound
from marketplace.notifications import tasks as notifications
from marketplace.web.errors import words_for
from marketplace.web.formatting import rupiah, stamp
from marketplace.web.forms import Digits, FormSchema, Text, submitted
from marketplace.web.identity import current_participant
from marketplace.web.money_steps import list_steps
from marketplace.web.participant.blueprint import pages
from marketplace.web.participant.proof import qr_of
from marketplace.web.shell import zone
from marketplace.web.state_words import money_tag

_LONGEST_KEY = 64
"""The form's own has 32; an index row of the database could not hold any length."""


class PurchaseForm(FormSchema):
    """`version` and `price` say what the buyer saw. They are compared, never used."""

    key = Text(validate=validate.Length(max=_LONGEST_KEY))
    version = Digits()
    price = Digits()


@pages.get("/beli/<uuid:run_id>")
def review(run_id: uuid.UUID) -> str:
    """What will be bought, the sum, where the money waits, the last free cancellation."""
    return _review(run_id)


@pages.post("/beli/<uuid:run_id>")
def buy(run_id: uuid.UUID) -> str | Response | tuple[str, int]:
    """Buy. The same form sent again shows the same receipt: its key has one effect."""
    form = submitted(PurchaseForm())
    if not form.is_valid:
        return _review(run_id, _("Formulir ini tidak lengkap. Periksa sekali lagi, lalu beli.")), 400
    wish = service.PurchaseRequest(
        participant_id=current_participant().id,
        run_id=run_id,
        key=form.data["key"],
        version_seen=form.data["version"],
        price_seen=Decimal(form.data["price"]),
    )
    try:
        enrolment_id = db.run_in_transaction(lambda current: service.purchase(current, wish).id)
    except NotFound:
        raise
    except AlreadyEnrolled as error:
        flash(words_for(error))
        return redirect(url_for("participant.courses"))
    except MarketplaceError as error:
        return _review(run_id, words_for(error)), 409
    nudge(notifications.sweep)
    return redirect(url_for("participant.receipt", enrolment_id=enrolment_id))


@pages.get("/bukti/<uuid:enrolment_id>")
def receipt(enrolment_id: uuid.UUID) -> str:
    """The receipt, with its place in the ledger and every step of its money since."""
    current = db.session()
    progress = queries.get_progress(current, enrolment_id, current_participant().id)
    enrolment = progress.enrolment
    steps = list_steps(current, enrolment)
    sealing = find_sealing(current, steps[0].record.id) if steps else None
    return render_template(
        "participant/receipt.html",
        enrolment=enrolment,
        state=money_tag(enrolment, progress.earning),
        rows=[(stamp(step.at, zone()), rupiah(step.amount), step.words) for step in steps],
        purchase=steps[0] if steps else None,
        sealing=sealing,
        qr=qr_of(steps[0].record, sealing) if sealing else None,
        has_started=enrolment.run.starts_at <= clock.now(current),
    )


def _review(run_id: uuid.UUID, problem: str | None = None) -> str:
    """The review page with the offer as it is now, never as it was sent."""
    current = db.session()
    participant = current_participant()
    run = courses.get_run(current, run_id)
    balance = grants.balance_of(current, participant.id)
    return render_template(
        "participant/review.html",
        problem=problem,
        run=run,
        participant=participant,
        balance=balance,
        after=balance - run.course.price,
        key=uuid7().hex,
    )
