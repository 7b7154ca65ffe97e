"""Raw SQL against the ledger: what an attacker with a role's connection would type."""

from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tests.ledger.books import ANI, SCHOOL, funded, purchase
from tests.ledger.conftest import Database

# a transaction and its posting in one statement, as the ledger's functions write them
WRITE = """
WITH t AS (
    INSERT INTO ledger.transaction (
        id, salt, position, effective_at, recorded_at, postings, kind, key, request_hash, commitment,
        settles, reverses)
    SELECT gen_random_uuid(), gen_random_uuid(), pg_current_xact_id()::text::bigint + :shift, ledger.now(),
        clock_timestamp(), :postings, :kind, gen_random_uuid()::text, '', '',
        (SELECT id FROM ledger.transaction WHERE key = :settles),
        (SELECT id FROM ledger.transaction WHERE key = :reverses)
    RETURNING id, position
)
INSERT INTO ledger.posting (transaction_id, position, debit_account, credit_account, seq, amount)
SELECT t.id, t.position, coalesce((SELECT id FROM ledger.account WHERE code = :debit), 0),
    coalesce((SELECT id FROM ledger.account WHERE code = :credit), 0), :seq, CAST(:amount AS numeric)
FROM t
"""
PURCHASE: dict[str, Any] = {
    "shift": 0,
    "postings": 1,
    "kind": "purchase",
    "settles": None,
    "reverses": None,
    "debit": ANI,
    "credit": SCHOOL,
    "seq": 1,
    "amount": "100",
}
REPLICA = "SET session_replication_role = replica"


def bought(database: Database) -> None:
    """Books with one grant and one purchase in them, committed."""
    with Session(database.app) as session:
        funded(session)
        purchase(session, 500_000)
        session.commit()


def state_of(
    engine: Engine, statement: str, parameters: dict[str, Any] | None = None, before: str = ""
) -> str:
    """Run a statement and commit; return the SQLSTATE of its refusal, or "done"."""
    try:
        with engine.begin() as connection:
            if before:
                connection.execute(text(before))
            connection.execute(text(statement), parameters or {})
    except DBAPIError as error:
        return str(getattr(error.orig, "sqlstate", "lost"))
    return "done"
