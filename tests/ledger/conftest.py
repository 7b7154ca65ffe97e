"""Databases that hold the ledger alone, with a chart of accounts of their own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from psycopg import sql
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.orm import Session

from tests.ledger.books import FAMILIES, FLOWS, open_books
from tests.servers import APPLICATION, OWNER, Servers

SCHEMA = Path(__file__).resolve().parents[2] / "ledger" / "schema.sql"
_numbers = count(1)


class Database:
    """One throw-away database, as seen by the application, the owner and the superuser."""

    def __init__(self, servers: Servers, name: str) -> None:
        self.name = name
        admin = make_url(servers.admin_url).set(database=name)
        self.app = create_engine(servers.url(APPLICATION, name), pool_size=20)
        self.owner = create_engine(servers.url(OWNER, name))
        self.superuser = create_engine(admin.render_as_string(hide_password=False))

    def dispose(self) -> None:
        for engine in (self.app, self.owner, self.superuser):
            engine.dispose()


def create_database(servers: Servers, template: str | None = None) -> str:
    """Make a database owned by the owner's role and return its name."""
    name = f"{servers.prefix}_ledger_{os.getpid()}_{next(_numbers)}"
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {} STRATEGY FILE_COPY")
    names = [sql.Identifier(each) for each in (name, template or "template0", OWNER)]
    with servers.admin() as connection:
        connection.execute(statement.format(*names))
    return name


def run_sql(servers: Servers, name: str, script: str) -> None:
    """Run a script as the owner."""
    engine = create_engine(servers.url(OWNER, name))
    with engine.begin() as connection:
        connection.exec_driver_sql(script, execution_options={"no_parameters": True})
    engine.dispose()


@pytest.fixture(scope="session")
def ledger_template(servers: Servers) -> Iterator[str]:
    """A database with schema.sql, the families and flows of the tests, and the usual accounts open."""
    name = create_database(servers)
    run_sql(servers, name, SCHEMA.read_text())
    engine = create_engine(servers.url(OWNER, name))
    with Session(engine) as session:
        session.execute(
            text("INSERT INTO ledger.family VALUES (:name, :kind, :guard, :mode, :currency)"), FAMILIES
        )
        session.execute(text("INSERT INTO ledger.flow VALUES (:kind, :debit, :credit, :settles)"), FLOWS)
        open_books(session)
        session.commit()
    engine.dispose()
    yield name
    servers.drop(name)


@contextmanager
def _provided(servers: Servers, template: str) -> Iterator[Database]:
    database = Database(servers, create_database(servers, template))
    yield database
    database.dispose()
    servers.drop(database.name)


@pytest.fixture
def books(servers: Servers, ledger_template: str) -> Iterator[Database]:
    """A fresh copy of the books."""
    with _provided(servers, ledger_template) as database:
        yield database


@pytest.fixture
def weakened(servers: Servers, ledger_template: str) -> Iterator[Database]:
    """A second copy, for the negative control that takes a safeguard away."""
    with _provided(servers, ledger_template) as database:
        yield database


@pytest.fixture
def app_engine(books: Database) -> Engine:
    """The books as the application's role sees them."""
    return books.app


@pytest.fixture
def session(books: Database) -> Iterator[Session]:
    """A session of the application's role on a fresh copy of the books."""
    with Session(books.app) as session:
        yield session
