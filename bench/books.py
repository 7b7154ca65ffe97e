"""The ledger under test: schema.sql, the programme's chart, accounts and money for many payers."""

from decimal import Decimal
from pathlib import Path

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session

from bench.server import Server
from ledger import Posting, TransactionRequest, open_accounts, post, post_many
from marketplace.chart import BANK_TREASURY, FAMILIES, FLOWS
from marketplace.dev.postgres import OWNER

_SCHEMA = Path(__file__).resolve().parents[1] / "ledger" / "schema.sql"
_FUND, _RESERVE = "fund:bench", "reserve:bench"
_EACH = Decimal(1_000_000_000)
_BATCH = 1000


def payer(number: int) -> str:
    """A participant's account, named as the service names it."""
    return f"benefit:{number:032x}"


def provider(number: int) -> str:
    """A provider's escrow; 0 is the hot one."""
    return f"escrow:{number:032x}"


def build(server: Server, database: str, payers: int, providers: int) -> None:
    """Make the books in a database of their own, with money in every payer's account."""
    server.create_database(database)
    with server.connect(OWNER, database) as connection:
        # one simple query: the script is many statements
        connection.execute(_SCHEMA.read_text().encode())
    engine = create_engine(server.url(OWNER, database))
    with Session(engine) as session, session.begin():
        _chart(session)
        open_accounts(session, [BANK_TREASURY, _FUND, _RESERVE])
        open_accounts(session, [provider(number) for number in range(providers + 1)])
        open_accounts(session, [payer(number) for number in range(1, payers + 1)])
        _fund(session, payers)
    _vacuum(engine)
    engine.dispose()


def _chart(session: Session) -> None:
    names = ("name", "kind", "guard", "mode")
    session.execute(
        text("INSERT INTO ledger.family VALUES (:name, :kind, :guard, :mode)"),
        [dict(zip(names, each, strict=True)) for each in FAMILIES],
    )
    columns = ("kind", "debit", "credit", "settles")
    session.execute(
        text("INSERT INTO ledger.flow VALUES (:kind, :debit, :credit, :settles)"),
        [dict(zip(columns, each, strict=True)) for each in FLOWS],
    )


def _fund(session: Session, payers: int) -> None:
    post(session, "appropriation", "appropriation", [Posting(BANK_TREASURY, _FUND, _EACH * (payers + 1))])
    numbers = range(1, payers + 1)
    grants = [
        TransactionRequest(f"grant:{number}", "grant", [Posting(_FUND, payer(number), _EACH)])
        for number in numbers
    ]
    for first in range(0, payers, _BATCH):
        post_many(session, grants[first : first + _BATCH])


def _vacuum(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
