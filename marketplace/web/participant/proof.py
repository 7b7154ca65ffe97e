"""What a buyer can take away: the proof that the purchase stands in the public log."""

import base64
import uuid

import segno
from flask import Response, abort, current_app
from markupsafe import Markup

from ledger import TransactionRecord
from ledger.errors import NotSealed
from ledger.proofs import Sealing, as_text, get_receipt
from marketplace import db
from marketplace.enrolments import queries
from marketplace.oversight.log import signer
from marketplace.web.identity import current_participant
from marketplace.web.money_steps import list_steps
from marketplace.web.participant.blueprint import pages


@pages.get("/bukti/<uuid:enrolment_id>/catatan.json")
def proof(enrolment_id: uuid.UUID) -> Response:
    """The purchase as the ledger hashed it, with salts and path: `verify_receipt.py` checks the file."""
    current = db.session()
    enrolment = queries.get_progress(current, enrolment_id, current_participant().id).enrolment
    steps = list_steps(current, enrolment)
    if not steps:
        abort(404)
    try:
        document = get_receipt(current, steps[0].record.id, personal=True)
    except NotSealed:
        abort(404)
    name = f'attachment; filename="{enrolment.receipt_number}.json"'
    return Response(as_text(document), mimetype="application/json", headers={"Content-Disposition": name})


def qr_of(record: TransactionRecord, sealing: Sealing) -> Markup:
    """A small picture of where the purchase stands: log, entry number and entry, one a line.

    Anybody can hold it against the entries that the log publishes; it tells nothing about the purchase.
    """
    origin = signer(current_app.extensions["settings"]).name
    text = f"{origin}\n{sealing.number}\n{base64.b64encode(record.commitment).decode()}"
    picture = segno.make(text, error="m", micro=False).svg_data_uri(scale=4, border=2)
    return Markup('<img src="{}" alt="">').format(picture)
