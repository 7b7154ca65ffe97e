"""`flask ledger adopt`: what an operator types after a restore, and what it says."""

import json
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

import ledger
from ledger.notes import checkpoint_text, new_signer
from ledger.verify_receipt import read_checkpoint
from marketplace.config import Settings
from marketplace.db import transaction
from marketplace.oversight import log, tasks
from tests import factories
from tests.watermark import wait_for_others

OLD = 1_000_000_000


def flask(app: Flask, *arguments: object) -> Result:
    return app.test_cli_runner().invoke(args=[str(each) for each in arguments])


@pytest.fixture
def restored(app: Flask, session: Session, owner_engine: Engine, tmp_path: Path) -> Path:
    """Books from a cluster with far greater transaction ids; the file holds their newest checkpoint."""
    for value in (OLD, 0):
        with owner_engine.begin() as owner:
            owner.execute(text("UPDATE ledger.position_offset SET value = :value"), {"value": value})
        if value == OLD:
            with transaction() as current:
                factories.fund_scheme(current)
            wait_for_others(session)
            kept = tmp_path / "checkpoint"
            kept.write_text(flask(app, "ledger", "seal").stdout)
    return kept


def test_an_operator_adopts_a_restored_ledger_and_the_service_goes_on(
    app: Flask, session: Session, restored: Path
) -> None:
    refused = flask(app, "schemes", "appropriate", "2023", "1000", "--reference", "R")
    assert (refused.exit_code, "needs_adoption" in refused.stderr) == (1, True)
    assert "needs_adoption" in flask(app, "ledger", "seal").stderr
    adopted = flask(app, "ledger", "adopt", "--checkpoint", restored)
    assert adopted.exit_code == 0, adopted.output
    assert "above this cluster's own" in adopted.stdout
    assert "these books lead to the published checkpoint of 1" in adopted.stdout
    again = json.loads(flask(app, "ledger", "adopt", "--json").stdout)
    assert (again["raised_by"], again["lost"], again["position"] > OLD) == (0, None, True)
    assert flask(app, "schemes", "appropriate", "2023", "1000", "--reference", "R").exit_code == 0
    wait_for_others(session)
    assert "\n2\n" in flask(app, "ledger", "seal").stdout
    assert flask(app, "ledger", "verify", "--checkpoint", restored).exit_code == 0


def test_a_backup_behind_a_published_checkpoint_goes_on_under_another_name(
    app: Flask,
    session: Session,
    restored: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = log.signer(settings)
    restored.write_text(own.sign(checkpoint_text(own.name, 5, bytes(32))))
    adopted = flask(app, "ledger", "adopt", "--checkpoint", restored)
    assert (adopted.exit_code, "LOST: a checkpoint of 5" in adopted.stdout) == (0, True)
    lost = json.loads(flask(app, "ledger", "adopt", "--checkpoint", restored, "--json").stdout)["lost"]
    assert lost == {"origin": own.name, "size": 5, "root": "00" * 32}
    with transaction() as current:
        factories.make_grant(current)
    wait_for_others(session)
    with pytest.raises(ledger.LogEnded):
        tasks.seal()
    assert "log_ended" in flask(app, "ledger", "seal").stderr

    made = flask(app, "ledger", "new-key", "bekal.localhost/log2").stdout.strip()
    monkeypatch.setattr(log, "signer", lambda _: ledger.read_signer(made))
    tasks.seal()
    checkpoint = read_checkpoint(flask(app, "ledger", "seal").stdout, ledger.read_signer(made).key)
    assert checkpoint.extensions[-1] == f"continues {own.name} 5 {'A' * 43}="
    keys = ["--key", own.key, "--key", ledger.read_signer(made).key]
    assert flask(app, "ledger", "verify", *keys).exit_code == 0
    behind = flask(app, "ledger", "verify", *keys, "--checkpoint", restored)
    assert (behind.exit_code, "BAD ROW" in behind.stdout) == (1, True)


@pytest.mark.parametrize("note", ["", "x\n1\n", "— \n"])
def test_a_checkpoint_that_nobody_signed_adopts_nothing(app: Flask, restored: Path, note: str) -> None:
    stranger = new_signer("bekal.localhost/log")
    restored.write_text(note or stranger.sign(checkpoint_text(stranger.name, 5, bytes(32))))
    assert flask(app, "ledger", "adopt", "--checkpoint", restored).exit_code == 2
    assert flask(app, "ledger", "adopt", "--key", "x").exit_code == 2
    assert "needs_adoption" in flask(app, "ledger", "seal").stderr
