"""A transaction's postings as the journal shows them, and what proves them."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy.orm import Session

import ledger
from ledger import Sealing, TransactionRecord
from marketplace import clock
from marketplace.web.formatting import exact_moment, number, rupiah

_PERSONAL = ("benefit:", "cash:")
"""Accounts of one person have few lines, so the balance after a posting is counted for the page."""


def sides(session: Session, record: TransactionRecord, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Each posting with both accounts and, for a person's account, the balance after it."""
    codes = {code for each in record.postings for code in (each.debit, each.credit)}
    after = {code: balance_after(session, record, code) for code in codes if code.startswith(_PERSONAL)}
    return [
        {
            "debit": (each.debit, names[each.debit], _account_href(each.debit, record)),
            "credit": (each.credit, names[each.credit], _account_href(each.credit, record)),
            "amount": each.amount,
            "debit_after": after.get(each.debit) if each.debit in after else _count_link(each.debit, record),
            "credit_after": after.get(each.credit)
            if each.credit in after
            else _count_link(each.credit, record),
        }
        for each in record.postings
    ]


def balance_after(session: Session, record: TransactionRecord, code: str) -> Decimal | None:
    """An account's balance right after a transaction, by its statement."""
    end = record.effective_at + timedelta(microseconds=1)
    lines = ledger.statement(session, code, None, end).lines
    own = [line.balance for line in lines if line.transaction_id == record.id]
    return own[-1] if own else None


def proof(record: TransactionRecord, sealing: Sealing | None) -> list[tuple[str, Any]]:
    """What can be checked of a transaction: digest, database, and its place in the public log."""
    debits = sum((each.amount for each in record.postings), Decimal(0))
    digest = record.commitment.hex()
    return [
        (_("Debit sama dengan kredit"), f"{rupiah(debits)} = {rupiah(debits)}"),
        (
            _("Sidik catatan"),
            Markup('<span class="kode">{} {} … {}</span>').format(digest[:8], digest[8:16], digest[-8:]),
        ),
        (
            _("Tercatat di basis data"),
            _(
                "%(when)s; basis data menolak perubahan dan penghapusan",
                when=exact_moment(record.recorded_at),
            ),
        ),
        *_sealed(sealing),
    ]


def _sealed(sealing: Sealing | None) -> list[tuple[str, str]]:
    if sealing is None:
        return []
    return [
        (
            _("Catatan ke-%(number)s", number=number(sealing.number)),
            _(
                "disegel %(when)s, pohon %(size)s catatan",
                when=exact_moment(sealing.sealed_at),
                size=number(sealing.size),
            ),
        )
    ]


def _account_href(code: str, record: TransactionRecord) -> str:
    day = clock.local_date(record.effective_at).isoformat()
    days: dict[str, Any] = {"from": day, "to": day}
    return url_for("finance.account", code=code, **days)


def _count_link(code: str, record: TransactionRecord) -> Markup:
    """Accounts that many share are counted only when somebody asks."""
    return Markup('<a href="{}">{}</a>').format(_account_href(code, record), _("Hitung"))
