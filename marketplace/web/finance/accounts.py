"""One account's statement: every line between an opening and a closing balance."""

import re
from dataclasses import dataclass
from datetime import date, timedelta

from flask import Response, abort, render_template, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

import ledger
from marketplace import chart, clock, db
from marketplace.web.downloads import csv_file
from marketplace.web.finance.account_names import account_names
from marketplace.web.finance.blueprint import pages
from marketplace.web.state_words import kind_words

_CODE = re.compile(r"[a-z][a-z0-9_]*:[a-z0-9_.-]+")
_DAYS = 30
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Span:
    """The days asked for, both included; `problem` when what was typed is no span of days."""

    first: date
    last: date
    problem: str | None = None


@pages.get("/buku-besar/akun/<code>")
def account(code: str) -> str:
    """An account's lines of some days, oldest first."""
    current = db.session()
    span = read_span(clock.today(current))
    found = _statement(current, code, span)
    shown = found.lines[:_SHOWN]
    names = account_names(current, {code, *(line.counterpart for line in shown)})
    return render_template(
        "finance/account.html",
        code=code,
        names=names,
        statement=found,
        set_aside=ledger.balance(current, code) - ledger.available(current, code),
        lines=shown,
        span=span,
        kind_words=kind_words,
        label=chart.transaction_label,
    )


@pages.get("/buku-besar/akun/<code>.csv")
def account_csv(code: str) -> Response:
    """All of the same lines as a file."""
    current = db.session()
    span = read_span(clock.today(current))
    found = _statement(current, code, span)
    head = [
        _("Berlaku"),
        _("Catatan"),
        _("Kejadian"),
        _("Rujukan"),
        _("Akun lawan"),
        _("Nominal"),
        _("Saldo"),
    ]
    rows = [
        [
            line.effective_at,
            chart.transaction_label(line.transaction_id),
            kind_words(line.kind),
            line.reference,
            line.counterpart,
            line.amount,
            line.balance,
        ]
        for line in found.lines
    ]
    return csv_file(f"{code.replace(':', '-')}-{span.first}-{span.last}", head, rows)


def read_span(today: date) -> Span:
    """The days in the address; without any, the last thirty."""
    usual = Span(today - timedelta(days=_DAYS), today)
    given = (request.args.get("from", "").strip(), request.args.get("to", "").strip())
    if not any(given):
        return usual
    try:
        first, last = (
            date.fromisoformat(text) if text else other
            for text, other in zip(given, (usual.first, usual.last), strict=True)
        )
    except ValueError:
        return Span(usual.first, usual.last, _("Tulis tanggal seperti 2026-11-23."))
    if not date(2000, 1, 1) <= first <= last < date(9999, 1, 1):
        return Span(usual.first, usual.last, _("Tanggal awal harus sebelum tanggal akhir."))
    return Span(first, last)


def is_account_code(text: str) -> bool:
    """Whether a text has the shape of an account's code."""
    return _CODE.fullmatch(text) is not None


def _statement(session: Session, code: str, span: Span) -> ledger.Statement:
    if not is_account_code(code):
        abort(404)
    start = clock.start_of_day(span.first)
    try:
        return ledger.statement(session, code, start, clock.start_of_day(span.last + timedelta(days=1)))
    except ledger.UnknownAccount:
        abort(404)
