"""One call to one database function: its answer as values, its refusals as the ledger's exceptions."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Row
from sqlalchemy.engine.interfaces import DBAPIModule
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


def call_posting(session: Session, statement: str, parameters: Sequence[object]) -> list[Posted]:
    """Call a function that posts, which answers id, replayed, commitment, codes and their balances.

    Raises what call() raises. The driver's own cursor is used: what SQLAlchemy's would do on top of it, for
    results of every kind, takes a fifth of the time of a posting.
    """
    connection = session.connection()
    cursor = connection.connection.cursor()
    try:
        cursor.execute(statement, parameters)
        return [
            Posted(transaction_id, replayed, dict(zip(codes or (), balances or (), strict=True)), commitment)
            for transaction_id, replayed, commitment, codes, balances in cursor.fetchall()
        ]
    except connection.dialect.loaded_dbapi.Error as error:
        raise _translated(connection, statement, error) from None
    finally:
        cursor.close()


@contextmanager
def refusals() -> Iterator[None]:
    """Turn a refusal of the database into its LedgerError."""
    try:
        yield
    except DBAPIError as error:
        refusal = _refusal(error.orig)
        if refusal is None:
            raise
        # without the cause: it quotes the parameters, and a personal part must not reach a log
        raise refusal from None


def _translated(connection: Connection, statement: str, error: DBAPIModule.Error) -> Exception:
    """The LedgerError of a driver's error, or the exception that SQLAlchemy would have made of it."""
    refusal = _refusal(error)
    if refusal is not None:
        return refusal
    dialect = connection.dialect
    is_lost = dialect.is_disconnect(error, connection.connection.dbapi_connection, None)
    if is_lost:
        connection.invalidate(error)
    # without the parameters, among which a personal part may be
    return DBAPIError.instance(
        statement, None, error, dialect.loaded_dbapi.Error, connection_invalidated=is_lost, dialect=dialect
    )


def _refusal(error: BaseException | None) -> LedgerError | None:
    diagnosis = getattr(error, "diag", None)
    if diagnosis is None:
        return None
    refusal = BY_SQLSTATE.get(diagnosis.sqlstate) or BY_CONSTRAINT.get(diagnosis.constraint_name)
    if refusal is None:
        return None
    return refusal(diagnosis.message_primary, diagnosis.message_detail or None)
