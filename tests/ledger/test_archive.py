"""The whole history in one file: checked by the stand-alone script, and loaded into an empty ledger."""

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

import ledger
from ledger.archive import dump
from ledger.loading import load
from ledger.notes import new_signer
from ledger.proofs import get_balance_receipt, get_growth, get_receipt, proof_text
from ledger.sealing import find_seal
from ledger.verify_receipt import Refused, check_balance, check_export, check_receipt, main
from tests.ledger.books import ANI, FAMILIES, FLOWS, appropriate, purchase
from tests.ledger.conftest import SCHEMA, Database, create_database, run_sql
from tests.ledger.test_seal_verification import fill
from tests.ledger.test_sealing import SIGNER
from tests.servers import Servers
from tests.watermark import seal


@pytest.fixture
def archived(books: Database) -> list[str]:
    """A history with everything in it: metadata, personal parts, an erasure, balances, a closed period."""
    fill(books)
    with books.owner.begin() as owner:
        owner.execute(text("INSERT INTO ledger.closed_period (closed_before) VALUES ('2020-01-01')"))
    with Session(books.app) as session:
        gone, kept = (
            ledger.post(
                session, key, "gift", [ledger.Posting(ANI, "escrow:school", Decimal(3))],
                metadata={"é": [1, 2.50, None]}, personal={"name": "Ani é"},
            )
            for key in ("forgotten", "kept")
        )  # fmt: skip
        assert gone.id != kept.id
        session.commit()
        seal(session, SIGNER, balances=True)
        ledger.erase(session, gone.id, "asked")
        session.commit()
        purchase(session, 1, key="not sealed")
        session.commit()
        return list(dump(session, personal=True))


@pytest.fixture
def empty(servers: Servers) -> Iterator[Database]:
    """A database with the schema and nothing else."""
    name = create_database(servers)
    run_sql(servers, name, SCHEMA.read_text())
    database = Database(servers, name)
    yield database
    database.dispose()
    servers.drop(name)


