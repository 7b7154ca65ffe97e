"""One embedded PostgreSQL: made once, reachable over a private Unix socket only."""

import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from marketplace.dev.errors import EngineFailed
from marketplace.dev.layout import Layout
from marketplace.dev.processes import Program, wait_gone, working_in

Connection = psycopg.Connection[tuple[object, ...]]

OWNER = "bekal_owner"
APPLICATION = "bekal_app"
SUPERUSER = "postgres"
DATABASE = "bekal"
MAJOR = "18"

_START_SECONDS = 60.0
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # in the data folder, where it goes with the rest, instead of /dev/shm, where a kill leaves it
    "dynamic_shared_memory_type": "mmap",
    "jit": "off",
    "log_line_prefix": "%m [%p] %u@%d ",
}
# a crash of the machine loses the data, which a test throws away anyhow
_FORGETFUL = {
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum_naptime": "1h",
}


def data_folder(layout: Layout) -> Path:
    """Where the cluster lies."""
    return layout.engines / "postgres" / "data"


def create(layout: Layout, binaries: Path, passwords: Mapping[str, str], durable: bool) -> None:
    """Run initdb, once. A cluster that was half made when the power went is thrown away first."""
    data = data_folder(layout)
    if data.exists():
        _check_version(data)
        return
    parent = data.parent
    parent.mkdir(exist_ok=True)
    parent.chmod(0o700)
    password_file = parent / "password"
    password_file.touch(0o600)
    password_file.write_text(passwords[SUPERUSER] + "\n")
    if layout.account:
        for path in (parent, password_file):
            os.chown(path, layout.account.uid, layout.account.gid)
    try:
        _initdb(layout, binaries, parent / "draft", password_file, durable)
    finally:
        password_file.unlink()
    (parent / "draft").rename(data)


def _initdb(layout: Layout, binaries: Path, draft: Path, password_file: Path, durable: bool) -> None:
    shutil.rmtree(draft, ignore_errors=True)
    account = layout.account
    command = [binaries / "initdb", "-D", draft, "-U", SUPERUSER, "--pwfile", password_file, "-E", "UTF8"]
    command += ["--auth=scram-sha-256", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    result = subprocess.run(
        [*map(str, command), *([] if durable else ["--no-sync"])],
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
        cwd=draft.parent,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )
    if result.returncode:
        raise EngineFailed(f"PostgreSQL could not make its data folder:\n{result.stdout}{result.stderr}")


def _check_version(data: Path) -> None:
    found = (data / "PG_VERSION").read_text().strip()
    if found != MAJOR:
        raise EngineFailed(f"{data} was made by PostgreSQL {found}, and this is {MAJOR}: `flask dev reset`")


def environment() -> dict[str, str]:
    """What the engines see of our environment: next to nothing."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def program(layout: Layout, binaries: Path, sockets: Path, durable: bool) -> Program:
    """How the server is started and stopped. SIGINT is its fast, orderly shutdown."""
    data = data_folder(layout)
    settings = _SETTINGS | {"unix_socket_directories": str(sockets)} | ({} if durable else _FORGETFUL)
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return Program(
        name="postgres",
        command=[str(binaries / "postgres"), "-D", str(data), *options],
        environment=environment(),
        account=layout.account,
        stop_signal=signal.SIGINT,
        grace=30.0,
        folder=data,
    )


def clear_remains(layout: Layout) -> None:
    """Wait for processes of a server whose parent was killed; end them if they do not by themselves.

    As long as one lives, a new server refuses to start over the same data. When none does, the dead
    server's lock file goes too: PostgreSQL takes a zombie that nobody has collected for a live one.
    """
    data = data_folder(layout)
    remains = working_in(data, "postgres")
    if remains:
        wait_gone(remains, 5.0)
    if not working_in(data, "postgres"):
        (data / "postmaster.pid").unlink(missing_ok=True)


def url(sockets: Path, passwords: Mapping[str, str], role: str, database: str = DATABASE) -> str:
    """A role's SQLAlchemy address over the private socket."""
    return f"postgresql+psycopg://{role}:{passwords[role]}@/{database}?host={quote(str(sockets))}&port=5432"


def connect(sockets: Path, password: str, database: str = "postgres") -> Connection:
    """A connection as the superuser, each statement its own transaction."""
    return psycopg.connect(
        host=str(sockets), port=5432, user=SUPERUSER, password=password, dbname=database, autocommit=True
    )


def wait_until_ready(server: subprocess.Popen[bytes], sockets: Path, password: str) -> None:
    """Return when the server answers. Raises EngineFailed when it ends or stays mute."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with suppress(psycopg.OperationalError):
            connect(sockets, password).close()
            return
        time.sleep(0.05)
    raise EngineFailed("PostgreSQL did not start")


def create_roles(sockets: Path, passwords: Mapping[str, str]) -> None:
    """The two roles and the database: an owner that migrates, an application that owns nothing."""
    with connect(sockets, passwords[SUPERUSER]) as connection:
        roles = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
        for role in (OWNER, APPLICATION):
            if role not in roles:
                connection.execute(
                    sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                        sql.Identifier(role), sql.Literal(passwords[role])
                    )
                )
        databases = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
        if DATABASE not in databases:
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(OWNER))
            )
            _close_to_others(connection)


def _close_to_others(connection: Connection) -> None:
    connection.execute(f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC")
    connection.execute(f"GRANT CONNECT ON DATABASE {DATABASE} TO {APPLICATION}")


def new_password() -> str:
    """A password that needs no quoting anywhere."""
    return secrets.token_hex(24)
