"""PostgreSQL and Valkey for one data folder, started together under one supervisor."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from marketplace.dev import binaries, postgres, valkey
from marketplace.dev.errors import EngineFailed, RefusedInProduction
from marketplace.dev.layout import Layout, make_engine_folder
from marketplace.dev.supervisor import Say, Supervisor, holder, log_tail

_PORT_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the engines are: the application's role, the owner's, the superuser's, and Valkey."""

    database_url: str
    database_owner_url: str
    database_admin_url: str
    redis_url: str


def start_engines(supervisor: Supervisor, environ: Mapping[str, str], *, durable: bool = True) -> Addresses:
    """Start both engines and write their addresses for `marketplace.config`.

    `durable` keeps every acknowledged transaction through a power cut; tests do without.
    Raises RefusedInProduction and EngineFailed.
    """
    if environ.get("BEKAL_ENV") == "production":
        raise RefusedInProduction
    layout = supervisor.layout
    make_engine_folder(layout)
    programs = binaries.locate(layout)
    passwords = _passwords(layout)
    sockets = _start_postgres(supervisor, programs.postgres, passwords, durable)
    redis_url = _start_valkey(supervisor, programs.valkey, passwords["valkey"], durable)
    addresses = Addresses(
        database_url=postgres.url(sockets, passwords, postgres.APPLICATION),
        database_owner_url=postgres.url(sockets, passwords, postgres.OWNER),
        database_admin_url=postgres.url(sockets, passwords, postgres.SUPERUSER, "postgres"),
        redis_url=redis_url,
    )
    _write_private(layout.addresses, asdict(addresses))
    return addresses


def find_running(home: Path) -> Addresses | None:
    """Where the engines of this data folder are that somebody else keeps running, or None."""
    found = holder(home)
    file = home / "run" / "engines.json"
    if not (found and found.get("shared") and file.exists()):
        return None
    return Addresses(**json.loads(file.read_text()))


@contextmanager
def running(
    home: Path,
    environ: Mapping[str, str],
    say: Say,
    *,
    durable: bool = True,
    shared: bool = False,
    temporary: bool = False,
) -> Iterator[Addresses]:
    """The engines alone, for as long as the block runs. The words mean what they do for Supervisor."""
    with Supervisor(home, say, shared=shared, temporary=temporary) as supervisor:
        yield start_engines(supervisor, environ, durable=durable)


def _start_postgres(
    supervisor: Supervisor, programs: Path, passwords: Mapping[str, str], durable: bool
) -> Path:
    layout = supervisor.layout
    postgres.create(layout, programs, passwords, durable)
    postgres.clear_remains(layout)
    sockets = supervisor.socket_folder()
    child = supervisor.start(postgres.program(layout, programs, sockets, durable))
    try:
        postgres.wait_until_ready(child.process, sockets, passwords[postgres.SUPERUSER])
    except EngineFailed as error:
        raise EngineFailed(f"{error}; the end of its log:\n{log_tail(child.log)}") from error
    postgres.create_roles(sockets, passwords)
    return sockets


def _start_valkey(supervisor: Supervisor, program: Path, password: str, durable: bool) -> str:
    """Another program may take the port between our look and Valkey's start: then try the next."""
    for attempt in range(1, _PORT_ATTEMPTS + 1):
        port = valkey.free_port()
        configuration = valkey.create(supervisor.layout, port, password, durable)
        child = supervisor.start(valkey.program(supervisor.layout, program, configuration))
        address = valkey.url(port, password)
        try:
            valkey.wait_until_ready(child.process, address)
        except EngineFailed as error:
            supervisor.stop("valkey")
            if attempt == _PORT_ATTEMPTS:
                raise EngineFailed(f"{error}; the end of its log:\n{log_tail(child.log)}") from error
        else:
            return address
    raise AssertionError("unreachable: the last attempt returns or raises")


def _passwords(layout: Layout) -> dict[str, str]:
    """Made at the first start, kept next to the data."""
    if layout.secrets.exists():
        known: dict[str, str] = json.loads(layout.secrets.read_text())
        return known
    names = (postgres.SUPERUSER, postgres.OWNER, postgres.APPLICATION, "valkey")
    passwords = {name: postgres.new_password() for name in names}
    _write_private(layout.secrets, passwords)
    return passwords


def _write_private(path: Path, content: Mapping[str, str]) -> None:
    draft = path.with_suffix(".new")
    draft.touch(0o600)
    draft.write_text(json.dumps(content, indent=1))
    draft.replace(path)
