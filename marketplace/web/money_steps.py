"""One purchase's money, step by step, from the ledger itself."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from ledger import TransactionRecord, find_transactions
from marketplace.enrolments.models import Enrolment
from marketplace.web.formatting import rupiah


@dataclass(frozen=True, slots=True)
class Step:
    """A ledger transaction in the buyer's words: what became of the money then."""

    record: TransactionRecord
    words: str
    at: datetime


def list_steps(session: Session, enrolment: Enrolment) -> list[Step]:
    """What happened to the money of an enrolment, oldest first. Empty for a free course."""
    if enrolment.transaction_id is None:
        return []
    records = find_transactions(session, reference=f"enrolment:{enrolment.id}")
    ordered = sorted(records, key=lambda record: record.recorded_at)
    return [Step(record, _words(record), record.effective_at) for record in ordered]


def _words(record: TransactionRecord) -> str:
    """Each place the money went to, with its sum."""
    if record.reverses is not None:
        amount = rupiah(sum((each.amount for each in record.postings), Decimal(0)))
        return _("Hasil dikoreksi: %(amount)s dihitung ulang", amount=amount)
    sums: dict[str, Decimal] = {}
    for posting in record.postings:
        place = _PLACE_OF.get(posting.credit.partition(":")[0], "other")
        sums[place] = sums.get(place, Decimal(0)) + posting.amount
    return ", ".join(_part(place, rupiah(sums[place])) for place in _ORDER if place in sums)


_PLACE_OF = {
    "escrow": "escrow",
    "payable": "provider",
    "fees": "provider",
    "benefit": "back",
    "fund": "state",
}
_ORDER = ("escrow", "provider", "back", "state", "other")


def _part(place: str, amount: str) -> str:
    return {
        "escrow": _("%(amount)s dititipkan di Bekal", amount=amount),
        "provider": _("%(amount)s menjadi hak lembaga", amount=amount),
        "back": _("%(amount)s kembali ke saldo Anda", amount=amount),
        "state": _("%(amount)s kembali ke negara", amount=amount),
        "other": _("%(amount)s berpindah", amount=amount),
    }[place]
