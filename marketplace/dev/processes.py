"""Starting processes that die with us, recording them, and finding what an earlier run left.

Three nets, because each has a hole: the kernel signals a child when its parent dies (Linux only);
a watchdog process notices the end of a pipe (it can be killed too); and what is recorded on disk is
looked for at the next start (by process id *and* start time, for ids are used again).
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from marketplace.dev.layout import Account

INSTANCE = "BEKAL_INSTANCE"
"""Every process that we start carries the data folder's path under this name in its environment."""

_PR_SET_PDEATHSIG = 1
_SAME_START_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Program:
    """What to start, as whom, and how it wants to be stopped.

    `stop_signal` asks it to end, within `grace` seconds; then its process group is killed.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 15.0
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One running process as written to disk: enough to know it again, and to stop it."""

    name: str
    pid: int
    started: float
    stop_signal: int
    grace: float

    def process(self) -> psutil.Process | None:
        """The process, if it still is the one recorded."""
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(self.pid)
            if abs(process.create_time() - self.started) < _SAME_START_SECONDS and is_alive(process):
                return process
        return None


def launch(program: Program, log: Path) -> subprocess.Popen[bytes]:
    """Start a program in a process group of its own, with its output in a log file."""
    account = program.account
    with log.open("ab") as output:
        return subprocess.Popen(
            list(program.command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(program.environment),
            cwd=program.folder,
            start_new_session=True,
            preexec_fn=_dies_with_parent(program.stop_signal),  # nothing here starts processes from threads
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )


def record(program: Program, child: subprocess.Popen[bytes]) -> Record:
    """What to write down about a started child."""
    try:
        started = psutil.Process(child.pid).create_time()
    except psutil.NoSuchProcess:
        started = 0.0
    return Record(program.name, child.pid, started, program.stop_signal, program.grace)


def write_records(path: Path, records: Iterable[Record]) -> None:
    """Replace the list of running processes in one step, so that a reader never sees half of it."""
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps([asdict(each) for each in records]))
    draft.replace(path)


def read_records(path: Path) -> list[Record]:
    """The list that the last supervisor left; empty when it ended properly."""
    if not path.exists():
        return []
    return [Record(**row) for row in json.loads(path.read_text())]


def stop_recorded(records: Iterable[Record], instance: str) -> None:
    """Stop processes of a supervisor that is gone, the last started first."""
    for each in reversed(list(records)):
        process = each.process()
        if process is not None:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(each.stop_signal)
            wait_gone([process], each.grace)
        kill_group(each.pid, instance)


def kill_group(leader: int, instance: str) -> None:
    """Kill what outlived the leader of a process group.

    Numbers are used again, so a member must also carry the mark that `launch` put into its
    environment.
    """
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied, ProcessLookupError):
            if os.getpgid(process.pid) == leader and process.environ().get(INSTANCE) == instance:
                process.kill()


def wait_gone(processes: Sequence[psutil.Process], seconds: float) -> None:
    """Wait for processes to end; kill those that do not in time.

    A zombie counts as gone: its parent is dead, and when it is collected is up to the system.
    """
    _wait(processes, seconds)
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    _wait(processes, 5.0)


def _wait(processes: Sequence[psutil.Process], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while any(map(is_alive, processes)) and time.monotonic() < deadline:
        time.sleep(0.05)


def working_in(folder: Path, name: str) -> list[psutil.Process]:
    """Processes of a given name whose current folder is this one: a PostgreSQL server's remains."""
    found = []
    for process in psutil.process_iter(["name"]):
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if process.info["name"] == name and process.cwd() == str(folder) and is_alive(process):
                found.append(process)
    return found


def is_alive(process: psutil.Process) -> bool:
    """Whether a process still does something: a zombie only waits to be collected."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _dies_with_parent(death_signal: signal.Signals) -> Callable[[], None] | None:
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def in_child() -> None:
        prctl(_PR_SET_PDEATHSIG, int(death_signal))
        if os.getppid() != parent:  # the parent died before the kernel was told
            os._exit(1)

    return in_child
