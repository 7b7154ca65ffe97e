"""A process that holds engines until it is told to stop: what the tests kill."""

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from marketplace.dev.layout import Account
from tests.servers import ROOT

_OTHERS = ("docs", "static", "templates", "tests", "share", "include", "site-packages", "versions")

_SCRIPT = """
import json, signal, sys
from dataclasses import asdict
from pathlib import Path
from marketplace.dev.engines import running
from marketplace.dev.signals import until_stopped

temporary = sys.argv[2] == "1"
with until_stopped(), running(Path(sys.argv[1]), {}, print, durable=False, temporary=temporary) as found:
    print(json.dumps(asdict(found)), flush=True)
    signal.pause()
"""


@dataclass
class Holder:
    """The holding process and the addresses that it announced."""

    process: subprocess.Popen[str]
    addresses: dict[str, str]

    @property
    def sockets(self) -> Path:
        return Path(self.addresses["database_url"].partition("host=")[2].partition("&")[0])

    def kill(self) -> None:
        """kill -9, which no program can prepare for."""
        self.process.kill()
        self.process.wait()


@contextmanager
def holding(home: Path, *, temporary: bool = False, python: "Runner | None" = None) -> Iterator[Holder]:
    """Engines held by another process; it is stopped at the end unless the test has killed it."""
    runner = python or Runner(sys.executable, {}, None)
    process = subprocess.Popen(
        [runner.executable, "-c", _SCRIPT, str(home), "1" if temporary else "0"],
        stdout=subprocess.PIPE,
        text=True,
        cwd="/",
        env={**os.environ, "PYTHONPATH": str(ROOT), **runner.environ},
        user=runner.uid,
        group=runner.uid,
        extra_groups=[] if runner.uid else None,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    try:
        yield Holder(process, json.loads(line))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        process.stdout.close()


@dataclass(frozen=True)
class Runner:
    """Which Python to run, and as whom."""

    executable: str
    environ: dict[str, str]
    uid: int | None


def processes_of(home: Path) -> list[psutil.Process]:
    """Everything that runs because of a data folder: marked, or working inside it."""
    return [process for process in psutil.process_iter() if _belongs(process, str(home))]


def _belongs(process: psutil.Process, home: str) -> bool:
    try:
        if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
            return False
        return process.cwd().startswith(home) or process.environ().get("BEKAL_INSTANCE") == home
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def ordinary_user(scratch: Path) -> Runner:
    """How to run Python as somebody who is not root; as ourselves where we are not.

    Where closed folders hide Python, its packages or the checkout, they get second names.
    """
    if os.geteuid() != 0:
        return Runner(sys.executable, {}, None)
    entry = pwd.getpwnam("nobody")
    account = Account(entry.pw_uid, entry.pw_gid)
    packages = Path(next(path for path in sys.path if path.endswith("site-packages")))
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    base = _reachable(Path(sys.base_prefix), scratch / "python", account)
    paths = (
        _reachable(ROOT, scratch / "checkout", account),
        _reachable(packages, scratch / "packages", account),
    )
    environ = {"PYTHONPATH": ":".join(map(str, paths)), "LD_LIBRARY_PATH": str(base / "lib")}
    return Runner(str(base / "bin" / version), environ, account.uid)


def _reachable(source: Path, target: Path, account: Account) -> Path:
    if account.may_enter(source):
        return source
    # of Python only itself, of a checkout only the code
    unneeded = shutil.ignore_patterns("test", ".git", ".venv", "var", "__pycache__", *_OTHERS)
    shutil.copytree(source, target, copy_function=os.link, symlinks=True, ignore=unneeded)
    return target
