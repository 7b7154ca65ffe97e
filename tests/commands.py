"""`flask` commands as processes of their own that need not start from nothing.

A command spends a second on importing what all of them import, and the suite runs a hundred. Here a
process that has imported it already splits itself for each: Python's own fork server. Folder, environment,
output and exit code are the command's own, as they are from a terminal.
"""

import atexit
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from multiprocessing.context import ForkServerContext
from pathlib import Path

from tests.servers import ROOT

_WRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
_READY = [
    "flask.cli",
    "celery",
    "marketplace.command",
    "marketplace.core",
    "marketplace.cli.ledger",
    "marketplace.cli.schemes",
    "tests.ledger.clerks",
]


BEAN_CHECK = (sys.executable, "-m", "beancount.scripts.check", "--no-cache")
"""What `bean-check` runs, wherever this Python finds its packages."""


def flask(environ: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a `flask` command in an installation, as its operator would. `environ` is all that it sees."""
    with tempfile.TemporaryDirectory(prefix="bekal-command-") as folder:
        said, complained = Path(folder, "out"), Path(folder, "err")
        command = fork_server().Process(
            target=_become, args=(arguments, dict(environ), str(said), str(complained))
        )
        command.start()
        command.join()
        code = command.exitcode
        assert code is not None  # it has ended
        command.close()
        return subprocess.CompletedProcess(arguments, code, said.read_text(), complained.read_text())


def fork_server() -> ForkServerContext:
    """How a process is split from the one that has imported everything; there is one, so it serves all."""
    context = multiprocessing.get_context("forkserver")
    # does nothing once the server runs
    context.set_forkserver_preload(_READY)
    return context


def _become(arguments: Sequence[str], environ: Mapping[str, str], said: str, complained: str) -> None:
    """What the new process does: take on a command's surroundings, and run it."""
    for descriptor, path, mode in ((0, os.devnull, os.O_RDONLY), (1, said, _WRITE), (2, complained, _WRITE)):
        opened = os.open(path, mode, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv = ["flask", *arguments]
    from flask.cli import main

    try:
        main()
    finally:
        # a process of the fork server ends without it
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
