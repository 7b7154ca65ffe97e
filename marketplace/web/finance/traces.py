"""The way of a rupiah as boxes, for the trace macro."""

from decimal import Decimal
from typing import Any

from flask import url_for
from flask_babel import gettext as _

from ledger import TransactionRecord
from marketplace import chart
from marketplace.web.finance.money_words import place_words
from marketplace.web.formatting import short_date
from marketplace.web.state_words import kind_words

Box = dict[str, Any]
Stages = list[list[Box]]


def box(record: TransactionRecord, here: TransactionRecord) -> Box:
    """One transaction; the one whose page this is stands out and is no link."""
    is_here = record.id == here.id
    amount = sum((each.amount for each in record.postings), Decimal(0))
    return {
        "when": f"{short_date(record.effective_at)}, {kind_words(record.kind).lower()}",
        "amount": amount,
        "what": _("halaman ini") if is_here else flow_words(record),
        "href": None if is_here else url_for("finance.transaction", label=chart.transaction_label(record.id)),
        "now": is_here,
    }


def pending_box(when: str, amount: Decimal, what: str | None = None) -> Box:
    """What has not happened yet."""
    return {"when": when, "amount": amount, "what": what, "pending": True}


def flow_words(record: TransactionRecord) -> str:
    """`saldo peserta ke titipan`: from where to where, by families."""
    sources = {each.debit.partition(":")[0] for each in record.postings}
    targets = list(dict.fromkeys(each.credit.partition(":")[0] for each in record.postings))
    source = ", ".join(place_words(family) for family in sorted(sources))
    target = ", ".join(place_words(family) for family in targets)
    return _("%(source)s ke %(target)s", source=source, target=target)
