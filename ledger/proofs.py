"""Proofs to take away: documents that ledger/verify_receipt.py checks without asking anybody."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from ledger import merkle
from ledger.errors import NotSealed, UnknownAccount, UnknownTransaction
from ledger.sealing import get_seal, get_seal_of, published_note
from ledger.tiles import StoredTree

Document: TypeAlias = dict[str, Any]

# the one place that says how a transaction is written where others read it
CONTENT = """
SELECT t.id, t.key, t.kind, t.salt, t.effective_at, t.recorded_at, t.settles, t.reverses, t.reference,
    t.metadata::text AS metadata, t.personal_digest, p.salt AS personal_salt, p.content::text AS personal,
    l.number AS leaf, t.position, x.postings
FROM ledger.transaction t
LEFT JOIN ledger.leaf l ON l.transaction_id = t.id
LEFT JOIN ledger.personal p ON p.transaction_id = t.id
CROSS JOIN LATERAL (
    SELECT json_agg(json_build_object('debit', d.code, 'credit', c.code, 'currency', d.currency,
        'amount', q.amount::text) ORDER BY q.seq) AS postings
    FROM ledger.posting q JOIN ledger.account d ON d.id = q.debit_account
    JOIN ledger.account c ON c.id = q.credit_account
    WHERE q.transaction_id = t.id
) x
"""
_SEALING = """
SELECT l.number, s.sealed_at, s.tree_size AS size
FROM ledger.leaf l CROSS JOIN LATERAL (
    SELECT s.sealed_at, s.tree_size FROM ledger.seal s JOIN ledger.checkpoint c ON c.seal_id = s.id
    WHERE s.tree_size > l.number ORDER BY s.tree_size LIMIT 1
) s
WHERE l.transaction_id = :id
"""
_BALANCES = """
SELECT h.number, a.code, a.currency, h.debits, h.credits, h.salt, h.hash
FROM ledger.balance_seal b JOIN ledger.seal s ON s.id = b.seal_id
CROSS JOIN LATERAL ledger.balance_hashes(s.through, b.secret) h
JOIN ledger.account a ON a.id = h.account_id
WHERE b.seal_id = :id ORDER BY h.number
"""


@dataclass(frozen=True, slots=True)
class Sealing:
    """Where a transaction stands in the public log: entry ``number`` (from 0), under a tree of ``size``."""

    number: int
    sealed_at: datetime
    size: int


def find_sealing(session: Session, transaction_id: UUID) -> Sealing | None:
    """Return where and when a transaction was sealed, or None while it waits."""
    row = session.execute(text(_SEALING), {"id": transaction_id}).one_or_none()
    return Sealing(row.number, row.sealed_at, row.size) if row else None


def get_receipt(session: Session, transaction_id: UUID, *, personal: bool = False) -> Document:
    """Return a transaction with its salts and the proof that it is in the signed log.

    With ``personal`` its personal part is shown too, where it was not erased; else only its digest. Raises
    UnknownTransaction, and NotSealed while no checkpoint reaches it.
    """
    row = session.execute(text(CONTENT + "WHERE t.id = :id"), {"id": transaction_id}).one_or_none()
    if row is None:
        raise UnknownTransaction("no such transaction", str(transaction_id))
    if row.leaf is None:
        raise NotSealed("the transaction is not sealed yet", str(transaction_id))
    seal = get_seal(session, holding=row.leaf)
    path = merkle.inclusion_path(row.leaf, seal.size, StoredTree(session, seal.size).read)
    return {
        "format": "bekal-receipt/1",
        **written(row, personal=personal),
        "path": _path(path),
        "checkpoint": published_note(session, seal),
    }


def get_balance_receipt(session: Session, code: str) -> Document:
    """Return what an account had been debited and credited when balances were sealed last, with its proof.

    Reads every sealed balance. Raises NotSealed where none are sealed, and UnknownAccount where the account
    had moved no money by then.
    """
    seal = get_seal(session, balances=True)
    hashes, ours = [], None
    for row in session.execute(text(_BALANCES), {"id": seal.id}):
        hashes.append(bytes(row.hash))
        ours = row if row.code == code else ours
    if ours is None:
        raise UnknownAccount("no balance of this account is sealed", code)
    path = merkle.inclusion_path(ours.number, len(hashes), lambda node: _subtree(hashes, node))
    return {
        "format": "bekal-balance/1",
        "balance": {
            "account": code,
            "currency": ours.currency,
            "debits": f"{ours.debits:.2f}",
            "credits": f"{ours.credits:.2f}",
        },
        "salt": bytes(ours.salt).hex(),
        "leaf": ours.number,
        "path": _path(path),
        "checkpoint": published_note(session, seal),
    }


def get_growth(session: Session, old_size: int) -> Document:
    """Return the proof that the newest checkpoint only adds to the one of ``old_size``. Raises NotSealed."""
    old = get_seal_of(session, old_size)
    new = get_seal(session, newest=True)
    path = merkle.consistency_path(old.size, new.size, StoredTree(session, new.size).read)
    return {
        "format": "bekal-growth/1",
        "old": published_note(session, old),
        "new": published_note(session, new),
        "path": _path(path),
    }


def proof_text(document: Document) -> str:
    """Write a proof as the file that is given away; written otherwise, to the last space, it is refused."""
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def written(row: Row[Any], *, personal: bool) -> Document:
    """Write a row of CONTENT as receipts and exports have it: everything that is hashed, and the salts."""
    moments = {name: _instant(getattr(row, name)) for name in ("effective_at", "recorded_at")}
    originals = {name: _text(getattr(row, name)) for name in ("settles", "reverses")}
    return {
        "transaction": {
            "id": str(row.id),
            "key": row.key,
            "kind": row.kind,
            **moments,
            **originals,
            "reference": row.reference,
            "metadata": row.metadata,
            "postings": row.postings,
        },
        "salt": str(row.salt),
        "personal": _personal(row, personal),
        "leaf": row.leaf,
    }


def _personal(row: Row[Any], is_shown: bool) -> Mapping[str, str] | None:
    if row.personal_digest is None:
        return None
    if is_shown and row.personal is not None:
        return {"salt": str(row.personal_salt), "content": row.personal}
    return {"digest": bytes(row.personal_digest).hex()}


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _path(path: Sequence[bytes]) -> list[str]:
    return [base64.b64encode(each).decode() for each in path]


def _subtree(hashes: Sequence[bytes], node: merkle.Subtree) -> bytes:
    height, number = node
    return merkle.hash_of(hashes[number << height : (number + 1) << height])
