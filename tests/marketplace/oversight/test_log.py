"""The public log of an installation: its key, the task that seals it, the commands that prove from it."""

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from ledger import Posting, TransactionRequest, balance, post_many
from ledger.notes import new_signer, read_signer
from ledger.sealing import find_seal
from ledger.verify_receipt import main as verify_receipt
from ledger.verify_receipt import open_note, read_checkpoint, read_key
from marketplace import clock
from marketplace.config import ConfigurationError, Settings, load_settings
from marketplace.db import transaction
from marketplace.oversight import tasks
from marketplace.oversight.log import BALANCES_EVERY, signer
from tests import factories, witness
from tests.watermark import wait_for_others

PASTS: list[list[str]] = [
    [],
    ["--known-at", "1"],
    ["--as-of", "2020-01-31"],
    ["--as-of", "2020-01-31", "--known-at", "1"],
]


def flask(app: Flask, *arguments: object) -> Result:
    return app.test_cli_runner().invoke(args=[str(each) for each in arguments])


@pytest.fixture
def funded(session: Session) -> Session:
    with transaction() as current:
        factories.fund_scheme(current)
    wait_for_others(session)
    return session


def test_the_task_seals_whatever_was_written(funded: Session, settings: Settings) -> None:
    for _ in range(2):
        wait_for_others(funded)
        tasks.seal()
    newest = find_seal(funded)
    assert newest is not None
    assert newest.note is not None
    assert (newest.id, newest.size) == (1, 1)
    found = read_checkpoint(newest.note, signer(settings).key)
    assert found.origin == "bekal.localhost/log"
    assert found.extensions[0].startswith("balances 2 ")


