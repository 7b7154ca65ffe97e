"""The books leave the house: in other programs' forms, and whole into an empty installation."""

import subprocess
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

import ledger
from ledger.notes import new_signer
from ledger.verify_receipt import main as verify_receipt
from marketplace.config import Settings
from marketplace.db import transaction
from marketplace.oversight.log import signer
from tests import factories
from tests.commands import BEAN_CHECK
from tests.servers import Servers
from tests.watermark import wait_for_others


def flask(app: Flask, *arguments: object) -> Result:
    return app.test_cli_runner().invoke(args=[str(each) for each in arguments])


@pytest.fixture
def funded(session: Session) -> Session:
    with transaction() as current:
        factories.fund_scheme(current)
        factories.make_grant(current)
    return session


def test_an_export_of_the_programme_passes_bean_check(app: Flask, funded: Session, tmp_path: Path) -> None:
    file = tmp_path / "books.beancount"
    assert flask(app, "ledger", "export", "--format", "beancount", "--output", file).exit_code == 0
    checked = subprocess.run([*BEAN_CHECK, file], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert flask(app, "ledger", "export", "--format", "beancount").stdout == file.read_text()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--format", "xls"],
        ["--format", "full", "--from", "2026-01-01"],
        ["--format", "csv", "--personal"],
        ["--format", "csv", "--from", "kemarin"],
        [],
    ],
)
def test_what_makes_no_sense_is_a_usage_error(app: Flask, funded: Session, arguments: list[str]) -> None:
    assert flask(app, "ledger", "export", *arguments).exit_code == 2


def test_days_are_those_of_the_programme(app: Flask, funded: Session) -> None:
    rows = flask(
        app, "ledger", "export", "--format", "csv", "--from", "2020-01-01", "--to", "2020-01-31"
    ).stdout
    assert {row.partition(",")[0] for row in rows.splitlines()} == {"record", "opening", "closing"}
    assert "2020-01-31" in rows


def test_the_whole_ledger_is_loaded_into_an_empty_installation(
    app: Flask, funded: Session, settings: Settings, servers: Servers, tmp_path: Path
) -> None:
    file = tmp_path / "export.jsonl"
    wait_for_others(funded)
    flask(app, "ledger", "seal")
    assert flask(app, "ledger", "export", "--format", "full", "--personal", "--output", file).exit_code == 0
    assert verify_receipt([str(file), "--key", str(signer(settings).key)]) == 0
    refused = flask(app, "ledger", "load", file)
    assert (refused.exit_code, "invalid_archive" in refused.stderr) == (1, True)

    root, count = funded.execute(text("SELECT root, tree_size FROM ledger.seal")).one()
    name = settings.database_url.rpartition("/")[2].partition("?")[0]
    funded.rollback()
    funded.get_bind().engine.dispose()  # type: ignore[union-attr] # an engine or a connection of one
    servers.clone(name)
    keys = [word for each in (new_signer("elsewhere"), signer(settings)) for word in ("--key", each.key)]
    unknown = flask(app, "ledger", "load", file, *keys[:2])
    assert (unknown.exit_code, "no key is known for bekal.localhost/log" in unknown.stderr) == (1, True)
    loaded = flask(app, "ledger", "load", file, *keys)
    assert (loaded.exit_code, loaded.stdout) == (
        0,
        f"{count} transactions loaded, every root as it was signed\n",
    )
    assert funded.scalar(text("SELECT root FROM ledger.seal")) == root
    assert ledger.verify(funded, keys=[signer(settings).key]).is_sound
