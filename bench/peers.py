"""Other ledgers on the same server in the same rounds, each in an environment of its own."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.crowd import ROOT, Crowd, crowd, listen, start
from bench.figures import Figure, at_least
from bench.rates import PROCESSES, PROVIDERS, THREADS, Contender, turn
from bench.server import Server
from marketplace.dev.postgres import OWNER

Say = Callable[[str], None]

_GOAL = 2
# newer ones need a newer Python, and the older one an older Django
_OPENEDX, _DJANGO, _HISTORY = (
    ("2.1.0", "5.2.19", "3.13.0") if sys.version_info >= (3, 12) else ("1.5.7", "4.2.27", "3.8.0")
)
# kept for the next run, until `make clean`
_ENVIRONMENTS = ROOT / "var" / "bench"


@dataclass(frozen=True, slots=True)
class Peer:
    """Another ledger: what it needs from PyPI, and the worker that drives it.

    `alone` is installed without what it asks for: openedx-ledger names a driver of MySQL, which would have to
    be compiled, and what only its pages use.
    """

    name: str
    module: str
    requirements: Sequence[str]
    alone: Sequence[str] = ()


PEERS = (
    Peer(
        "django-hordak 2.0.0",
        "bench.apart.hordak",
        ["django-hordak==2.0.0", "Django==5.2.19", "psycopg[binary,pool]==3.3.9"],
    ),
    Peer(
        f"openedx-ledger {_OPENEDX}",
        "bench.apart.openedx",
        [
            f"Django=={_DJANGO}",
            "django-model-utils==5.0.0",
            f"django-simple-history=={_HISTORY}",
            "edx-django-utils==8.1.0",
            "jsonfield2==4.0.0.post0",
            "psycopg[binary,pool]==3.3.9",
            "redis==8.1.0",
        ],
        [f"openedx-ledger=={_OPENEDX}"],
    ),
)


@contextmanager
def contenders(server: Server, payers: int, say: Say) -> Iterator[dict[str, Contender]]:
    """Both cases of every peer, ready to run. pgledger is in no registry of packages and is left out."""
    say("pgledger is left out: no package registry has it")
    runs: dict[str, Contender] = {}
    with ExitStack() as stack:
        for number, peer in enumerate(PEERS):
            python = _environment(peer, say)
            workers = stack.enter_context(_workers(server, peer, f"peer{number}", python, payers))
            for work in ("hot", "spread"):
                runs[f"{peer.name}, {work}"] = turn(workers, work)
        yield runs


def figures(medians: Mapping[str, float], names: Sequence[str]) -> list[Figure]:
    """Each peer's rates, and ours against the fastest of them on the hot case."""
    if not names:
        return []
    fastest = max(medians[name] for name in names if name.endswith(", hot"))
    found = [Figure(name, medians[name], "tx/s") for name in names]
    return [*found, at_least("post(), hot, to the fastest peer, hot", medians["hot"], "tx/s", fastest, _GOAL)]


def _environment(peer: Peer, say: Say) -> str:
    """The Python that has this peer installed, and nothing of ours."""
    folder = _ENVIRONMENTS / peer.name.replace(" ", "-")
    if not (folder / "complete").exists():
        say(f"installing {peer.name} in an environment of its own, {folder}")
        _install(peer, folder)
        (folder / "complete").touch()
    return str(folder / "bin" / "python")


def _install(peer: Peer, folder: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    python = str(folder / "bin" / "python")
    pip = [python, "-m", "pip", "install", "--quiet", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *peer.requirements], check=True)
    if peer.alone:
        subprocess.run([*pip, "--no-deps", *peer.alone], check=True)


@contextmanager
def _workers(server: Server, peer: Peer, database: str, python: str, payers: int) -> Iterator[Crowd]:
    server.create_database(database)
    settings = {
        "database": _django_address(server, database),
        "redis_url": server.redis_url,
        "payers": payers,
        "providers": PROVIDERS,
        "threads": THREADS,
        "prepare": False,
    }
    with start(peer.module, {**settings, "prepare": True}, python) as preparing:
        listen(preparing)
    with crowd(peer.module, PROCESSES, settings, python) as workers:
        yield workers


def _django_address(server: Server, database: str) -> dict[str, Any]:
    url = server.roles[OWNER]
    return {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": url.query["host"],
        "PORT": url.query["port"],
        "USER": url.username,
        "PASSWORD": url.password,
        "NAME": database,
        "CONN_MAX_AGE": None,
    }
