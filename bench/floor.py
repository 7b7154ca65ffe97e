"""The floor: the least that a purchase could cost, written by hand and run by pgbench.

A guarded balance goes down, a transaction and its two entries are written, in one prepared statement. There
is no idempotency key, no foreign key, no second look at anything, no index but the primary keys and the one
that finds an account's entries: it is what PostgreSQL asks for the rows.
"""

import re
import tempfile
from pathlib import Path

from bench.server import Server
from marketplace.dev.postgres import OWNER

DATABASE = "floor"
_TURNS = (1, 5, 25)
_RATE = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
_TABLES = """
CREATE TABLE account (id integer PRIMARY KEY, balance numeric(20, 2) NOT NULL);
CREATE TABLE transaction (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind text NOT NULL);
CREATE TABLE entry (
    transaction_id bigint NOT NULL,
    account_id integer NOT NULL,
    amount numeric(20, 2) NOT NULL,
    PRIMARY KEY (transaction_id, account_id)
);
CREATE INDEX ON entry (account_id);
"""
_ACCOUNTS = "INSERT INTO account SELECT n, 1000000000 FROM generate_series(0, %s) n"
PURCHASE = """
\\set payer random(1, {payers})
WITH paid AS (
    UPDATE account SET balance = balance - 100 WHERE id = :payer AND balance >= 100 RETURNING id
), made AS (
    INSERT INTO transaction (kind) SELECT 'purchase' FROM paid RETURNING id
)
INSERT INTO entry (transaction_id, account_id, amount)
SELECT made.id, side.account_id, side.amount
FROM made, (VALUES (:payer, -100), (0, 100)) side(account_id, amount);
"""


def build(server: Server, payers: int) -> None:
    """Make the floor's three tables; account 0 is the provider."""
    server.create_database(DATABASE)
    with server.connect(OWNER, DATABASE) as connection:
        connection.execute(_TABLES)
        connection.execute(_ACCOUNTS, [payers])


def pgbench(server: Server, role: str, database: str, script: str, clients: int, seconds: float) -> float:
    """Run a script with prepared statements and return transactions a second, connecting left out.

    On a machine so busy that a turn ends before the first transaction does, the turn is taken longer.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".sql", dir=server.folder) as file:
        file.write(script)
        file.flush()
        for longer in _TURNS:
            arguments = ["-n", "-M", "prepared", "-c", str(clients), "-j", "2"]
            arguments += ["-T", str(max(round(seconds * longer), longer)), "-f", str(Path(file.name))]
            printed = server.program("pgbench", arguments, role, database)
            found = _RATE.search(printed)
            if found is not None:
                return float(found[1])
    raise RuntimeError(f"pgbench says no rate:\n{printed}")
