"""What a person can take away: the proof that a movement of their balance stands in the public log."""

import base64
import uuid
from itertools import chain

import segno
from flask import Response, abort, current_app, render_template
from markupsafe import Markup

from ledger import (
    NotSealed,
    Sealing,
    TransactionRecord,
    find_sealing,
    get_receipt,
    get_transaction,
    proof_text,
)
from marketplace import db
from marketplace.batches import queries as grants
from marketplace.enrolments import queries
from marketplace.enrolments.queries import HistoryRow
from marketplace.errors import NotFound
from marketplace.oversight.log import signer
from marketplace.web.identity import current_participant
from marketplace.web.money_steps import list_steps
from marketplace.web.participant.blueprint import pages
from marketplace.web.participant.home import movement_of


@pages.get("/riwayat/<uuid:transaction_id>")
def movement(transaction_id: uuid.UUID) -> str:
    """One movement of the balance that is no purchase: what, when, and where it stands in the ledger."""
    current = db.session()
    row = _own_row(transaction_id)
    record = get_transaction(current, transaction_id)
    sealing = find_sealing(current, transaction_id)
    return render_template(
        "participant/movement.html",
        move=movement_of(row, grants.find_grant(current, current_participant().id)),
        record=record,
        sealing=sealing,
        qr=qr_of(record, sealing) if sealing else None,
    )


@pages.get("/riwayat/<uuid:transaction_id>/catatan.json")
def movement_proof(transaction_id: uuid.UUID) -> Response:
    """The same movement as the ledger hashed it, for `verify_receipt.py`."""
    _own_row(transaction_id)
    return _document(transaction_id, f"txn_{transaction_id.hex}")


@pages.get("/bukti/<uuid:enrolment_id>/catatan.json")
def proof(enrolment_id: uuid.UUID) -> Response:
    """The purchase as the ledger hashed it, with salts and path: `verify_receipt.py` checks the file."""
    current = db.session()
    enrolment = queries.get_progress(current, enrolment_id, current_participant().id).enrolment
    steps = list_steps(current, enrolment)
    if not steps:
        abort(404)
    return _document(steps[0].record.id, enrolment.receipt_number)


def qr_of(record: TransactionRecord, sealing: Sealing) -> Markup:
    """A small picture of where a record stands: log, entry number and entry, one a line.

    Anybody can hold it against the entries that the log publishes; it tells nothing about the purchase.
    """
    origin = signer(current_app.extensions["settings"]).name
    text = f"{origin}\n{sealing.number}\n{base64.b64encode(record.commitment).decode()}"
    picture = segno.make(text, error="m", micro=False).svg_data_uri(scale=4, border=2)
    return Markup('<img src="{}" alt="">').format(picture)


def _own_row(transaction_id: uuid.UUID) -> HistoryRow:
    """The movement in the reader's own history, of either money. Raises NotFound for anybody else's."""
    current, owner = db.session(), current_participant().id
    for row in chain(queries.history(current, owner), queries.cash_history(current, owner)):
        if row.transaction_id == transaction_id:
            return row
    raise NotFound("no such movement")


def _document(transaction_id: uuid.UUID, name: str) -> Response:
    try:
        document = get_receipt(db.session(), transaction_id, personal=True)
    except NotSealed:
        abort(404)
    headers = {"Content-Disposition": f'attachment; filename="{name}.json"'}
    return Response(proof_text(document), mimetype="application/json", headers=headers)
