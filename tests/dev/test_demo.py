"""`flask dev demo`: a small one from end to end, and what its judge says of one tampered rupiah."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from sqlalchemy import make_url

from marketplace.dev.demo.stage import CATALOGUE
from tests import commands
from tests.servers import APPLICATION, OWNER, ROOT, Servers, plain
from tests.sharing import share_compiled

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

_SMALL = ("--participants", "12", "--purchases", "24", "--runs", "7")
_COURSES = ("bekal:d01", "bekal:d02", "bekal:l01", "bekal:l03", "bekal:u11", "bekal:u12")


@dataclass
class Played:
    """A demonstration that has ended; its data are still there."""

    environ: dict[str, str]
    owner_url: str
    outcome: subprocess.CompletedProcess[str]

    def judge(self, bank_folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        folder = {"BANK_FOLDER": str(bank_folder)} if bank_folder else {}
        return _flask(self.environ | folder, "dev", "books")


@pytest.fixture(scope="module")
def played(servers: Servers, worker_number: int, compiled: Path) -> Iterator[Played]:
    name = f"{servers.prefix}_{worker_number}_demo"
    servers.clone(name)
    with TemporaryDirectory(prefix="bekal-demo-test-") as home:
        share_compiled(compiled, Path(home))
        environ = {
            "BEKAL_ENV": "development",
            "BEKAL_HOME": home,
            "DATABASE_URL": servers.url(APPLICATION, name),
            "DATABASE_OWNER_URL": servers.url(OWNER, name),
            "REDIS_URL": servers.redis(worker_number + 13),
            "BEKAL_TICK_SECONDS": "2",
            "WEB_CONCURRENCY": "1",
        }
        outcome = _flask(environ, "dev", "demo", *_SMALL, "--catalogue", str(_some_courses(Path(home))))
        yield Played(environ, plain(make_url(environ["DATABASE_OWNER_URL"])), outcome)
    servers.drop(name)


def _some_courses(folder: Path) -> Path:
    """A few courses of the demo's own catalogue, among them those of the providers whose payments the bank
    refuses and returns; one of a provider that nobody knows, and one at a price that is none."""
    with CATALOGUE.open(encoding="utf-8", newline="") as stream:
        known = [row for row in csv.DictReader(stream) if row["source_id"] in _COURSES]
    foreign = known[0] | {"source_id": "asing:1", "provider": "Kursus Dari Luar", "price_idr": "500000"}
    bad = known[0] | {"source_id": "asing:2", "price_idr": "gratis saja"}
    file = folder / "some.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(foreign))
        writer.writeheader()
        writer.writerows([*known, foreign, bad])
    return file


def _flask(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return commands.flask(os.environ | environ, *arguments)


def test_a_small_demo_ends_with_books_that_balance(played: Played) -> None:
    assert played.outcome.returncode == 0, played.outcome.stdout + played.outcome.stderr
    lines = played.outcome.stdout.splitlines()
    assert lines[-1] == "books balance: yes"
    assert "12 registered" in played.outcome.stdout
    assert "24 attempts" in played.outcome.stdout
    assert "submitted and approved" in played.outcome.stdout
    assert "seats confirmed, 1 declined" in played.outcome.stdout
    assert "1 result corrected from" in played.outcome.stdout
    assert "7 courses booked, 1 rows refused" in played.outcome.stdout
    assert "line 9, price_idr: 'gratis saja'" in played.outcome.stdout
    assert "4 with staff and an approved bank account" in played.outcome.stdout
    for happened in (r"\d+ completed", r"\d+ failed Rp", r"\d+ returned Rp", r"\d+ paid Rp"):
        assert re.search(rf"\b{happened}", played.outcome.stdout), happened
    assert "prepared anew, submitted, approved, paid" in played.outcome.stdout


def test_progress_is_for_terminals_alone(played: Played) -> None:
    assert "\r" not in played.outcome.stderr + played.outcome.stdout


def test_money_that_only_the_bank_knows_of_is_named(played: Played, tmp_path: Path) -> None:
    """A deposit that nobody booked: the books agree with themselves, and not with the bank."""
    folder = tmp_path / "bank"
    shutil.copytree(Path(played.environ["BEKAL_HOME"]) / "bank", folder)
    assert played.judge(folder).returncode == 0
    with (folder / "bank" / "log.jsonl").open("a", encoding="utf-8") as stream:
        stream.write('{"number": 0, "at": "", "kind": "deposited", "data": {"amount": 1}}\n')
    found = played.judge(folder)
    assert (found.returncode, "at the bank" in found.stdout) == (1, True)


@pytest.mark.parametrize("form", ["beancount", "hledger"])
def test_the_books_of_the_demo_pass_the_checks_of_other_programs(
    played: Played, tmp_path: Path, form: str
) -> None:
    file = tmp_path / f"books.{form}"
    written = _flask(played.environ, "ledger", "export", "--format", form, "--output", str(file))
    assert (written.returncode, written.stdout, written.stderr) == (0, "", "")
    if form == "hledger" and shutil.which("hledger") is None:
        pytest.skip("hledger is not installed (Debian: apt install hledger)")
    check = {
        "beancount": [*commands.BEAN_CHECK, str(file)],
        "hledger": ["hledger", "-f", str(file), "check", "--strict"],
    }[form]
    checked = subprocess.run(check, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_a_receipt_of_the_demo_is_verified_by_the_script_alone_and_refused_after_one_byte(
    played: Played, tmp_path: Path
) -> None:
    with psycopg.connect(played.owner_url) as connection:
        row = connection.execute(
            "SELECT id FROM ledger.transaction WHERE kind = 'purchase' LIMIT 1"
        ).fetchone()
    assert row is not None
    assert _flask(played.environ, "ledger", "seal").returncode == 0
    key = _flask(played.environ, "ledger", "log-key").stdout.strip()
    receipt, script = tmp_path / "receipt.json", tmp_path / "verify_receipt.py"
    proved = _flask(played.environ, "ledger", "prove", "--transaction", str(row[0]), "--output", str(receipt))
    assert proved.returncode == 0, proved.stderr
    script.write_bytes((ROOT / "ledger" / "verify_receipt.py").read_bytes())
    # -I: nothing of the checkout can be imported
    command = [sys.executable, "-I", str(script), str(receipt), "--key", key]
    held = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (held.returncode, held.stdout[:6]) == (0, "holds:")
    whole = receipt.read_bytes()
    at = whole.index(b'"amount": "') + len(b'"amount": "')
    receipt.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    refused = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (refused.returncode, refused.stderr[:7]) == (1, "REFUSED")


def test_one_tampered_rupiah_is_named_and_the_exit_code_says_no(played: Played) -> None:
    assert played.judge().returncode == 0
    with psycopg.connect(played.owner_url) as connection:
        connection.execute("ALTER TABLE ledger.posting DISABLE TRIGGER ALL")
        connection.execute(
            "UPDATE ledger.posting SET amount = amount + 1"
            " WHERE ctid = (SELECT ctid FROM ledger.posting ORDER BY transaction_id LIMIT 1)"
        )
        connection.execute("ALTER TABLE ledger.posting ENABLE TRIGGER ALL")
    found = played.judge()
    assert found.returncode == 1
    assert found.stdout.splitlines()[-1] == "books balance: no"
    assert "bad row" in found.stdout
    verified = _flask(played.environ, "ledger", "verify", "--json")
    problem = json.loads(verified.stdout)["problem"]
    assert (verified.returncode, "content does not fit its commitment" in problem) == (1, True)
    with psycopg.connect(played.owner_url) as connection:
        row = connection.execute("SELECT transaction_id FROM ledger.posting ORDER BY 1 LIMIT 1").fetchone()
    assert row is not None and problem.startswith(f"transaction {row[0]} (")
