"""Changes one thing at random with a superuser's rights, every safeguard switched off, and takes it back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import TypeAlias

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tests.ledger.conftest import Database

Way: TypeAlias = Callable[[Connection, Random], str | None]
_TRIES = 100

PROTECTED = {
    "transaction": (
        "id", "salt", "position", "effective_at", "recorded_at", "postings", "kind", "key", "request_hash",
        "commitment", "settles", "reverses", "reference", "personal_digest",
    ),
    "posting": ("transaction_id", "position", "debit_account", "credit_account", "seq", "amount"),
    "balance": ("account_id", "guarded_side", "debits", "credits", "held"),
    "account": ("code", "kind", "guard", "mode", "currency"),
    "hold": (
        "expires_at", "account_id", "credit_account", "amount", "kind", "key", "request_hash", "reference",
    ),
    "hold_resolution": ("hold_id", "captured", "transaction_id"),
    "rollup": ("account_id", "debits", "credits"),
    "seal": ("id", "tree_size", "root"),
    "leaf": ("number", "transaction_id"),
    "tile": ("level", "number", "root", "hashes"),
    "checkpoint": ("seal_id", "origin", "note"),
    "personal": ("transaction_id", "salt"),
    "balance_seal": ("seal_id", "accounts", "secret", "root"),
    "erasure": ("transaction_id",),
    "family": ("name", "currency"),
    "flow": ("kind", "debit_family", "credit_family", "settles"),
}  # fmt: skip
"""Every bit of these is found out; test_tampering.py says why the other columns are left."""

HELD_TOGETHER = (
    "transaction", "posting", "balance", "hold", "hold_resolution", "seal", "leaf", "tile", "checkpoint",
    "personal", "balance_seal", "erasure",
)  # fmt: skip
"""A row of these is missed; a roll-up that is gone is only slower to read without."""

# one bit of a value, by type
_FLIPS = {
    "bytea": "set_bit({0}, {1} % (8 * length({0})), 1 - get_bit({0}, {1} % (8 * length({0}))))",
    "uuid": "encode(set_bit(uuid_send({0}), {1} % 128, 1 - get_bit(uuid_send({0}), {1} % 128)), 'hex')::uuid",
    "bigint": "{0} # (1::bigint << ({1} % 40))",
    "integer": "{0} # (1 << ({1} % 30))",
    "smallint": "({0}::integer # (1 << ({1} % 9)))::smallint",
    "numeric": "(({0} * 100)::bigint # (1::bigint << ({1} % 40))) / 100.0",
    "timestamp with time zone": "{0} + (1::bigint << ({1} % 40)) * interval '1 microsecond'",
    "text": "overlay({0} placing chr(ascii(substr({0}, {1} % length({0}) + 1, 1)) # 1)"
    " FROM {1} % length({0}) + 1 FOR 1)",
}

# an account, a family or a flow that nobody used is no history
_USED = {
    "account": "id IN (SELECT debit_account FROM ledger.posting)",
    "family": "name IN (SELECT family FROM ledger.account)",
    "flow": "(kind, debit_family, credit_family) IN (SELECT t.kind, d.family, c.family"
    " FROM ledger.transaction t JOIN ledger.posting p ON p.transaction_id = t.id AND t.reverses IS NULL"
    " JOIN ledger.account d ON d.id = p.debit_account JOIN ledger.account c ON c.id = p.credit_account)",
}


@contextmanager
def tampered(database: Database, luck: Random, *ways: Way) -> Iterator[tuple[Session, str]]:
    """The ledger with one change in it, as one session sees it, and what was changed; then as it was."""
    with database.superuser.connect() as superuser:
        superuser.execute(text("SET LOCAL session_replication_role = replica"))
        tries = (luck.choice(ways or WAYS)(superuser, luck) for _ in range(_TRIES))
        what = next((each for each in tries if each is not None), None)
        assert what is not None, "there was nothing to tamper with"
        with Session(superuser) as session:
            yield session, what
        superuser.rollback()


def flip(superuser: Connection, luck: Random) -> str | None:
    """One bit of one value, or no such row."""
    table = luck.choice(list(PROTECTED))
    return flip_in(superuser, table, luck.choice(PROTECTED[table]), luck)


def flip_in(superuser: Connection, table: str, column: str, luck: Random) -> str | None:
    """One bit of a value in this column; None where none is there, or a CHECK stands in the way."""
    kind = superuser.scalar(
        text(
            "SELECT data_type FROM information_schema.columns"
            " WHERE table_schema = 'ledger' AND table_name = :table AND column_name = :column"
        ),
        {"table": table, "column": column},
    )
    row = _row(superuser, table, luck, f"{column} IS NOT NULL AND {_USED.get(table, 'true')}")
    bit = luck.randrange(4096)
    flipped = _FLIPS[kind or ""].format(column, bit)
    what = f"UPDATE ledger.{table} SET {column} = {flipped} WHERE ctid = '{row}' AND {column} <> {flipped}"
    return what if row and _run(superuser, table, what) else None


def delete(superuser: Connection, luck: Random) -> str | None:
    """One row."""
    return delete_from(superuser, luck, luck.choice(HELD_TOGETHER))


def delete_from(superuser: Connection, luck: Random, table: str) -> str | None:
    """One row of this table."""
    row = _row(superuser, table, luck)
    what = f"DELETE FROM ledger.{table} WHERE ctid = '{row}'"
    return what if row and _run(superuser, table, what) else None


def reorder(superuser: Connection, luck: Random) -> str | None:
    """Two leaves change places, or two commitments."""
    table, columns = luck.choice((("leaf", ("transaction_id",)), ("transaction", ("commitment", "salt"))))
    one, other = (_row(superuser, table, luck) for _ in range(2))
    if one == other:
        return None
    if table == "leaf":
        superuser.execute(text("ALTER TABLE ledger.leaf DROP CONSTRAINT uq_leaf_transaction_id"))
    changes = ", ".join(f"{column} = o.{column}" for column in columns)
    pairs = f"(t.ctid, o.ctid) IN (('{one}', '{other}'), ('{other}', '{one}'))"
    what = f"UPDATE ledger.{table} t SET {changes} FROM ledger.{table} o WHERE {pairs}"
    return what if _run(superuser, table, what) else None


def cut_the_tail(superuser: Connection, luck: Random) -> str | None:
    """The last seal with all that belongs to it, so that nothing inside betrays it."""
    last = superuser.scalar(text("SELECT max(id) FROM ledger.seal"))
    if last is None:
        return None
    before = f"(SELECT coalesce(max(tree_size), 0) FROM ledger.seal WHERE id < {last})"
    for table, where in (
        ("leaf", f"number >= {before}"),
        ("tile", f"(number + 1) * power(256, level + 1) > {before}"),
        ("checkpoint", f"seal_id = {last}"),
        ("balance_seal", f"seal_id = {last}"),
        ("seal", f"id = {last}"),
    ):
        _run(superuser, table, f"DELETE FROM ledger.{table} WHERE {where}")
    return f"seal {last} was cut off"


WAYS: tuple[Way, ...] = (flip, flip, flip, flip, delete, delete, reorder, cut_the_tail)


def _row(superuser: Connection, table: str, luck: Random, where: str = "true") -> str | None:
    rows = superuser.scalars(text(f"SELECT ctid::text FROM ledger.{table} WHERE {where} ORDER BY ctid")).all()
    return luck.choice(rows) if rows else None


def _run(superuser: Connection, table: str, statement: str) -> bool:
    """Whether it changed anything; a constraint that is not a trigger may still refuse it."""
    superuser.execute(text(f"ALTER TABLE ledger.{table} DISABLE TRIGGER ALL"))
    savepoint = superuser.begin_nested()
    try:
        done = superuser.execute(text(statement.replace(":", r"\:"))).rowcount > 0
    except DBAPIError:
        savepoint.rollback()
        return False
    savepoint.commit()
    return done
