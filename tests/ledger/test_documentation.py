"""What docs/ledger.md shows is run as it stands there."""

import re
from pathlib import Path

import pytest
from sqlalchemy import text

import ledger
from ledger.errors import LedgerError
from tests.ledger.conftest import SCHEMA, Database, create_database, run_sql
from tests.servers import Servers

PAGE = (Path(ledger.__file__).parents[1] / "docs" / "ledger.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_example_does_what_it_says(servers: Servers, capsys: pytest.CaptureFixture[str]) -> None:
    name = create_database(servers)
    run_sql(servers, name, SCHEMA.read_text())
    (setting_up,), (example,) = blocks("sql"), blocks("python")
    run_sql(servers, name, setting_up)
    database = Database(servers, name)
    exec(compile(example, "docs/ledger.md", "exec"), {"engine": database.app})
    assert capsys.readouterr().out == "3200000.00 300000.00\n"
    assert f"# {'3200000.00 300000.00'}" in example
    with database.app.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM ledger.transaction")) == 3
    database.dispose()
    servers.drop(name)


def test_purchase_and_sealing_are_drawn() -> None:
    purchase, sealing = blocks("mermaid")
    assert all(
        family in purchase for family in ("bank", "fund", "benefit", "escrow", "payable", "transit", "fees")
    )
    assert "seal_leaves" in sealing and "verify_receipt" in sealing


def test_every_function_that_the_page_names_is_there() -> None:
    names = set(re.findall(r"`([a-z_]+)\(\)`", PAGE))
    assert len(names) > 20
    known = [*dir(ledger), "seal_leaves", "get_receipt", "get_growth", "get_balance_receipt"]
    assert names - set(known) == set()


def test_the_page_names_no_refusal_that_does_not_exist() -> None:
    assert issubclass(ledger.NeedsAdoption, LedgerError)
    named = set(re.findall(r"`(Invalid\w+|\w+Conflict|Insufficient\w+)`", PAGE))
    assert named - set(dir(ledger)) == set()
