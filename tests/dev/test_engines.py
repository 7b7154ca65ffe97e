"""PostgreSQL and Valkey under our own supervisor: twice, side by side, and after a kill."""

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
from sqlalchemy import make_url

from marketplace.dev.engines import Addresses, running
from marketplace.dev.errors import EngineFailed, FolderInUse, RefusedInProduction
from marketplace.dev.processes import Program
from marketplace.dev.supervisor import Supervisor
from tests.dev.holding import holding, ordinary_user, processes_of
from tests.live import wait_until
from tests.servers import plain


def _quiet(line: str) -> None:
    """The tests read no progress lines."""


def _connect(url: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(plain(make_url(url)), autocommit=True)


@contextmanager
def _open_folder() -> Iterator[Path]:
    """A folder that the engines' account may walk through, with a path of ordinary length."""
    folder = Path(tempfile.mkdtemp(prefix="bekal-t-"))
    folder.chmod(0o755)
    yield folder
    outside = folder / "home" / "engines"
    if outside.is_symlink():
        shutil.rmtree(outside.resolve())
    shutil.rmtree(folder)


@pytest.fixture
def scratch() -> Iterator[Path]:
    with _open_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A data folder that was started once: making it takes longer than most of what is tried here."""
    with _open_folder() as folder:
        with running(folder / "home", {}, _quiet, durable=False):
            """Makes it."""
        yield folder / "home"


@pytest.fixture
def home(scratch: Path, made: Path) -> Path:
    """A copy of it."""
    return _copy(made, scratch / "home")


def _copy(made: Path, home: Path) -> Path:
    subprocess.run(["cp", "-a", made, home], check=True)
    return home


def _count(addresses: dict[str, str] | Addresses) -> int:
    url = addresses["database_owner_url"] if isinstance(addresses, dict) else addresses.database_owner_url
    with _connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS visit (at timestamptz)")
        connection.execute("INSERT INTO visit VALUES (now())")
        row = connection.execute("SELECT count(*) FROM visit").fetchone()
    assert row is not None
    return int(str(row[0]))


def test_a_second_start_keeps_the_data(scratch: Path) -> None:
    for visit in (1, 2):
        with running(scratch / "home", {}, _quiet, durable=False) as addresses:
            assert _count(addresses) == visit
        assert processes_of(scratch / "home") == []
    assert not (scratch / "home" / "run" / "engines.json").exists()


def test_two_installations_run_side_by_side(scratch: Path, made: Path) -> None:
    with (
        running(_copy(made, scratch / "a"), {}, _quiet, durable=False) as first,
        running(_copy(made, scratch / "b"), {}, _quiet, durable=False) as second,
    ):
        _count(first)
        assert _count(first) == 2
        assert _count(second) == 1
        assert first.redis_url != second.redis_url


def test_a_data_folder_may_have_any_name(scratch: Path, made: Path) -> None:
    home = _copy(made, scratch / "data, \"ö\" 'x' \\ %s")
    with running(home, {}, _quiet, durable=False) as addresses:
        assert _count(addresses) == 1
    assert processes_of(home) == []


def _sleeper(name: str) -> Program:
    return Program(name, [sys.executable, "-c", "import signal; signal.pause()"])


def test_a_folder_in_use_is_left_alone(scratch: Path) -> None:
    home = scratch / "home"
    with Supervisor(home, _quiet) as first:
        child = first.start(_sleeper("ours"))
        with (
            pytest.raises(FolderInUse, match=str(os.getpid())),
            Supervisor(home, _quiet, patience=0),
        ):
            pytest.fail("two supervisors over one data folder")
        assert child.process.poll() is None


def test_who_waits_for_a_folder_says_so_once_and_then_how_to_go_on(scratch: Path) -> None:
    said: list[str] = []
    home = scratch / "home"
    with Supervisor(home, _quiet):
        waiting = Supervisor(home, said.append, patience=0.5)
        with pytest.raises(FolderInUse, match="BEKAL_HOME"), waiting:
            pytest.fail("two supervisors over one data folder")
    assert said == [f"waiting up to 0.5 s for process {os.getpid()}, which uses {home}"]


def test_a_folder_that_somebody_removed_keeps_no_program_running(scratch: Path) -> None:
    supervisor = Supervisor(scratch / "home", _quiet)
    with pytest.raises(FileNotFoundError), supervisor:
        children = [supervisor.start(_sleeper(name)) for name in ("first", "second")]
        shutil.rmtree(scratch / "home")
    assert all(child.process.poll() is not None for child in children)


def test_engines_are_refused_in_production(scratch: Path) -> None:
    with (
        pytest.raises(RefusedInProduction, match="production"),
        running(scratch / "home", {"BEKAL_ENV": "production"}, _quiet),
    ):
        pytest.fail("embedded engines in production")


def test_nothing_is_left_when_the_supervisor_is_killed(home: Path) -> None:
    with holding(home) as holder:
        assert _count(holder.addresses) == 1
        assert len(processes_of(home)) > 3
        holder.kill()
        wait_until(lambda: not processes_of(home))
    with running(home, {}, _quiet, durable=False) as addresses:
        assert _count(addresses) == 2


def test_a_temporary_folder_goes_even_when_the_supervisor_is_killed(scratch: Path, home: Path) -> None:
    with holding(home, temporary=True) as holder:
        holder.kill()
        wait_until(lambda: not (home).exists())
    assert list(scratch.iterdir()) == []


def test_a_start_clears_what_supervisor_and_watchdog_left_when_both_were_killed(home: Path) -> None:
    with holding(home) as holder:
        _count(holder.addresses)
        watchdog = _watchdog(home)
        watchdog.kill()
        holder.kill()
    with running(home, {}, _quiet, durable=False) as addresses:
        assert _count(addresses) == 2
    assert processes_of(home) == []


def test_a_start_survives_a_postgres_that_was_killed_with_its_supervisor(home: Path) -> None:
    with holding(home) as holder:
        _count(holder.addresses)
        with _connect(holder.addresses["database_admin_url"]) as busy:
            _watchdog(home).suspend()
            data = str((home / "engines" / "postgres" / "data").resolve())
            postmaster = int(Path(data, "postmaster.pid").read_text().split()[0])
            psutil.Process(postmaster).kill()
            watchdog = _watchdog(home)
            holder.kill()
            watchdog.kill()
            with running(home, {}, _quiet, durable=False) as addresses:
                assert _count(addresses) == 2
            assert busy.closed or busy.pgconn is not None
    assert processes_of(home) == []


def _watchdog(home: Path) -> psutil.Process:
    return next(each for each in processes_of(home) if "marketplace.dev.watchdog" in each.cmdline())


def test_sockets_and_passwords_are_private(home: Path) -> None:
    with holding(home) as holder:
        assert stat.S_IMODE(holder.sockets.stat().st_mode) == 0o700
        for name in ("engines.secret.json", "run/engines.json", "engines/valkey/valkey.conf"):
            assert stat.S_IMODE((home / name).stat().st_mode) == 0o600
        servers = [each for each in processes_of(home) if each.name() == "postgres"]
        assert servers
        assert all(not each.net_connections(kind="inet") for each in servers)
        arguments = [" ".join(each.cmdline()) for each in processes_of(home)]
        password = holder.addresses["redis_url"].partition(":@")[0].split(":")[2].partition("@")[0]
        assert all(password not in line for line in arguments)


def test_nobody_enters_without_a_password(home: Path) -> None:
    with running(home, {}, _quiet, durable=False) as addresses:
        url = make_url(addresses.database_url)
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            _connect(url.set(password="wrong").render_as_string(hide_password=False))
        stranger = redis.Redis.from_url(addresses.redis_url.partition("@")[2].join(("redis://", "")))
        with stranger, pytest.raises(redis.exceptions.AuthenticationError):
            stranger.ping()


def test_a_deep_checkout_still_gets_a_short_socket_path(scratch: Path, made: Path) -> None:
    home = scratch / ("deep" * 20) / ("deeper" * 10) / "home"
    home.parent.mkdir(parents=True, mode=0o711)
    home.parent.parent.chmod(0o711)
    _copy(made, home)
    with holding(home) as holder:
        assert len(str(holder.sockets)) < 80
        assert _count(holder.addresses) == 1
        sockets = holder.sockets
    assert not sockets.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="root: only root can close a folder to the engines' account")
def test_root_may_keep_its_installation_in_a_closed_folder(scratch: Path) -> None:
    scratch.chmod(0o700)
    for visit in (1, 2):
        with running(scratch / "home", {}, _quiet, durable=False) as addresses:
            assert _count(addresses) == visit
    assert stat.S_IMODE(scratch.stat().st_mode) == 0o700


def test_an_ordinary_user_needs_no_root(scratch: Path) -> None:
    runner = ordinary_user(scratch)
    house = scratch / "house"
    house.mkdir()
    if runner.uid is not None:
        os.chown(house, runner.uid, runner.uid)
    for visit in (1, 2):
        with holding(house / "home", python=runner) as holder:
            assert _count(holder.addresses) == visit
            assert {each.uids().real for each in processes_of(house / "home")} == {house.stat().st_uid}
    assert processes_of(house / "home") == []


def test_data_of_another_postgres_is_not_touched(home: Path) -> None:
    (home / "engines" / "postgres" / "data" / "PG_VERSION").write_text("17\n")
    with pytest.raises(EngineFailed, match="17"), running(home, {}, _quiet, durable=False):
        pytest.fail("started over data of another version")
