"""The real processes, for journeys: web server, worker and bank sandbox on a database of their own."""

import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from flask import Flask

from marketplace import encryption
from marketplace.config import Settings, load_settings
from marketplace.db import db
from marketplace.dev import services
from marketplace.dev.supervisor import Supervisor
from marketplace.dev.valkey import free_port
from tests import commands
from tests.servers import APPLICATION, OWNER, Servers
from tests.sharing import share_compiled


@dataclass
class Live:
    """A running Bekal. `url` is its address, `settings` are what its processes were started with."""

    settings: Settings
    environ: dict[str, str]
    port: int
    supervisor: Supervisor
    said: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{services.HOST}:{self.port}"

    def start(self, name: str) -> None:
        """Start `web`, `worker`, `beat` or `bank`."""
        programs = {
            "web": lambda: services.web(self.port, self.environ),
            "worker": lambda: services.worker(self.environ),
            "beat": lambda: services.beat(self.environ, str(self.settings.home / "run" / "beat")),
            "bank": lambda: services.bank(self.environ, str(self.settings.bank_folder)),
        }
        child = self.supervisor.start(programs[name]())
        if name == "web":
            services.wait_for_web(child, self.port)

    def stop(self, name: str) -> None:
        """Ask one process to end, and wait until it and its children are gone."""
        self.supervisor.stop(name)

    def kill(self, name: str) -> None:
        """kill -9, as a power cut would; nothing is restarted until `start`."""
        for child in self.supervisor.children:
            if child.program.name == name:
                child.process.kill()
                child.process.wait()
        self.supervisor.stop(name)

    def pid(self, name: str) -> int:
        """The process id of a started program."""
        return next(each.process.pid for each in self.supervisor.children if each.program.name == name)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """A context where `transaction()` is this database's: to set a scene, and to judge the outcome.

        It is no copy of the application, whose Celery would take the place of other tests'.
        """
        app = Flask(__name__)
        app.config["SQLALCHEMY_DATABASE_URI"] = self.settings.database_url
        app.extensions["settings"] = self.settings
        encryption.configure(self.settings.encryption_key)
        db.init_app(app)
        with app.app_context():
            yield
            db.session.remove()
            db.engine.dispose()

    def flask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a `flask` command in this installation, as its operator would."""
        return commands.flask(os.environ | self.environ, *arguments)

    def log(self, name: str) -> str:
        """What a process has written so far."""
        return (self.settings.home / "log" / f"{name}.log").read_text(errors="replace")


@pytest.fixture(scope="module")
def live(
    request: pytest.FixtureRequest,
    servers: Servers,
    worker_number: int,
    tmp_path_factory: pytest.TempPathFactory,
    compiled: Path,
) -> Iterator[Live]:
    """Web, worker and bank sandbox, shared by the tests of one module. Beat: `live.start("beat")`.

    A module whose people see nothing of what a worker does says `PROCESSES = ("web",)`, for a worker would
    write hundreds of letters meanwhile. One web process, unless the module has WEB_PROCESSES: each takes two
    seconds to start.
    """
    name = f"{servers.prefix}_{worker_number}_live"
    servers.clone(name)
    home = tmp_path_factory.mktemp("live")
    share_compiled(compiled, home)
    port = free_port()
    environ = {
        "BEKAL_ENV": "development",
        "BEKAL_HOME": str(home),
        "DATABASE_URL": servers.url(APPLICATION, name),
        "DATABASE_OWNER_URL": servers.url(OWNER, name),
        "REDIS_URL": servers.redis(worker_number + 7),
        "PORT": str(port),
        "BEKAL_TICK_SECONDS": "2",
        "WEB_CONCURRENCY": str(getattr(request.module, "WEB_PROCESSES", 1)),
        # the next module has the same servers, and a catalogue of its own
        "CATALOGUE_SHARED_SECONDS": "0",
    }
    said: list[str] = []
    with Supervisor(home, said.append) as supervisor:
        running = Live(load_settings(environ), environ, port, supervisor, said)
        for process in getattr(request.module, "PROCESSES", ("bank", "worker", "web")):
            running.start(process)
        yield running
    servers.drop(name)


def answers(url: str) -> bool:
    """Whether a web server answers at all."""
    with suppress(OSError):
        urllib.request.urlopen(url, timeout=5).close()
        return True
    return False


def wait_until(condition, seconds: float = 20.0) -> None:  # type: ignore[no-untyped-def] # any callable
    """Wait for something that another process does. Fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"still not so after {seconds:g} s: {condition}")
        time.sleep(0.1)
