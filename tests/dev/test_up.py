"""`make run` from outside: the ready line, a dying child, Ctrl-C, kill -9, and commands beside it."""

import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp

import psutil
import pytest

from marketplace.dev.valkey import free_port
from tests import commands
from tests.dev.holding import processes_of
from tests.live import answers, wait_until
from tests.servers import ROOT
from tests.visitors import Visitor

pytestmark = pytest.mark.long

_READY_SECONDS = 120.0


class Terminal:
    """`flask dev up` as a person sees it: lines on a terminal, and Ctrl-C."""

    def __init__(self, home: Path, port: int) -> None:
        self.lines: list[str] = []
        self._new: queue.Queue[str] = queue.Queue()
        self.process = subprocess.Popen(
            _command("dev", "up", "--no-demo"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            env=_environ(home, port),
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._new.put(line.rstrip())

    def wait_for(self, beginning: str, seconds: float = _READY_SECONDS) -> str:
        """The next line with this beginning."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                self.lines.append(self._new.get(timeout=0.2))
            except queue.Empty:
                if self.process.poll() is not None:
                    break
                continue
            if self.lines[-1].startswith(beginning):
                return self.lines[-1]
        pytest.fail("\n".join([f"no line beginning with {beginning!r}; there was:", *self.lines]))

    def end(self, how: signal.Signals) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(how)
        return self.exit_code()

    def exit_code(self) -> int:
        """Wait for the end."""
        code = self.process.wait(60)
        self._reader.join(10)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "flask", *arguments]


def _environ(home: Path, port: int) -> dict[str, str]:
    unset = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "BEKAL_ENV")
    clean = {name: value for name, value in os.environ.items() if name not in unset}
    own = {
        "BEKAL_HOME": str(home),
        "PORT": str(port),
        "TMPDIR": str(home.parent / "tmp"),
        "WEB_CONCURRENCY": "1",
    }
    return clean | own


def _flask(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return commands.flask(_environ(home, 8000), *arguments)


def _child(home: Path, word: str) -> psutil.Process:
    return next(each for each in processes_of(home) if word in each.cmdline() and each.ppid() != 1)


def _socket_folder(home: Path) -> Path:
    """Where PostgreSQL of this installation listens: beside the data, or in /tmp where that path is long."""
    setting = "unix_socket_directories="
    words = (word for each in processes_of(home) for word in each.cmdline() if word.startswith(setting))
    return Path(next(words).removeprefix(setting))


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """One data folder for all, made by whichever comes first: the others start with data that is there."""
    folder = Path(mkdtemp(prefix="bekal-up-"))
    folder.chmod(0o755)
    (folder / "tmp").mkdir()
    yield folder / "home"
    shutil.rmtree(folder)


def test_one_command_starts_everything_and_ctrl_c_stops_it(home: Path) -> None:
    port = free_port()
    terminal = Terminal(home, port)
    assert terminal.wait_for("ready") == f"ready http://127.0.0.1:{port}"
    assert "laptops, CI and demos" in terminal.lines[0]
    assert answers(f"http://127.0.0.1:{port}/healthz")
    names = {" ".join(each.cmdline()) for each in processes_of(home)}
    for part in ("granian", "celery_app worker", "celery_app beat", "bank_sandbox", "postgres", "valkey"):
        assert any(part in name for name in names), part
    with Visitor(f"http://127.0.0.1:{port}") as somebody:
        somebody.open("/masuk")
        somebody.press("Kirim kode", contact="tamu@contoh.test")
        code = re.search(r"\b\d{6}\b", terminal.wait_for("[inbox] tamu@contoh.test"))
        assert code, terminal.lines[-1]
        somebody.press("Masuk", code=code.group())
        assert somebody.path == "/daftar"

    _child(home, "bank_sandbox").kill()
    terminal.wait_for("bank ended with -9")
    terminal.wait_for("bank started again")
    beside = _flask(home, "dev", "clock")
    assert beside.returncode == 0, beside.stderr
    sockets = _socket_folder(home)
    assert sockets.is_dir()
    assert "export DATABASE_OWNER_URL=" in _flask(home, "dev", "engines").stdout, "those that run, at once"

    assert terminal.end(signal.SIGINT) == 0
    assert processes_of(home) == []
    assert not answers(f"http://127.0.0.1:{port}/healthz")
    assert sockets.is_relative_to(home) or not sockets.exists()
    assert list((home.parent / "tmp").iterdir()) == []


def test_nothing_is_left_when_the_whole_service_is_killed(home: Path) -> None:
    port = free_port()
    terminal = Terminal(home, port)
    terminal.wait_for("ready")
    assert terminal.end(signal.SIGKILL) == -9
    wait_until(lambda: processes_of(home) == [], seconds=60)
    again = _flask(home, "dev", "clock")
    assert again.returncode == 0, again.stderr
    assert processes_of(home) == []


def test_a_taken_port_is_said_plainly_and_not_stolen(home: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        terminal = Terminal(home, port)
        terminal.wait_for(f"bekal: port {port} is taken")
        assert terminal.exit_code() == 2
    assert processes_of(home) == []


def test_a_command_starts_stopped_engines_and_stops_them_again(home: Path) -> None:
    migrated = _flask(home, "db", "upgrade")
    assert migrated.returncode == 0, migrated.stderr
    shown = datetime.fromisoformat(_flask(home, "dev", "clock").stdout.strip())
    advanced = datetime.fromisoformat(_flask(home, "dev", "clock", "advance", "10d").stdout.strip())
    assert timedelta(days=10) <= advanced - shown < timedelta(days=10, minutes=10)
    assert processes_of(home) == []

    assert _flask(home, "dev", "sql", "SELECT current_user, 1 + 1").stdout == "bekal_owner\t2\nSELECT 1\n"
    refused = _flask(home, "dev", "sql", "DELETE FROM ledger.transaction")
    assert (refused.returncode, "cannot be changed" in refused.stderr) == (2, True), refused.stderr

    assert _flask(home, "dev", "clock", "advance", "-10d").returncode == 2
    # what the demo leaves: its people would be nobody's logins in a new database
    (home / "demo-people.json").write_text("[]")
    assert _flask(home, "dev", "reset", "--yes").returncode == 0
    assert not home.exists()
