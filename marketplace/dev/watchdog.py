"""Cleans up when the supervisor is killed: `python -m marketplace.dev.watchdog RUN_FOLDER INSTANCE`.

It holds the reading end of a pipe whose other end only the supervisor has. A proper goodbye is one
line; an end without it means that the supervisor was killed, and then its processes are stopped and
its temporary folders removed.
"""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from marketplace.dev.layout import CHECKOUT
from marketplace.dev.processes import INSTANCE, read_records, stop_recorded

GOODBYE = b"goodbye\n"
RECORDS = "processes.json"
LEFTOVERS = "leftovers.txt"


class Watchdog:
    """The supervisor's handle on its watchdog process.

    The watchdog shares the lock on the data folder, so that nobody starts there before it is done.
    """

    def __init__(self, run: Path, instance: str, lock: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "marketplace.dev.watchdog", str(run), instance],
            stdin=subprocess.PIPE,
            cwd=CHECKOUT,
            env=os.environ | {INSTANCE: instance},
            pass_fds=[lock],
            start_new_session=True,
        )

    def dismiss(self) -> None:
        """Tell it that everything was stopped in order, and wait until it is gone."""
        try:
            self._process.communicate(GOODBYE, timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def clean(run: Path, instance: str) -> None:
    """Stop what is recorded in this run folder and remove what only a running installation needs."""
    records = run / RECORDS
    stop_recorded(read_records(records), instance)
    leftovers = run / LEFTOVERS
    folders = leftovers.read_text().splitlines() if leftovers.exists() else []
    for path in (records, leftovers, run / "engines.json"):
        path.unlink(missing_ok=True)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Wait for the supervisor's end and act on its manner."""
    for each in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    if sys.stdin.buffer.read() != GOODBYE:
        clean(Path(sys.argv[1]), sys.argv[2])


if __name__ == "__main__":
    main()
