"""The processes of a running Bekal: web, worker, beat and the bank's sandbox."""

import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress

from marketplace.dev.errors import EngineFailed, PortTaken
from marketplace.dev.layout import CHECKOUT
from marketplace.dev.processes import Program
from marketplace.dev.supervisor import Child, log_tail
from marketplace.schedule import ALL_QUEUES

HOST = "127.0.0.1"
_WEB_SECONDS = 60.0


def check_port(port: int) -> None:
    """Raise PortTaken where somebody listens on this loopback port already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise PortTaken(
                f"port {port} is taken by another program; stop it, or choose another one, "
                f"for example: PORT={port + 1} make run"
            ) from error


def web(port: int, environ: Mapping[str, str]) -> Program:
    """The web server, of WEB_CONCURRENCY processes. A factory, so that each makes its own connections."""
    workers = environ.get("WEB_CONCURRENCY", "2")
    options = ["--interface", "wsgi", "--host", HOST, "--port", str(port), "--workers", workers]
    # as many requests at once as there are database connections in a worker's pool
    options += ["--blocking-threads", "8", "--respawn-failed-workers", "--workers-kill-timeout", "10"]
    return _program("web", ["granian", *options, "--factory", "marketplace.app:create_app"], environ)


def worker(environ: Mapping[str, str], concurrency: int = 2) -> Program:
    """The Celery worker for all queues. SIGTERM lets it finish the tasks in hand."""
    options = [
        "--concurrency",
        str(concurrency),
        "--queues",
        ALL_QUEUES,
        "--without-mingle",
        "--without-gossip",
    ]
    return _program(
        "worker", ["celery", "-A", "celery_app", "worker", "--loglevel", "INFO", *options], environ
    )


def beat(environ: Mapping[str, str], schedule: str) -> Program:
    """The Celery beat. Its schedule file is a cache of when each job ran last."""
    return _program("beat", ["celery", "-A", "celery_app", "beat", "--schedule", schedule], environ)


def bank(environ: Mapping[str, str], *arguments: str) -> Program:
    """The bank's sandbox: another institution, hence another process that shares only a folder."""
    return _program("bank", ["bank_sandbox", *arguments], environ)


def wait_for_web(child: Child, port: int) -> None:
    """Return when the web server answers /healthz. Raises EngineFailed with the end of its log."""
    deadline = time.monotonic() + _WEB_SECONDS
    address = f"http://{HOST}:{port}/healthz"
    while time.monotonic() < deadline and child.process.poll() is None:
        with suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            urllib.request.urlopen(address, timeout=5).close()
            return
        time.sleep(0.1)
    raise EngineFailed(f"the web server did not come up; the end of its log:\n{log_tail(child.log)}")


def _program(name: str, module: list[str], environ: Mapping[str, str]) -> Program:
    return Program(
        name=name,
        command=[sys.executable, "-m", *module],
        environment={**os.environ, "PYTHONUNBUFFERED": "1", **environ},
        stop_signal=signal.SIGTERM,
        folder=CHECKOUT,
    )
