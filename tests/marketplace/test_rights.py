"""What the application's role cannot do to the rows that money follows, even by SQL of its own."""

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

AMOUNTS = {
    "bank_line": "amount = 1",
    "bank_statement": "closing = 1",
    "earning": "gross = 2 * gross, fee = 2 * fee, net = 2 * net",
    "payout": "amount = 2 * amount",
    "payout_line": "amount = 1",
    "scheme": "fee_rate = 0",
}
OWNERS = {
    "bank_account": "number_encrypted = ''",
    "earning": "provider_id = gen_random_uuid()",
    "payout": "bank_account_id = gen_random_uuid()",
    "payout_run": "prepared_by = NULL",
}
CHANGES = [*AMOUNTS.items(), *OWNERS.items()]


@pytest.mark.parametrize(("table", "change"), CHANGES, ids=[f"{table}: {what}" for table, what in CHANGES])
def test_what_is_owed_and_to_whom_is_not_edited(app_engine: Engine, table: str, change: str) -> None:
    with app_engine.begin() as connection, pytest.raises(ProgrammingError, match="permission denied"):
        connection.execute(text(f"UPDATE {table} SET {change}"))


def test_its_fate_is(app_engine: Engine) -> None:
    """Negative control: it is the column that is refused, not the table."""
    with app_engine.begin() as connection:
        for table in ("bank_account", "bank_line", "earning", "payout", "payout_run"):
            connection.execute(text(f"UPDATE {table} SET state = state"))


@pytest.mark.parametrize(
    "table", ["bank_file", "bank_line", "earning", "enrolment", "grant", "payout", "payout_run"]
)
def test_nothing_that_money_followed_is_deleted(app_engine: Engine, table: str) -> None:
    with app_engine.begin() as connection, pytest.raises(ProgrammingError, match="permission denied"):
        connection.execute(text(f'DELETE FROM "{table}"'))
