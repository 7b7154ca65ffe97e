"""`flask payouts`: the same path as the pages, from a terminal."""

import json
import os
import pwd
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy.orm import Session

from bank_sandbox.bank import Bank
from marketplace.config import Settings
from marketplace.db import transaction
from marketplace.identity import audit
from marketplace.payouts.models import PayoutState
from tests import factories
from tests.marketplace.payouts import world
from tests.marketplace.payouts.bank_files import Line, statement
from tests.marketplace.payouts.world import MONDAY, make_earning, make_finance, make_payee, noon


class Terminal:
    """Runs commands of the application; `session` is left without what it had read."""

    def __init__(self, app: Flask, session: Session) -> None:
        self._runner, self._session = app.test_cli_runner(), session

    def run(self, *arguments: str) -> Result:
        self._session.rollback()
        result = self._runner.invoke(args=["payouts", *arguments])
        self._session.rollback()
        return result

    def json(self, *arguments: str) -> Any:
        result = self.run(*arguments, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


@pytest.fixture
def terminal(app: Flask, session: Session, settings: Settings) -> Terminal:
    world.set_programme_time(settings.database_owner_url, noon(MONDAY))
    settings.bank_folder.mkdir(parents=True, exist_ok=True)
    return Terminal(app, session)


@pytest.fixture
def people(terminal: Terminal) -> tuple[str, str]:
    """Two finance people, by their addresses, and a provider with something to be paid."""
    with transaction() as session:
        provider, _ = make_payee(session, "1200009901")
        make_earning(session, provider)
        return make_finance(session).contact, make_finance(session).contact


def test_two_approvers_the_bank_rejects_and_the_retry_is_paid(
    terminal: Terminal, people: tuple[str, str], settings: Settings, session: Session
) -> None:
    first, second = people
    run = terminal.json("prepare")["run"]["run"]
    assert terminal.json("submit", run, "--as", first)["state"] == "submitted"
    assert terminal.json("approve", run, "--as", second, "--yes")["state"] == "approved"
    bank = Bank(settings.bank_folder)
    _send(terminal, bank)
    [failed] = world.payouts_of(session)
    assert (failed.state, failed.reason_code) == (PayoutState.FAILED, "AC01")
    assert "bank_account_blocked" in terminal.run("status").stdout
    (settings.bank_folder / "behaviour.json").write_text('{"suffix_rules": false}')
    again = terminal.json("retry", failed.label, "--as", first)["run"]
    terminal.json("submit", again, "--as", first)
    terminal.json("approve", again, "--as", second, "--yes")
    _send(terminal, bank)
    bank.close()
    assert [payout.state for payout in world.payouts_of(session)] == [PayoutState.FAILED, PayoutState.PAID]
    status = terminal.json("status")
    assert status["books_balance"] and status["payouts"]["paid"] == {"count": 1, "amount": 900_000}


def _send(terminal: Terminal, bank: Bank) -> None:
    terminal.json("send")
    bank.tick()
    terminal.json("send")


def test_the_same_person_is_refused_and_two_in_one_shell_are_recorded(
    terminal: Terminal, people: tuple[str, str], session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    # whoever types may set it
    monkeypatch.setenv("LOGNAME", "somebody-else")
    run = terminal.json("prepare")["run"]["run"]
    terminal.json("submit", run, "--as", people[0])
    refused = terminal.run("approve", run, "--as", people[0], "--yes")
    assert refused.exit_code == 1
    assert "same_person" in refused.stderr and "Traceback" not in refused.output
    assert terminal.run("approve", run, "--as", people[1], "--yes").exit_code == 0
    approved, submitted, prepared = audit.list_entries(session, f"payout_run:{run}")
    assert (approved.action, submitted.action) == ("payout_run.approved", "payout_run.submitted")
    assert approved.actor_id != submitted.actor_id
    machine = f"cli:{pwd.getpwuid(os.getuid()).pw_name}"
    assert approved.details["operator"] == submitted.details["operator"] == machine
    assert "operator" not in prepared.details


def test_an_approval_asks_with_the_sum_first(terminal: Terminal, people: tuple[str, str]) -> None:
    run = terminal.json("prepare")["run"]["run"]
    terminal.json("submit", run, "--as", people[0])
    asked = terminal.run("approve", run, "--as", people[1])
    assert "Rp900.000" in asked.stderr and asked.exit_code == 1
    assert terminal.json("status")["runs"][0]["state"] == "submitted"


def test_a_dry_run_prepares_nothing(terminal: Terminal, people: tuple[str, str]) -> None:
    told = terminal.json("prepare", "--dry-run")
    assert (told["run"], told["payable"]) == (None, {"providers": 1, "amount": 900_000})
    assert terminal.json("status")["runs"] == []


def test_acting_needs_a_known_finance_person(terminal: Terminal, people: tuple[str, str]) -> None:
    run = terminal.json("prepare")["run"]["run"]
    with transaction() as session:
        stranger = factories.make_user(session).contact
    assert terminal.run("submit", run).exit_code == 2
    assert terminal.run("submit", run, "--as", "tidakada@contoh.test").exit_code == 2
    refused = terminal.run("submit", run, "--as", stranger)
    assert refused.exit_code == 1 and "not_allowed" in refused.stderr


def test_a_run_can_be_cancelled_with_a_reason(terminal: Terminal, people: tuple[str, str]) -> None:
    run = terminal.json("prepare")["run"]["run"]
    cancelled = terminal.json("cancel", run, "--as", people[0], "--reason", "salah hari")
    assert cancelled["state"] == "cancelled"
    assert terminal.json("prepare", "--as", people[0])["run"]["count"] == 1


def test_a_statement_from_elsewhere_is_reconciled(terminal: Terminal, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.xml", tmp_path / "bad.xml"
    good.write_bytes(statement([Line(2_000, "B1")]).content)
    bad.write_text("<Document/>")
    assert terminal.run("reconcile", str(good)).exit_code == 0
    refused = terminal.run("reconcile", str(bad))
    assert refused.exit_code == 2 and "bad.xml" in refused.stdout
    assert bad.exists(), "only files in the bank's folder are moved"
    assert "unexplained: B1  Rp2.000  unknown" in terminal.run("status").stdout
