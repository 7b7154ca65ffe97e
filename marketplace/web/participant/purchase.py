"""Buying: one review page, one button, a receipt."""

import uuid
from datetime import datetime
from decimal import Decimal

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from marshmallow import fields, validate
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from ledger import find_sealing, uuid7
from marketplace import clock, db
from marketplace.batches import queries as grants
from marketplace.batches.models import Grant, GrantState
from marketplace.broker import nudge
from marketplace.catalogue import queries as courses
from marketplace.catalogue.errors import NoSeats
from marketplace.catalogue.models import Run
from marketplace.enrolments import confirmation, line_queries, offer, queries, service
from marketplace.enrolments.errors import AlreadyEnrolled, GrantMissing
from marketplace.enrolments.line_queries import InLine
from marketplace.enrolments.models import Enrolment, EnrolmentState
from marketplace.enrolments.progress import Progress
from marketplace.enrolments.returned import returned
from marketplace.errors import MarketplaceError, NotFound
from marketplace.notifications import tasks as notifications
from marketplace.web.errors import words_for
from marketplace.web.formatting import here, rupiah, stamp
from marketplace.web.forms import UNREADABLE, Digits, Form, FormSchema, Text, submitted
from marketplace.web.identity import current_participant
from marketplace.web.money_steps import Step, list_steps
from marketplace.web.participant import proving
from marketplace.web.participant.blueprint import pages
from marketplace.web.participant.proof import qr_of
from marketplace.web.shell import note_balance
from marketplace.web.state_words import money_tag

_LONGEST_KEY = 64
"""The form's own has 32; an index row of the database could not hold any length."""


class PurchaseForm(FormSchema):
    """`version`, `price` and `confirmation` say what the buyer saw. They are compared, never used."""

    key = Text(validate=validate.Length(max=_LONGEST_KEY, error=UNREADABLE))
    version = Digits()
    price = Digits()
    confirmation = fields.Boolean(load_default=False)
    code = Text(required=False)
    resend = Text(required=False)


@pages.get("/beli/<uuid:run_id>")
def review(run_id: uuid.UUID) -> str | Response:
    """What will be bought, the sum, where the money waits, the last free cancellation.

    Whoever has bought it, and came back with the browser's button, is shown the receipt.
    """
    bought = queries.find_for_run(db.session(), current_participant().id, run_id)
    if bought is not None:
        flash(_("Anda sudah terdaftar di jadwal ini. Saldo Anda tidak berkurang dua kali."))
        return redirect(url_for("participant.receipt", enrolment_id=bought.id))
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
        confirmation_seen=form.data["confirmation"],
    )
    asked = _ask_for_proof(run_id, form)
    if asked is not None:
        return asked
    try:
        enrolment_id = db.run_in_transaction(lambda current: service.purchase(current, wish).id)
    except NotFound:
        raise
    except AlreadyEnrolled as error:
        flash(words_for(error))
        return redirect(url_for("participant.receipt", enrolment_id=error.details["enrolment_id"]))
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
    back = returned((step.record for step in steps), enrolment)
    sealing = find_sealing(current, steps[0].record.id) if steps else None
    return render_template(
        "participant/receipt.html",
        enrolment=enrolment,
        state=money_tag(enrolment, progress.earning, went_to_state=back.state > 0),
        rows=_money_rows(steps, progress),
        purchase=steps[0] if steps else None,
        sealing=sealing,
        qr=qr_of(steps[0].record, sealing) if sealing else None,
        is_ahead=_is_ahead(enrolment, clock.now(current)),
    )


def _is_ahead(enrolment: Enrolment, now: datetime) -> bool:
    """Bought, and nothing of it has happened yet: a run that has not begun, or units still unopened."""
    return enrolment.state == EnrolmentState.PURCHASED and now < offer.sold_until(enrolment.run)


