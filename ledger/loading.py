"""Loads a full export into an empty ledger: the same transactions, the same leaves, the same roots.

Only the owner of the database can. The safeguards are off while this runs, inside one database transaction;
at its end everything is computed anew, and nothing stays unless it is sound.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from ledger import canonical
from ledger.archive import read
from ledger.errors import InvalidArchive
from ledger.verification import verify
from ledger.verify_receipt import VerifierKey, commitment

_BATCH = 1000
_TABLES = (
    "family", "flow", "account", "transaction", "posting", "personal", "balance", "closed_period", "erasure",
    "seal", "leaf", "tile", "checkpoint", "balance_seal", "cosignature", "adoption",
)  # fmt: skip
_IS_EMPTY = "SELECT NOT EXISTS (SELECT FROM ledger.account) AND NOT EXISTS (SELECT FROM ledger.seal)"
_SWITCH = "ALTER TABLE ledger.{table} {state} TRIGGER {trigger}"
_TRIGGERS = """
SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = 'ledger'::regnamespace AND NOT t.tgisinternal AND c.relname = ANY (:tables)
"""
# a row as to_json wrote it; families and flows may be there already, and must then be the same
_ROW = (
    "INSERT INTO ledger.{table} SELECT * FROM json_populate_record(NULL::ledger.{table}, CAST(:row AS json))"
)
_SAME = " ON CONFLICT DO NOTHING"
_ACCOUNT = """
INSERT INTO ledger.account OVERRIDING SYSTEM VALUE
SELECT * FROM json_populate_record(NULL::ledger.account, CAST(:row AS json))
"""
_TRANSACTION = """
INSERT INTO ledger.transaction (id, salt, position, effective_at, recorded_at, postings, kind, key,
    request_hash, commitment, settles, reverses, reference, personal_digest, metadata)
VALUES (:id, :salt, :position, :effective_at, :recorded_at, :postings, :kind, :key,
    :request_hash, :commitment, :settles, :reverses, :reference, :personal_digest, CAST(:metadata AS jsonb))
"""
_POSTING = """
INSERT INTO ledger.posting (transaction_id, position, debit_account, credit_account, seq, amount)
SELECT :id, :position, d.id, c.id, :seq, CAST(:amount AS numeric)
FROM ledger.account d, ledger.account c WHERE d.code = :debit AND c.code = :credit
"""
_PERSONAL = "INSERT INTO ledger.personal VALUES (:id, :salt, CAST(:content AS jsonb))"
_LEAF = "INSERT INTO ledger.leaf VALUES (:leaf, :id)"
_BALANCES = """
INSERT INTO ledger.balance (account_id, guarded_side, debits, credits)
SELECT a.id, CASE WHEN a.guard = 'none' THEN 0 WHEN a.kind IN ('asset', 'expense') THEN -1 ELSE 1 END,
    coalesce((SELECT sum(amount) FROM ledger.posting WHERE debit_account = a.id), 0),
    coalesce((SELECT sum(amount) FROM ledger.posting WHERE credit_account = a.id), 0)
FROM ledger.account a WHERE a.mode = 'counted'
"""
_AFTERWARDS = (
    _BALANCES,
    "SELECT ledger.fill_tiles(0, (SELECT count(*) FROM ledger.leaf))",
    "SELECT setval(pg_get_serial_sequence('ledger.account', 'id'), max(id)) FROM ledger.account",
    # what is written from now on comes after everything that was loaded
    "SELECT ledger.adopt()",
)


class _Basket:
    """Rows that wait to be written together."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._rows: dict[str, list[dict[str, Any]]] = {
            each: [] for each in (_TRANSACTION, _POSTING, _PERSONAL, _LEAF)
        }

    def add(self, statement: str, row: dict[str, Any]) -> None:
        """Keep a row; write all when there are many."""
        self._rows[statement].append(row)
        if len(self._rows[statement]) >= _BATCH:
            self.empty()

    def empty(self) -> None:
        """Write what waits."""
        for statement, rows in self._rows.items():
            if rows:
                self._session.execute(text(statement), rows)
                rows.clear()


