"""Operator commands, through the command line: what they print, and how they exit."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.identity.models import AuditEntry, Role
from marketplace.identity.queries import find_user
from tests.factories import fund_scheme, make_grant, make_participant, make_user
from tests.marketplace.catalogue.test_importing import write


def flask(app: Flask, *arguments: object) -> Result:
    return app.test_cli_runner().invoke(args=[str(each) for each in arguments])


def document(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_a_login_is_made_and_the_operator_is_recorded(app: Flask, session: Session) -> None:
    result = flask(
        app, "users", "create", "siti@contoh.test", "--name", "Siti", "--role", "finance", "--json"
    )
    assert result.exit_code == 0
    assert document(result)["roles"] == ["finance"]
    entries = session.scalars(select(AuditEntry)).all()
    assert {entry.action for entry in entries} == {"user.created", "user.role_granted"}
    assert all(entry.actor.startswith("cli:") for entry in entries)


def test_a_role_is_granted_and_revoked_in_the_name_of_a_person(app: Flask, session: Session) -> None:
    with transaction():
        chief = make_user(session, contact="kepala@contoh.test")
        make_user(session, contact="siti@contoh.test")
    assert (
        flask(
            app, "users", "grant-role", "siti@contoh.test", "auditor", "--as", "kepala@contoh.test"
        ).exit_code
        == 0
    )
    session.rollback()
    user = find_user(session, "siti@contoh.test")
    assert user is not None and user.has_role(Role.AUDITOR)
    assert flask(app, "users", "revoke", "siti@contoh.test").exit_code == 0
    session.expire_all()
    assert not user.has_role(Role.AUDITOR)
    granted = session.scalars(select(AuditEntry).where(AuditEntry.action == "user.role_granted")).one()
    assert granted.actor_id == chief.id


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["users", "create", "bukan-kontak"], 1),
        (["users", "create", "ada@contoh.test"], 1),
        (["users", "grant-role", "siapa@contoh.test", "finance"], 2),
        (["users", "grant-role", "ada@contoh.test", "raja"], 2),
        (["users", "create", "b@contoh.test", "--as", "siapa@contoh.test"], 2),
        (["schemes", "appropriate", "1998", "1000", "--reference", "R"], 1),
        (["schemes", "appropriate", "2023", "1,000.00", "--reference", "R"], 2),
        (["schemes", "appropriate", "2023", "1.5", "--reference", "R"], 2),
        (["schemes", "appropriate", "2023", "1e6", "--reference", "R"], 2),
        (["schemes", "appropriate", "2023", "0", "--reference", "R"], 1),
        (["schemes", "appropriate", "2023", "1000"], 2),
        (["ledger", "balance", "fund:1998"], 1),
        (["ledger", "statement", "fund:2023", "--from", "kemarin"], 2),
    ],
)
def test_refusals_are_one_line_and_an_exit_code(
    app: Flask, session: Session, arguments: list[str], code: int
) -> None:
    with transaction():
        make_user(session, contact="ada@contoh.test")
    result = flask(app, *arguments)
    assert result.exit_code == code
    assert result.stdout == "" and "Traceback" not in result.stderr


def test_schemes_are_listed_with_what_is_left(app: Flask) -> None:
    for _ in range(2):
        appropriated = flask(app, "schemes", "appropriate", "2023", "Rp10.000.000", "--reference", "DIPA-1")
        assert appropriated.exit_code == 0, appropriated.output
    listed = flask(app, "schemes", "list")
    assert "Rp3.500.000" in listed.stdout and "Rp10.000.000" in listed.stdout
    schemes = document(flask(app, "schemes", "list", "--json"))["schemes"]
    assert [(scheme["code"], scheme["fund"]) for scheme in schemes] == [("2023", 10_000_000), ("2020", 0)]


def test_grants_are_awarded_and_those_without_money_are_said(app: Flask, session: Session) -> None:
    with transaction():
        for _ in range(3):
            make_participant(session)
        fund_scheme(session, Decimal(2 * 4_200_000))
    assert document(flask(app, "batches", "award", "--dry-run", "--json"))["without"] == 3
    result = flask(app, "batches", "award", "--json")
    assert result.exit_code == 1
    counted = document(result)
    assert (counted["awarded"], counted["credited"], counted["waiting"]) == (3, 2, 1)
    with transaction():
        fund_scheme(session)
    again = flask(app, "batches", "award", "--json")
    assert (again.exit_code, document(again)["credited"], document(again)["awarded"]) == (0, 1, 0)


def test_an_import_reports_line_column_value_and_reason(app: Flask, tmp_path: Path) -> None:
    file = write(tmp_path, {}, {"source_id": "k:2", "price_idr": "Rp629.762.970.000"}, {"source_id": "k:1"})
    result = flask(app, "catalogue", "import", file)
    assert result.exit_code == 1
    assert "baris 3, price_idr, “Rp629.762.970.000”" in result.stdout
    assert "3 rows: 1 created, 0 changed, 0 unchanged, 2 refused" in result.stdout
    assert result.stderr == ""
    again = document(flask(app, "catalogue", "import", file, "--json"))
    assert again["unchanged"] == 1
    assert [row["problems"][0]["code"] for row in again["refused"]] == ["price_too_high", "duplicate_id"]


def test_a_dry_run_books_nothing(app: Flask, tmp_path: Path) -> None:
    file = write(tmp_path, {})
    assert "1 created" in flask(app, "catalogue", "import", file, "--dry-run").stdout
    result = flask(app, "catalogue", "import", file)
    assert result.exit_code == 0 and "1 created" in result.stdout


@pytest.mark.parametrize("content", [None, b"", b"nama,harga\nx,1\n", b"\xff\xfes\x00", b"PK\x03\x04"])
def test_an_unusable_file_exits_with_2(app: Flask, tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "katalog.csv"
    if content is not None:
        file.write_bytes(content)
    result = flask(app, "catalogue", "import", file)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("catalogue_file_unusable")
    assert document(flask(app, "catalogue", "import", file, "--json"))["error"] == "catalogue_file_unusable"


def test_the_trial_balance_shows_the_equation_and_holds(app: Flask, session: Session) -> None:
    with transaction():
        make_grant(session)
    result = flask(app, "ledger", "trial-balance")
    assert result.exit_code == 0
    assert result.stdout.endswith("books balance: yes\n")
    found = document(flask(app, "ledger", "trial-balance", "--json", "--accounts"))
    assert found["equation"]["left"]["bank"] == 4_200_000
    assert found["equation"]["right"]["benefit"] == 3_500_000
    assert any(row["account"] == "fund:2023" for row in found["accounts"])


def test_verify_is_content_until_a_rupiah_is_altered(
    app: Flask, session: Session, owner_engine: Engine
) -> None:
    with transaction():
        make_grant(session)
    assert flask(app, "ledger", "verify").exit_code == 0
    with owner_engine.begin() as connection:
        connection.execute(text("ALTER TABLE ledger.posting DISABLE TRIGGER ALL"))
        connection.execute(text("UPDATE ledger.posting SET amount = amount + 1 WHERE amount = 3500000"))
    result = flask(app, "ledger", "verify", "--json")
    assert result.exit_code == 1
    assert document(result)["problem"]
    assert "BAD ROW" in flask(app, "ledger", "verify").stdout


def test_balances_and_statements_are_printed(app: Flask, session: Session) -> None:
    with transaction():
        make_grant(session)
    assert document(flask(app, "ledger", "balance", "reserve:2023", "--json"))["balances"] == {
        "reserve:2023": 700_000
    }
    assert "Rp700.000" in flask(app, "ledger", "balance", "reserve:2023").stdout
    found = document(flask(app, "ledger", "statement", "fund:2023", "--json"))
    assert [line["kind"] for line in found["lines"]] == ["appropriation", "grant", "grant"]
    assert (found["opening"], found["closing"]) == (0, 0)
    assert "appropriation" in flask(app, "ledger", "statement", "fund:2023", "--from", "2026-01-01").stdout
    assert (
        document(flask(app, "ledger", "statement", "fund:2023", "--to", "2026-01-01", "--json"))["lines"]
        == []
    )


def test_a_database_without_tables_says_what_to_do(app: Flask, owner_engine: Engine) -> None:
    with owner_engine.begin() as connection:
        connection.execute(text("DROP SCHEMA ledger CASCADE"))
    result = flask(app, "ledger", "balance", "fund:2023")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "bekal: the database has no tables, or old ones; run: make migrate\n"