def _money_rows(steps: list[Step], progress: Progress) -> list[tuple[str, str]]:
    """When and what, for every step. What was set aside, and that the bank has paid, are no postings of
    this purchase, but its beginning and its end."""
    rows = _rows_of_wait(progress.enrolment) + [(stamp(step.at, here()), step.words) for step in steps]
    earning = progress.earning
    if earning is not None and earning.paid_at is not None:
        words = _("%(amount)s dibayarkan ke lembaga", amount=rupiah(earning.gross))
        rows.append((stamp(earning.paid_at, here()), words))
    return rows


def _rows_of_wait(enrolment: Enrolment) -> list[tuple[str, str]]:
    if enrolment.hold_id is None:
        return []
    amount = rupiah(enrolment.price)
    words = _("%(amount)s disisihkan sampai lembaga mengonfirmasi", amount=amount)
    rows = [(stamp(enrolment.purchased_at, here()), words)]
    if enrolment.transaction_id is None and enrolment.cancelled_at is not None:
        words = _("%(amount)s bisa dipakai lagi", amount=amount)
        rows.append((stamp(enrolment.cancelled_at, here()), words))
    return rows


def _ask_for_proof(run_id: uuid.UUID, form: Form) -> str | tuple[str, int] | None:
    """The page that asks for a fresh code, where money would move and the last one is old; else None.

    Whoever has bought it already is only shown the receipt, and a refusal comes before a code.
    """
    current = db.session()
    participant = current_participant()
    if form.data["price"] == 0 or proving.is_fresh():
        return None
    if queries.find_for_run(current, participant.id, run_id) is not None:
        return None
    run = courses.get_run(current, run_id)
    in_line = line_queries.find_for_run(current, participant.id, run_id)
    obstacle = _obstacle(current, grants.find_grant(current, participant.id), run, in_line)
    if obstacle is not None:
        return _review(run_id, words_for(obstacle)), 409
    return proving.ask(form, run)


def _review(run_id: uuid.UUID, problem: str | None = None) -> str:
    """The review page with the offer as it is now, never as it was sent."""
    current = db.session()
    participant = current_participant()
    run = courses.get_run(current, run_id)
    balance = grants.balance_of(current, participant.id)
    note_balance(balance)
    grant = grants.find_grant(current, participant.id)
    in_line = line_queries.find_for_run(current, participant.id, run.id)
    obstacle = _obstacle(current, grant, run, in_line)
    return render_template(
        "participant/review.html",
        problem=problem,
        obstacle=words_for(obstacle) if obstacle else None,
        in_line=in_line,
        is_full=isinstance(obstacle, NoSeats),
        is_frozen=grant is not None and grant.state == GrantState.FROZEN,
        may_join=in_line is None and isinstance(obstacle, NoSeats) and _takes_offers(current, grant, run),
        confirm_by=_confirm_by(current, grant, run),
        run=run,
        participant=participant,
        balance=balance,
        after=balance - run.course.price,
        key=uuid7().hex,
    )


def _confirm_by(current: Session, grant: Grant | None, run: Run) -> datetime | None:
    """Until when the provider would have to confirm; None where it is not asked."""
    if grant is None or not run.needs_confirmation:
        return None
    return confirmation.deadline(current, run, grant, clock.now(current))


def _takes_offers(current: Session, grant: Grant | None, run: Run) -> bool:
    """Whether a seat that comes free would still be offered to somebody in line."""
    return grant is not None and clock.now(current) < offer.offered_until(run, grant.scheme)


def _obstacle(
    current: Session, grant: Grant | None, run: Run, in_line: InLine | None
) -> MarketplaceError | None:
    """Why this cannot be bought now, whatever the balance; said before anybody presses a button."""
    try:
        if grant is None:
            raise GrantMissing("no grant", state=None)
        offer.check(grant, run, run.course.version, run.course.price, clock.now(current))
        if run.seats_left == 0 and not (in_line and in_line.is_offered):
            raise NoSeats("the run is full")
    except MarketplaceError as error:
        return error
    return None