def test_balances_are_sealed_once_a_day(funded: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    wait_for_others(funded)
    tasks.seal()
    now = clock.wall_now()
    for later, expected in ((timedelta(minutes=1), 1), (BALANCES_EVERY + timedelta(minutes=1), 2)):
        monkeypatch.setattr(clock, "wall_now", lambda moment=now + later: moment)
        with transaction() as current:
            factories.make_grant(current)
        wait_for_others(funded)
        tasks.seal()
        assert funded.scalar(text("SELECT count(*) FROM ledger.balance_seal")) == expected


def test_the_task_rolls_hot_accounts_up(funded: Session) -> None:
    rolled = "SELECT credits - debits FROM ledger.rollup"
    tasks.roll_up()
    assert funded.scalars(text(rolled)).all() == []
    before = balance(funded, "bank:treasury")
    with transaction() as current:
        requests = [
            TransactionRequest(
                f"more:{number}", "appropriation", [Posting("bank:treasury", "fund:2023", Decimal(1))]
            )
            for number in range(1000)
        ]
        post_many(current, requests)
    wait_for_others(funded)
    tasks.roll_up()
    assert funded.scalars(text(rolled)).all() == [-before - 1000]
    assert balance(funded, "bank:treasury") == before + 1000


def test_beat_seals_at_every_tick_and_rolls_up_now_and_then(app: Flask, settings: Settings) -> None:
    table = app.extensions["celery"].conf.beat_schedule
    assert table["marketplace.oversight.tasks.seal"]["schedule"] == settings.tick_seconds
    assert table["marketplace.oversight.tasks.roll_up"]["schedule"] == 20 * settings.tick_seconds


def test_the_key_is_the_same_after_a_restart_and_belongs_to_the_installation() -> None:
    first, again, other = (
        read_signer(
            load_settings(
                {"BEKAL_ENV": "test", "DATABASE_URL": "postgresql://nowhere/none", **more}
            ).log_signing_key
        )
        for more in ({}, {}, {"ENCRYPTION_KEY": "another"})
    )
    assert first.key == again.key != other.key


def test_production_wants_a_key_of_its_own() -> None:
    environ = {
        "BEKAL_ENV": "production",
        "DATABASE_URL": "postgresql+psycopg://nowhere/none",
        "REDIS_URL": "redis://nowhere",
        "SECRET_KEY": "s" * 32,
        "ENCRYPTION_KEY": "e" * 32,
        "BADGE_SIGNING_KEY": b64encode(b"b" * 32).decode(),
    }
    for key in ({}, {"LOG_SIGNING_KEY": "PRIVATE+KEY+x"}):
        with pytest.raises(ConfigurationError, match="LOG_SIGNING_KEY"):
            load_settings(environ | key)
    made = new_signer("bekal.example/log")
    assert signer(load_settings(environ | {"LOG_SIGNING_KEY": made.secret})).key == made.key


def test_a_log_is_sealed_proved_and_verified_from_the_command_line(
    app: Flask, funded: Session, tmp_path: Path
) -> None:
    empty = flask(app, "ledger", "prove", "--since", "1")
    assert (empty.exit_code, "not_sealed" in empty.stderr) == (1, True)
    sealed = flask(app, "ledger", "seal", "--json")
    key = flask(app, "ledger", "log-key").stdout.strip()
    found = read_checkpoint(json.loads(sealed.stdout)["checkpoint"], read_key(key))
    assert (found.size, flask(app, "ledger", "seal").stdout) == (1, json.loads(sealed.stdout)["checkpoint"])

    transaction_id = funded.execute(text("SELECT id FROM ledger.transaction")).scalar_one()
    file = tmp_path / "proof.json"
    for proof in (["--transaction", transaction_id], ["--balance", "fund:2023"], ["--since", 1]):
        assert flask(app, "ledger", "prove", *proof, "--output", file).exit_code == 0
        assert verify_receipt([str(file), "--key", key]) == 0
        assert flask(app, "ledger", "prove", *proof).stdout == file.read_text()
    assert flask(app, "ledger", "prove").exit_code == 2
    assert flask(app, "ledger", "prove", "--since", 1, "--balance", "fund:2023").exit_code == 2


def test_the_past_is_read_as_of_a_day_and_as_a_checkpoint_knew_it(app: Flask, funded: Session) -> None:
    flask(app, "ledger", "seal")
    before = balance(funded, "bank:treasury")
    with transaction() as current:
        factories.make_grant(current)
    asked = ("ledger", "balance", "bank:treasury", "--json")
    readings = [json.loads(flask(app, *asked, *past).stdout)["balances"]["bank:treasury"] for past in PASTS]
    assert readings == [before + 4_200_000, before, 0, 0]
    for past, lines in zip(PASTS[:2], (2, 1), strict=True):
        found = json.loads(flask(app, "ledger", "statement", "bank:treasury", "--json", *past).stdout)
        assert (len(found["lines"]), found["opening"]) == (lines, 0)
    for past in PASTS:
        assert flask(app, "ledger", "trial-balance", *past).stdout.endswith("books balance: yes\n")
    refused = flask(app, "ledger", "balance", "bank:treasury", "--known-at", 9)
    assert (refused.exit_code, "not_sealed" in refused.stderr) == (1, True)


def test_the_owner_closes_a_period_for_ever(app: Flask, funded: Session) -> None:
    def close(day: str, *more: str) -> Result:
        return flask(app, "ledger", "close-period", day, *more)

    asked = close("2020-01-31")
    assert (asked.exit_code, "for ever?" in asked.stderr) == (1, True)
    assert funded.scalar(text("SELECT count(*) FROM ledger.closed_period")) == 0
    funded.rollback()
    assert close("2020-01-31", "--yes").stdout == "closed up to 2020-01-31\n"
    closed = funded.scalar(text("SELECT closed_before FROM ledger.closed_period"))
    assert closed == datetime(2020, 1, 31, 17, tzinfo=UTC)
    for other in ("2020-01-30", "2999-01-01"):
        assert "invalid_period" in close(other, "--yes").stderr


def test_verify_checks_the_signatures_and_a_checkpoint_that_was_kept(
    app: Flask, funded: Session, tmp_path: Path
) -> None:
    kept = tmp_path / "checkpoint"
    kept.write_text(flask(app, "ledger", "seal").stdout)
    assert flask(app, "ledger", "verify", "--checkpoint", kept).exit_code == 0
    stranger = new_signer("bekal.localhost/log")
    refused = flask(app, "ledger", "verify", "--key", stranger.key)
    assert (refused.exit_code, "BAD ROW checkpoint 1" in refused.stdout) == (1, True)
    kept.write_text(stranger.sign("bekal.localhost/log\n9\n" + "A" * 43 + "=\n"))
    assert flask(app, "ledger", "verify", "--checkpoint", kept).exit_code == 2
    assert flask(app, "ledger", "verify", "--key", "x").exit_code == 2


def test_an_amount_that_a_superuser_changed_is_found_and_named(
    app: Flask, funded: Session, owner_engine: Engine
) -> None:
    flask(app, "ledger", "seal")
    with owner_engine.begin() as owner:
        owner.execute(text("ALTER TABLE ledger.posting DISABLE TRIGGER ALL"))
        owner.execute(text("UPDATE ledger.posting SET amount = amount + 1"))
    found = flask(app, "ledger", "verify")
    assert found.exit_code == 1
    assert "BAD ROW transaction" in found.stdout
    assert "does not fit its commitment" in found.stdout


def test_a_key_is_made_and_a_witness_signs(app: Flask, funded: Session, tmp_path: Path) -> None:
    made = flask(app, "ledger", "new-key", "bekal.example/log")
    assert read_signer(made.stdout.strip()).name == "bekal.example/log"
    assert flask(app, "ledger", "new-key", "two words").exit_code == 1
    note = flask(app, "ledger", "seal").stdout
    key, body, file = witness.KEY, note.rpartition("\n\n")[0] + "\n", tmp_path / "note"
    file.write_text(note + witness.cosigned(note))
    assert flask(app, "ledger", "cosign", file, "--witness", key).stdout == (
        "witness.example/w1 signed the tree of 1\n"
    )
    assert open_note(flask(app, "ledger", "seal").stdout, key) == body
    assert flask(app, "ledger", "cosign", file, "--witness", "x").exit_code == 2
    file.write_text(note)
    assert flask(app, "ledger", "cosign", file, "--witness", key).exit_code == 1
