"""Everything that `make run` and `make demo` need at once: engines, tables, and the four processes."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from alembic.command import upgrade
from alembic.util import CommandError
from flask_migrate import Migrate
from sqlalchemy.exc import SQLAlchemyError

from marketplace.config import load_settings
from marketplace.core import build_core
from marketplace.db import MIGRATIONS, db
from marketplace.dev import servers, services
from marketplace.dev.engines import start_engines
from marketplace.dev.errors import DevelopmentError, RefusedInProduction
from marketplace.dev.layout import CHECKOUT
from marketplace.dev.processes import INSTANCE
from marketplace.dev.supervisor import Say, Supervisor

SERVER_VARIABLES = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL")


@dataclass
class Stack:
    """A running installation. `environ` is what a further process needs to join it."""

    supervisor: Supervisor
    port: int
    environ: dict[str, str]
    embedded: bool
    _read: dict[Path, int] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://{services.HOST}:{self.port}"

    def flask(self, *arguments: str) -> None:
        """Run a `flask` command in this installation. Raises DevelopmentError with what it said."""
        command = [sys.executable, "-m", "flask", *arguments]
        log = self.supervisor.layout.log / f"{arguments[0]}-{arguments[1]}.log"
        with log.open("wb") as output:
            done = subprocess.run(
                command,
                env=self._marked(),
                cwd=CHECKOUT,
                stdin=subprocess.DEVNULL,
                stderr=output,
                check=False,
            )
        if done.returncode:
            raise DevelopmentError(
                f"`flask {' '.join(arguments)}` failed:\n{log.read_text(errors='replace')}"
            )

    def start_processes(self, *, beat: bool = True) -> None:
        """Start the bank's sandbox, the worker, beat and the web server, and wait for the last."""
        start = self.supervisor.start
        home = self.supervisor.layout.home
        start(services.bank(self.environ, self.environ.get("BANK_FOLDER", str(home / "bank"))))
        start(services.worker(self.environ))
        if beat:
            start(services.beat(self.environ, str(self.supervisor.layout.run / "beat")))
        services.wait_for_web(start(services.web(self.port, self.environ)), self.port)

    def new_lines(self, name: str, marker: str) -> list[str]:
        """Lines with a marker that a process has written since the last call."""
        path = self.supervisor.layout.log / f"{name}.log"
        if not path.exists():
            return []
        with path.open("rb") as log:
            size = log.seek(0, 2)
            start = self._read.get(path, 0)
            log.seek(start if start <= size else 0)
            complete, _, unfinished = log.read().rpartition(b"\n")
            self._read[path] = log.tell() - len(unfinished)
        return [line for line in complete.decode(errors="replace").splitlines() if marker in line]

    def _marked(self) -> dict[str, str]:
        return {**self.environ, INSTANCE: self.supervisor.instance}


@contextmanager
def started(
    home: Path, environ: Mapping[str, str], say: Say, *, port: int, durable: bool = True
) -> Iterator[Stack]:
    """Engines (unless real servers are named) and tables; the processes are the caller's to start.

    `durable` means what it does for `start_engines`: a throw-away folder can do without.

    Raises RefusedInProduction, PortTaken, FolderInUse, EngineFailed and DevelopmentError.
    """
    if environ.get("BEKAL_ENV") == "production":
        raise RefusedInProduction
    _check_servers(environ)
    if environ.get("DATABASE_URL"):
        servers.check_reachable(load_settings(environ))
    services.check_port(port)
    with Supervisor(home, say, shared=True) as supervisor:
        embedded = not environ.get("DATABASE_URL")
        if embedded:
            start_engines(supervisor, environ, durable=durable)
        own = {"BEKAL_HOME": str(supervisor.layout.home), "PORT": str(port)}
        stack = Stack(supervisor, port, {**environ, **own}, embedded)
        _migrate(stack.environ)
        yield stack


def _migrate(environ: Mapping[str, str]) -> None:
    """What `flask db upgrade` does, here and now: a process of its own would need two seconds to start."""
    app = build_core(load_settings(environ))
    Migrate(app, db, directory=str(MIGRATIONS))
    with app.app_context():
        try:
            upgrade(app.extensions["migrate"].migrate.get_config(), "head")
        except (CommandError, SQLAlchemyError) as error:
            raise DevelopmentError(f"the tables cannot be brought up to date: {error}") from error


def _check_servers(environ: Mapping[str, str]) -> None:
    given = [name for name in SERVER_VARIABLES if environ.get(name)]
    if given and len(given) < len(SERVER_VARIABLES):
        missing = ", ".join(name for name in SERVER_VARIABLES if name not in given)
        raise DevelopmentError(f"{', '.join(given)} set, but not {missing}: name all three, or none")