def test_an_export_is_checked_without_the_service(
    archived: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "export.jsonl"
    file.write_text("".join(archived))
    assert main([str(file), "--key", str(SIGNER.key)]) == 0
    assert capsys.readouterr().out == f"holds: all 287 entries are those that {SIGNER.name} signed\n"
    assert check_export([], SIGNER.key) == "all 0 entries are those that nobody signed"
    # what nobody signed yet is no part of it, nor is what is in another place
    entry = next(line for line in archived if '"leaf": 0' in line)
    for lines, words in (
        ([entry], "nobody signed entry 0"),
        ([entry, entry], "entry 0 stands in the place of entry 1"),
    ):
        with pytest.raises(Refused, match=words):
            check_export(lines, SIGNER.key)


CHANGES: dict[str, Callable[[list[str]], list[str]]] = {
    "an amount": lambda lines: [line.replace('"500000.00"', '"500000.01"') for line in lines],
    "a lost line": lambda lines: [line for line in lines if '"swap:9"' not in line],
    "two swapped": lambda lines: _swapped(lines),
    "a cut checkpoint": lambda lines: lines[: next(i for i, x in enumerate(lines) if '"swap:9"' in x)],
    "a checkpoint": lambda lines: [line.replace("\\n283\\n", "\\n284\\n") for line in lines],
}


def _swapped(lines: list[str]) -> list[str]:
    first, second = (next(i for i, line in enumerate(lines) if f'"swap:{n}"' in line) for n in (8, 9))
    a, b = json.loads(lines[first]), json.loads(lines[second])
    a["leaf"], b["leaf"] = b["leaf"], a["leaf"]
    changed = list(lines)
    changed[first], changed[second] = json.dumps(b) + "\n", json.dumps(a) + "\n"
    return changed


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_export_is_refused_by_the_script_and_by_loading(
    archived: list[str], empty: Database, tmp_path: Path, change: str
) -> None:
    changed = CHANGES[change](archived)
    assert changed != archived
    file = tmp_path / "export.jsonl"
    file.write_text("".join(changed))
    assert main([str(file), "--key", str(SIGNER.key)]) == 1
    with Session(empty.owner) as session:
        with pytest.raises(ledger.LedgerError) as refusal:
            load(session, changed, [SIGNER.key])
        session.rollback()
        assert refusal.value.code == "invalid_archive"
        assert session.scalar(text("SELECT count(*) FROM ledger.account")) == 0


def _roots(database: Database) -> list[Any]:
    tables = (
        "seal",
        "leaf",
        "tile",
        "checkpoint",
        "balance_seal",
        "personal",
        "erasure",
        "account",
        "posting",
    )
    with Session(database.app) as session:
        rows = [
            session.scalars(text(f"SELECT to_jsonb(x)::text FROM ledger.{table} x ORDER BY 1")).all()
            for table in tables[:-1]
        ]
        query = "SELECT p.amount, p.seq FROM ledger.posting p JOIN ledger.leaf l USING (transaction_id)"
        return [*rows, session.execute(text(query + " ORDER BY l.number, p.seq")).all()]


def test_loading_an_export_gives_the_same_roots(
    books: Database, archived: list[str], empty: Database
) -> None:
    with Session(empty.owner) as session:
        assert load(session, archived, [SIGNER.key]) == 287
        session.commit()
    assert _roots(empty) == _roots(books)
    with Session(empty.app) as session:
        assert list(dump(session, personal=True)) == archived
        report = ledger.verify(session, keys=[SIGNER.key])
        assert report.is_sound, report.problem
        kept = session.execute(text("SELECT id FROM ledger.transaction WHERE key = 'kept'")).scalar_one()
        check_receipt(get_receipt(session, kept, personal=True), SIGNER.key)
        check_balance(get_balance_receipt(session, ANI), SIGNER.key)


def test_a_log_that_changed_its_key_and_its_name_is_proved_with_all_its_keys(
    books: Database, empty: Database, tmp_path: Path
) -> None:
    signers = [SIGNER, new_signer(SIGNER.name), new_signer("bekal.example/log2")]
    with Session(books.app) as session:
        for number, signer in enumerate(signers, start=1):
            appropriate(session, key=f"appropriation:{number}")
            session.commit()
            seal(session, signer)
            session.commit()
        lines, growth = list(dump(session, personal=True)), get_growth(session, 1)
    file, keys = tmp_path / "proof", [each.key for each in signers]
    words = [word for key in keys for word in ("--key", str(key))]
    for proof in ("".join(lines), proof_text(growth)):
        file.write_text(proof)
        assert main([str(file), *words]) == 0
        # the newest key alone opens only the newest checkpoint, and the old ones do not open that
        assert main([str(file), "--key", str(keys[-1])]) == main([str(file), *words[:4]]) == 1
    assert (
        check_export(lines[1:], *keys)
        == f"all 3 entries are those that {SIGNER.name} and {keys[2].name} signed"
    )
    with Session(empty.owner) as session:
        for known in (keys[1:], keys[2:], keys[:1]):
            with pytest.raises(ledger.LedgerError, match=r"checkpoint [12]"):
                load(session, lines, known)
            session.rollback()
        assert load(session, lines, keys) == 3


def test_a_loaded_ledger_goes_on(archived: list[str], empty: Database) -> None:
    with Session(empty.owner) as session:
        load(session, archived)
        session.commit()
    with Session(empty.app) as session:
        # a repeat of what was loaded is known, and new transactions come after it
        assert purchase(session, 7, key="purchase:7").replayed
        assert not purchase(session, 9, key="new").replayed
        ledger.open_accounts(session, ["benefit:new"])
        session.commit()
        seal(session, SIGNER)
        session.commit()
        newest = find_seal(session)
        assert newest is not None
        assert newest.size == 288
        assert ledger.verify(session, keys=[SIGNER.key]).is_sound
    with empty.superuser.connect() as superuser:
        loose = "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'A'"
        assert superuser.scalar(text(loose)) == 0


def test_what_is_withheld_cannot_be_loaded(books: Database, archived: list[str], empty: Database) -> None:
    told: list[tuple[int, int]] = []
    with Session(books.app) as session:
        withheld = list(dump(session, progress=lambda done, of: told.append((done, of))))
        sealed = session.scalars(text("SELECT tree_size FROM ledger.seal ORDER BY id")).all()
    assert told == [(size, sealed[-1]) for size in sealed]
    assert "Ani é" in "".join(archived)
    assert "Ani é" not in "".join(withheld)
    with Session(empty.owner) as session, pytest.raises(ledger.LedgerError, match="without an erasure"):
        load(session, withheld)


@pytest.mark.parametrize("lines", [[], ["{}"], ["x"], ['{"format": "bekal-export/1"}', '{"hold": {}}']])
def test_what_is_no_export_is_not_loaded(empty: Database, lines: list[str]) -> None:
    with Session(empty.owner) as session, pytest.raises(ledger.LedgerError) as refusal:
        load(session, lines)
    assert refusal.value.code == "invalid_archive"


def test_nothing_is_loaded_over_anything(books: Database, archived: list[str]) -> None:
    with Session(books.owner) as session, pytest.raises(ledger.LedgerError, match="empty"):
        load(session, archived)


def test_an_export_of_nothing_is_loaded_as_nothing(books: Database, empty: Database) -> None:
    with Session(books.app) as session:
        appropriate(session)
        session.commit()
        lines = list(dump(session))
    assert len(lines) == 1 + len(FAMILIES) + len(FLOWS) + 11
    with Session(empty.owner) as session:
        assert load(session, lines) == 0