def load(session: Session, lines: Iterable[str], keys: Sequence[VerifierKey] = ()) -> int:
    """Load a full export into an empty ledger and return the number of transactions.

    Checkpoints' signatures are checked where keys are given. Raises InvalidArchive where the ledger is not
    empty, personal parts are withheld, or what was loaded is not sound; roll back then.
    """
    if not session.scalar(text(_IS_EMPTY)):
        raise InvalidArchive("only an empty ledger can be loaded")
    basket = _Basket(session)
    _switch(session, "DISABLE")
    try:
        for document in read(lines):
            _load(session, basket, document)
        basket.empty()
        for statement in _AFTERWARDS:
            session.execute(text(statement))
    except (KeyError, TypeError, ValueError, IntegrityError, DataError) as error:
        # without the cause: a database error quotes the row, and personal parts must not reach a log
        raise InvalidArchive(f"this is no full export of a ledger ({type(error).__name__})") from None
    _switch(session, "ENABLE ALWAYS")
    report = verify(session, keys=keys)
    if report.problem is not None:
        raise InvalidArchive(f"what was loaded is not sound: {report.problem}")
    return report.transactions


def _load(session: Session, basket: _Basket, document: dict[str, Any]) -> None:
    if "transaction" in document:
        _load_transaction(basket, document)
    elif "seal" in document:
        basket.empty()
        _load_seal(session, document)
    else:
        ((table, row),) = document.items()
        if table not in _TABLES:
            raise InvalidArchive("this is no full export of a ledger", table[:50])
        statement = _ACCOUNT if table == "account" else _ROW.format(table=table)
        _insert(session, statement + (_SAME if table in ("family", "flow") else ""), row)


def _load_transaction(basket: _Basket, document: dict[str, Any]) -> None:
    transaction, personal = document["transaction"], document["personal"]
    head = {"id": transaction["id"], "position": document["position"], "leaf": document["leaf"]}
    digest = None
    if personal is not None:
        digest = bytes.fromhex(personal["digest"]) if "digest" in personal else _digest(personal)
    if personal is not None and "content" in personal:
        basket.add(_PERSONAL, head | personal)
    names = ("key", "kind", "effective_at", "recorded_at", "settles", "reverses", "reference", "metadata")
    rest = {name: transaction[name] for name in names} | {
        "salt": document["salt"],
        "postings": len(transaction["postings"]),
        "request_hash": bytes.fromhex(document["request_hash"]),
        "commitment": commitment(document),
        "personal_digest": digest,
    }
    basket.add(_TRANSACTION, head | rest)
    for seq, posting in enumerate(transaction["postings"], start=1):
        basket.add(_POSTING, head | {"seq": seq} | posting)
    basket.add(_LEAF, head)


def _digest(personal: dict[str, str]) -> bytes:
    return canonical.personal_digest(UUID(personal["salt"]), personal["content"])


def _load_seal(session: Session, document: dict[str, Any]) -> None:
    seal_id = document["seal"]["id"]
    _insert(session, _ROW.format(table="seal"), document["seal"])
    if document["balances"] is not None:
        _insert(session, _ROW.format(table="balance_seal"), document["balances"])
    note = {"seal_id": seal_id, "origin": document["origin"], "note": document["checkpoint"]}
    _insert(session, _ROW.format(table="checkpoint"), note)
    for witness in document["witnesses"] or ():
        _insert(session, _ROW.format(table="cosignature"), witness)


def _insert(session: Session, statement: str, row: dict[str, Any]) -> None:
    session.execute(text(statement), {"row": json.dumps(row)})


def _switch(session: Session, state: str) -> None:
    """Switch the safeguards of the tables off, or on again as they were: for everybody, always."""
    for table, trigger in session.execute(text(_TRIGGERS), {"tables": list(_TABLES)}).all():
        session.execute(text(_SWITCH.format(table=table, state=state, trigger=trigger)))
