"""Starts the programs of one data folder, restarts those that die, and stops them all.

One supervisor holds one data folder. Whatever becomes of it, nothing is left behind: see
`processes` and `watchdog`.
"""

import fcntl
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from marketplace.dev import watchdog
from marketplace.dev.errors import FolderInUse
from marketplace.dev.layout import Layout, prepare
from marketplace.dev.processes import (
    INSTANCE,
    Program,
    kill_group,
    launch,
    record,
    write_records,
)

Say = Callable[[str], None]

_PATIENCE_SECONDS = 45.0
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 15.0
_SOUND_AFTER_SECONDS = 30.0
_LOG_BYTES = 20 * 1024 * 1024


@dataclass(slots=True)
class Child:
    """A program that should be running, and the process that does it."""

    program: Program
    log: Path
    process: subprocess.Popen[bytes]
    since: float
    pause: float = _FIRST_PAUSE
    restart_at: float | None = None


class Supervisor:
    """Context manager over one data folder; programs are started inside it.

    `patience` is how long to wait, in seconds, while another supervisor finishes with the folder.
    `shared` tells commands that they may use these engines. `temporary` removes the whole folder at
    the end, even after a kill. Raises FolderInUse.
    """

    def __init__(
        self,
        home: Path,
        say: Say,
        *,
        patience: float = _PATIENCE_SECONDS,
        shared: bool = False,
        temporary: bool = False,
    ) -> None:
        self.layout: Layout = prepare(home)
        self.say = say
        self.children: list[Child] = []
        self._patience = patience
        self._shared = shared
        self._temporary = temporary
        self._leftovers: list[Path] = []

    @property
    def instance(self) -> str:
        """The mark that every process started here carries in its environment."""
        return str(self.layout.home)

    def __enter__(self) -> "Supervisor":
        self._lock = _locked(self.layout, self._patience, self._shared, self.say)
        watchdog.clean(self.layout.run, self.instance)
        if self._temporary:
            self._note_leftovers(self.layout.home, self.layout.engines)
        self._watchdog = watchdog.Watchdog(self.layout.run, self.instance, self._lock)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.stop()
        finally:
            self._watchdog.dismiss()
            watchdog.clean(self.layout.run, self.instance)
            os.close(self._lock)

    def start(self, program: Program) -> Child:
        """Start a program. It is stopped with the others, in reverse order."""
        marked = replace(program, environment={**program.environment, INSTANCE: self.instance})
        log = self.layout.log / f"{program.name}.log"
        if log.exists() and log.stat().st_size > _LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
        child = Child(marked, log, launch(marked, log), time.monotonic())
        self.children.append(child)
        self._record()
        return child

    def stop(self, name: str | None = None) -> None:
        """Stop one program, or all of them, the last started first.

        The record is written after the last has ended: a folder that somebody removed stops none of it.
        """
        for child in [each for each in reversed(self.children) if name in (None, each.program.name)]:
            _end(child, self.instance)
            self.children.remove(child)
        self._record()

    def look_after(self) -> None:
        """Restart what has died, after a pause that grows while it keeps dying. Call it often."""
        for child in self.children:
            if child.restart_at is not None:
                if time.monotonic() >= child.restart_at:
                    self._restart(child)
            elif child.process.poll() is not None:
                self._mourn(child)

    def socket_folder(self) -> Path:
        """A private folder for Unix sockets whose path is short enough for them."""
        folder = self.layout.sockets_inside
        if folder is None:
            folder = Path(tempfile.mkdtemp(prefix="bekal-", dir="/tmp"))
            self._note_leftovers(folder)
        # a server that was killed leaves its socket's lock behind, and nobody else may be in here
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        folder.chmod(0o700)
        account = self.layout.account
        if account:
            os.chown(folder, account.uid, account.gid)
        return folder

    def _mourn(self, child: Child) -> None:
        kill_group(child.process.pid, self.instance)
        if time.monotonic() - child.since > _SOUND_AFTER_SECONDS:
            child.pause = _FIRST_PAUSE
        self.say(
            f"{child.program.name} ended with {child.process.returncode}; "
            f"starting it again in {child.pause:g} s (see {child.log})"
        )
        child.restart_at = time.monotonic() + child.pause
        child.pause = min(child.pause * 2, _LONGEST_PAUSE)

    def _restart(self, child: Child) -> None:
        child.restart_at = None
        child.process = launch(child.program, child.log)
        child.since = time.monotonic()
        self._record()
        self.say(f"{child.program.name} started again")

    def _record(self) -> None:
        rows = [
            record(child.program, child.process) for child in self.children if child.process.poll() is None
        ]
        write_records(self.layout.run / watchdog.RECORDS, rows)

    def _note_leftovers(self, *folders: Path) -> None:
        self._leftovers += folders
        (self.layout.run / watchdog.LEFTOVERS).write_text("".join(f"{each}\n" for each in self._leftovers))


def log_tail(path: Path, lines: int = 15) -> str:
    """The end of a log, for an error message."""
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else ""


def holder(home: Path) -> dict[str, Any] | None:
    """Who holds a data folder now: `pid`, and `shared` if its engines may be used. None if nobody."""
    path = home / "run" / "lock"
    try:
        lock = path.open()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None  # what is wrong with the folder is said by whoever wants to use it
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            found: dict[str, Any] = json.loads(lock.read() or "{}")
            return found
    return None


def _end(child: Child, instance: str) -> None:
    process = child.process
    if process.poll() is None:
        process.send_signal(child.program.stop_signal)
        with suppress(subprocess.TimeoutExpired):
            process.wait(child.program.grace)
    if process.poll() is None:
        process.kill()
        process.wait()
    kill_group(process.pid, instance)


def _locked(layout: Layout, patience: float, shared: bool, say: Say) -> int:
    lock = os.open(layout.run / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    deadline, told = time.monotonic() + patience, patience == 0
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            by = json.loads(os.pread(lock, 200, 0) or b"{}").get("pid", "unknown")
            if time.monotonic() >= deadline:
                os.close(lock)
                raise FolderInUse(
                    f"{layout.home} is in use by process {by}; stop that first, or choose another data "
                    "folder, for example: BEKAL_HOME=var/second make run"
                ) from error
            if not told:
                say(f"waiting up to {patience:g} s for process {by}, which uses {layout.home}")
                told = True
            time.sleep(0.1)
        else:
            os.ftruncate(lock, 0)
            os.pwrite(lock, json.dumps({"pid": os.getpid(), "shared": shared}).encode(), 0)
            return lock
