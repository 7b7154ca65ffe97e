"""Stopped engines start for one command and stop after it: `flask ledger verify` just works."""

import atexit
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from marketplace.dev.engines import find_running, start_engines
from marketplace.dev.errors import FolderInUse
from marketplace.dev.supervisor import Say, Supervisor

# these need no database, or start it themselves
_WITHOUT = frozenset({"dev up", "dev engines", "dev reset", "dev demo", "routes", "shell-completion"})
_PATIENCE_SECONDS = 120.0


def needs_engines(arguments: Sequence[str]) -> bool:
    """Whether a `flask` command line asks for a command that reads the database."""
    words = [word for word in arguments if not word.startswith("-")]
    if not words or "--help" in arguments or "--version" in arguments:
        return False
    return words[0] not in _WITHOUT and " ".join(words[:2]) not in _WITHOUT


def ensure_engines(arguments: Sequence[str], environ: Mapping[str, str], say: Say) -> None:
    """Have engines running while this process lives, unless real servers are named.

    Call before settings are loaded. Engines of a running `make run` are used; those of another
    command end with it, so we wait for our turn. Raises EngineFailed and FolderInUse.
    """
    if (
        environ.get("DATABASE_URL")
        or environ.get("BEKAL_ENV") == "production"
        or not needs_engines(arguments)
    ):
        return
    home = Path(environ.get("BEKAL_HOME", "var")).resolve()
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not (find_running(home) or _start(home, environ, say)):
        if time.monotonic() > deadline:
            raise FolderInUse(f"{home} is still in use by another command after {_PATIENCE_SECONDS:g} s")
        time.sleep(0.1)


def _start(home: Path, environ: Mapping[str, str], say: Say) -> bool:
    with ExitStack() as stack:
        try:
            supervisor = stack.enter_context(Supervisor(home, say, patience=0))
        except FolderInUse:
            return False
        start_engines(supervisor, environ)
        atexit.register(stack.pop_all().close)
    return True
