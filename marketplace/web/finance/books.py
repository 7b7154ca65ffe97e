"""The ledger: any rupiah in one minute, by a transaction, a receipt, a payout or an account."""

import uuid

from flask import abort, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

import ledger as books
from ledger import TransactionRecord
from marketplace import chart, db
from marketplace.enrolments import queries as enrolments
from marketplace.errors import NotFound
from marketplace.payouts import queries as payouts
from marketplace.web.finance.account_names import account_names
from marketplace.web.finance.accounts import is_account_code
from marketplace.web.finance.blueprint import pages
from marketplace.web.finance.journal import proof, sides
from marketplace.web.finance.money_words import family_words
from marketplace.web.finance.stories import tell

_FAMILY_SHOWN = 50


@pages.get("/buku-besar")
def ledger() -> str | Response:
    """Search by transaction, receipt, payout or account; without a search, the trial balance."""
    current = db.session()
    wanted = request.args.get("q", "").replace("\x00", "").strip()[:200]
    target = _target(current, wanted) if wanted else None
    if target:
        return redirect(target)
    trial = books.trial_balance(current)
    family = request.args.get("family", "")
    rows = sorted((row for row in trial.rows if row.family == family), key=lambda row: -row.balance)
    return render_template(
        "finance/ledger.html",
        wanted=wanted,
        trial=trial,
        equation=payouts.equation_of(trial),
        family=family if rows else None,
        accounts=rows[:_FAMILY_SHOWN],
        account_count=len(rows),
        names=account_names(current, [row.code for row in rows[:_FAMILY_SHOWN]]),
        family_words=family_words,
    )


@pages.get("/buku-besar/<label>")
def transaction(label: str) -> str:
    """One transaction: in one sentence, as a split, on its way, and as a journal."""
    current = db.session()
    record = _find_record(current, label)
    if record is None:
        abort(404)
    codes = {code for each in record.postings for code in (each.debit, each.credit)}
    names = account_names(current, codes)
    sealing = books.find_sealing(current, record.id)
    return render_template(
        "finance/transaction.html",
        label=chart.transaction_label(record.id),
        record=record,
        story=tell(current, record, names),
        postings=sides(current, record, names),
        proof=proof(record, sealing),
        is_sealed=sealing is not None,
        problem=books.verify_transaction(current, record.id),
        transaction_label=chart.transaction_label,
    )


def _target(session: Session, wanted: str) -> str | None:
    """The page that a search means, or None. What was only set aside is still in the balance it came from."""
    if ":" in wanted:
        return _account_target(session, wanted.lower())
    if wanted.lower().startswith("po_"):
        return _payout_target(session, wanted.lower())
    record = _find_record(session, wanted.lower())
    enrolment = None if record else enrolments.find_by_receipt(session, wanted)
    if enrolment and enrolment.hold_id and not enrolment.transaction_id:
        return _account_target(session, chart.benefit(enrolment.participant_id))
    if enrolment and enrolment.transaction_id:
        record = books.get_transaction(session, enrolment.transaction_id)
    return url_for("finance.transaction", label=chart.transaction_label(record.id)) if record else None


def _account_target(session: Session, code: str) -> str | None:
    if not is_account_code(code):
        return None
    try:
        books.balance(session, code)
    except books.UnknownAccount:
        return None
    return url_for("finance.account", code=code)


def _payout_target(session: Session, label: str) -> str | None:
    try:
        payout = payouts.get_payout(session, uuid.UUID(hex=label.removeprefix("po_")))
    except (ValueError, NotFound):
        return None
    return url_for("finance.payout", run_id=payout.run_id, payout_id=payout.id)


def _find_record(session: Session, label: str) -> TransactionRecord | None:
    try:
        return books.get_transaction(session, uuid.UUID(hex=label.removeprefix("txn_")))
    except (ValueError, books.UnknownTransaction):
        return None
