"""The database session, and the only place that commits.

Services flush; edges (a view, a command, a task) open `transaction()`. One unit of work is one
transaction, and nothing that waits on the network happens inside it.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import psycopg
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from ledger import Base
from marketplace.errors import MarketplaceError

db = SQLAlchemy(metadata=Base.metadata)

T = TypeVar("T")

_ATTEMPTS = 5
_OPEN = "bekal.transaction_open"
OFFSET = "bekal.programme_offset"
MIGRATIONS = Path(__file__).resolve().parents[1] / "migrations"


def attach(app: Flask) -> None:
    """Give an application its database."""
    db.init_app(app)
    with app.app_context():
        event.listen(db.engine, "rollback", _end_reading)


def session() -> Session:
    """The session of this request, task or command, for reading."""
    return db.session()


@contextmanager
def transaction() -> Iterator[Session]:
    """Commit what the block did, or nothing of it.

    A refusal that is `recorded` is committed too, then raised on: a wrong sign-in code counts.
    What was read before is forgotten first, so that a decision never rests on a stale row.
    Raises RuntimeError when opened inside itself: an inner commit would break the outer promise.
    """
    current = db.session()
    if current.info.get(_OPEN):
        raise RuntimeError("transaction() is already open: services flush, edges commit")
    current.rollback()
    current.info.pop(OFFSET, None)
    current.info[_OPEN] = True
    try:
        yield current
        current.commit()
    except MarketplaceError as refusal:
        if refusal.recorded:
            current.commit()
        else:
            current.rollback()
        raise
    except BaseException:
        current.rollback()
        raise
    finally:
        current.info.pop(_OPEN, None)


def run_in_transaction(work: Callable[[Session], T]) -> T:
    """Run `work` in a transaction of its own; repeat it when PostgreSQL asks for that.

    Deadlocks and serialization failures are PostgreSQL's way of saying "again, please": the block
    had no effect, so it is run anew, after a short random pause, up to five times.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with transaction() as current:
                return work(current)
        except DBAPIError as error:
            if attempt == _ATTEMPTS or not _wants_another_try(error):
                raise
            time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311 - jitter, not a secret
    raise AssertionError("unreachable: the last attempt returns or raises")


def find_missing_migration(session: Session) -> str | None:
    """The newest migration when the database is at another one, else None."""
    is_migrated = session.scalar(text("SELECT to_regclass('alembic_version') IS NOT NULL"))
    found = session.scalar(text("SELECT version_num FROM alembic_version")) if is_migrated else None
    return None if found == _newest_migration() else _newest_migration()


@cache
def _newest_migration() -> str:
    """By the files' names: they begin with the revision, and each follows the one before."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def _end_reading(connection: Connection) -> None:
    """End a transaction that wrote nothing by COMMIT, to which ROLLBACK then makes no difference.

    At a ROLLBACK psycopg forgets all that it has prepared, and PostgreSQL plans the statements of every page
    anew, which takes it twice as long as running them. See docs/decisions/0047.
    """
    raw = cast("psycopg.Connection[Any]", connection.connection.dbapi_connection)
    if raw.info.transaction_status is not TransactionStatus.INTRANS:
        return
    if raw.execute("SELECT pg_current_xact_id_if_assigned()").fetchone() == (None,):
        raw.commit()


def _wants_another_try(error: DBAPIError) -> bool:
    return isinstance(error.orig, psycopg.errors.DeadlockDetected | psycopg.errors.SerializationFailure)
