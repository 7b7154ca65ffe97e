"""One call to one database function: its answer as values, its refusals as the ledger's exceptions."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Row
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from ledger.errors import BY_CONSTRAINT, BY_SQLSTATE, LedgerError
from ledger.records import Posted


def call(session: Session, statement: str, parameters: Sequence[object]) -> Sequence[Row[Any]]:
    """Execute one statement with driver parameters in the session's transaction and return its rows.

    Raises the LedgerError that a refusal stands for; the transaction is then over, as after every
    database error. Deadlocks and lost connections come through as SQLAlchemy's own exceptions.
    """
    with refusals():
        # text() would parse and compile the statement at every call, which costs as much as the call
        return session.connection().exec_driver_sql(statement, tuple(parameters)).all()


def posted(row: Row[Any]) -> Posted:
    """Read the answer of a function that posts: id, replayed, commitment, codes and their balances."""
    balances = dict(zip(row.codes or (), row.balances or (), strict=True))
    return Posted(row.id, row.replayed, balances, row.commitment)


@contextmanager
def refusals() -> Iterator[None]:
    """Turn a refusal of the database into its LedgerError."""
    try:
        yield
    except DBAPIError as error:
        refusal = _refusal(error)
        if refusal is None:
            raise
        # without the cause: it quotes the parameters, and a personal part must not reach a log
        raise refusal from None


def _refusal(error: DBAPIError) -> LedgerError | None:
    diagnosis = getattr(error.orig, "diag", None)
    if diagnosis is None:
        return None
    refusal = BY_SQLSTATE.get(diagnosis.sqlstate) or BY_CONSTRAINT.get(diagnosis.constraint_name)
    if refusal is None:
        return None
    return refusal(diagnosis.message_primary, diagnosis.message_detail or None)
