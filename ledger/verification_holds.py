"""Re-computes the holds: each is as it was asked for, its flow is allowed, its capture is its posting."""

from collections.abc import Generator
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from ledger import canonical

_BATCH = 2000
_HOLDS = """
SELECT h.id, h.key, h.kind, h.amount, h.expires_at, h.reference, h.request_hash, h.position,
    d.code AS debit, c.code AS credit, d.currency, c.currency AS credit_currency,
    f.kind IS NOT NULL AS is_allowed, r.outcome, r.captured,
    (t.kind, t.position, t.postings, p.debit_account, p.credit_account, p.amount)
        IS NOT DISTINCT FROM (h.kind, r.position, 1::smallint, h.account_id, h.credit_account, r.captured)
        AS is_its_posting
FROM ledger.hold h
LEFT JOIN ledger.account d ON d.id = h.account_id
LEFT JOIN ledger.account c ON c.id = h.credit_account
LEFT JOIN ledger.flow f ON f.kind = h.kind AND f.settles IS NULL
    AND f.debit_family = d.family AND f.credit_family = c.family
LEFT JOIN ledger.hold_resolution r ON r.hold_id = h.id
LEFT JOIN ledger.transaction t ON t.id = r.transaction_id
LEFT JOIN ledger.posting p ON p.transaction_id = t.id AND p.seq = 1
ORDER BY h.id
"""
_ORPHANS = """
SELECT r.hold_id::text FROM ledger.hold_resolution r
WHERE NOT EXISTS (SELECT FROM ledger.hold h WHERE h.id = r.hold_id)
ORDER BY r.hold_id LIMIT 1
"""


def hold_problems(session: Session) -> Generator[tuple[str, str], None, None]:
    """Yield the name of each bad hold and what is wrong with it, in the order of their ids."""
    with session.execute(text(_HOLDS), execution_options={"yield_per": _BATCH}) as rows:
        for row in rows:
            what = _what_is_wrong(row)
            if what is not None:
                yield f"{row.id} ({row.key})", what
    for orphan in session.scalars(text(_ORPHANS)):
        yield orphan, "it was resolved and does not exist"


def _what_is_wrong(row: Row[Any]) -> str | None:
    if row.debit is None or row.credit is None:
        return "it names an account that does not exist"
    if not row.is_allowed or row.currency != row.credit_currency:
        return f"its flow is not allowed: {row.kind} from {row.debit} to {row.credit}"
    lines = [canonical.line(row.debit, row.credit, row.currency, row.amount)]
    shared = canonical.content(row.kind, None, None, row.reference, None, lines)
    if canonical.hold_hash(row.key, row.expires_at, shared) != row.request_hash:
        return f"its content does not fit its request hash (now {row.amount} until {row.expires_at})"
    if row.outcome == "captured" and not row.is_its_posting:
        return "its capture is not the posting that was held"
    if row.outcome == "captured" and row.captured > row.amount:
        return f"{row.captured} were captured of {row.amount}"
    return None
