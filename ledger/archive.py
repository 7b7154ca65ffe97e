"""The whole sealed history in one file, and back: JSON lines that ledger/verify_receipt.py checks too.

Accounts first; then the transactions in the order of their leaves, each with its salts; after the last leaf
of a seal its checkpoint. Read inside one REPEATABLE READ transaction. Holds are promises, not history, and
are left out; so is what is not sealed.
"""

import json
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from ledger.proofs import CONTENT, Document, written

_BATCH = 1000
FORMAT = "bekal-export/1"
# rows that are carried over as they are, in the order in which they are needed
_WHOLE = {
    "family": "SELECT to_json(f) FROM ledger.family f ORDER BY name",
    "flow": "SELECT to_json(f) FROM ledger.flow f ORDER BY kind, debit_family, credit_family",
    "account": "SELECT to_json(a) FROM ledger.account a ORDER BY id",
}
_AFTERWARDS = {
    "closed_period": "SELECT to_json(p) FROM ledger.closed_period p ORDER BY closed_before",
    # by how much positions were raised is the old cluster's affair; what was lost is history
    "adoption": "SELECT to_json(a) FROM ledger.adoption a WHERE origin IS NOT NULL ORDER BY id",
    "erasure": """
        SELECT to_json(e) FROM ledger.erasure e JOIN ledger.leaf l ON l.transaction_id = e.transaction_id
        ORDER BY l.number""",
}
_TOTAL = "SELECT max(s.tree_size) FROM ledger.seal s JOIN ledger.checkpoint c ON c.seal_id = s.id"
_SEALS = """
SELECT to_json(s) AS seal, s.tree_size, c.origin, c.note AS checkpoint, to_json(b) AS balances,
    (
        SELECT json_agg(to_json(w) ORDER BY w.witness) FROM ledger.cosignature w WHERE w.seal_id = s.id
    ) AS witnesses
FROM ledger.seal s JOIN ledger.checkpoint c ON c.seal_id = s.id
LEFT JOIN ledger.balance_seal b ON b.seal_id = s.id ORDER BY s.id
"""
_LEAVES = f"""
SELECT x.*, t.request_hash FROM ({CONTENT} WHERE l.number IS NOT NULL) x
JOIN ledger.transaction t ON t.id = x.id ORDER BY x.leaf
"""  # noqa: S608 - a constant put together from constants


def dump(
    session: Session, *, personal: bool = False, progress: Callable[[int, int], None] | None = None
) -> Iterator[str]:
    """Yield the lines of a full export of everything that is sealed.

    ``personal`` includes personal parts, without which the export can be checked but not loaded; else their
    digests stand in their place. ``progress`` is told at each seal how many transactions are written, and of
    how many.
    """
    total = session.scalar(text(_TOTAL)) or 0
    yield _line({"format": FORMAT})
    yield from _rows(session, _WHOLE)
    options = {"yield_per": _BATCH}
    with (
        session.execute(text(_SEALS), execution_options=options) as seals,
        session.execute(text(_LEAVES), execution_options=options) as leaves,
    ):
        number = 0
        for seal in seals:
            while number < seal.tree_size:
                row = next(leaves)
                more = {"position": row.position, "request_hash": bytes(row.request_hash).hex()}
                yield _line(written(row, personal=personal) | more)
                number += 1
            names = ("seal", "origin", "checkpoint", "balances", "witnesses")
            yield _line({name: getattr(seal, name) for name in names})
            if progress is not None:
                progress(number, total)
    yield from _rows(session, _AFTERWARDS)


def _rows(session: Session, queries: dict[str, str]) -> Generator[str, None, None]:
    for name, query in queries.items():
        for row in session.scalars(text(query)):
            yield _line({name: row})


def _line(document: Document) -> str:
    return json.dumps(document, ensure_ascii=False) + "\n"


def read(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield the documents of a full export. Raises ValueError where it is none."""
    documents: Iterator[dict[str, Any]] = map(json.loads, lines)
    if next(documents, {}).get("format") != FORMAT:
        raise ValueError("this is no full export of a ledger")
    yield from documents
