"""One embedded Valkey on a loopback port of its own, behind a password.

A Unix socket would be more private, but Celery, redis-py and limits spell such an address in three
different ways, and the service has one REDIS_URL.
"""

import os
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import redis

from marketplace.dev.errors import EngineFailed
from marketplace.dev.layout import Layout
from marketplace.dev.postgres import environment
from marketplace.dev.processes import Program

HOST = "127.0.0.1"
DATABASES = 64

_START_SECONDS = 20.0


def free_port() -> int:
    """A loopback port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


def create(layout: Layout, port: int, password: str, durable: bool) -> Path:
    """Write the configuration. The password is in this file and not among the arguments, which
    every user of the machine can list."""
    folder = layout.engines / "valkey"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o700)
    configuration = folder / "valkey.conf"
    configuration.touch(0o600)
    configuration.write_text(_configuration(folder, port, password, durable))
    if layout.account:
        for path in (folder, configuration):
            os.chown(path, layout.account.uid, layout.account.gid)
    return configuration


def _configuration(folder: Path, port: int, password: str, durable: bool) -> str:
    lines = [
        f"bind {HOST}",
        f"port {port}",
        f"requirepass {password}",
        f"dir {_quoted(folder)}",
        f"databases {DATABASES}",
        "protected-mode yes",
        'save ""',
        f"appendonly {'yes' if durable else 'no'}",
        "appendfsync everysec",
    ]
    return "\n".join(lines) + "\n"


def _quoted(folder: Path) -> str:
    escaped = str(folder).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def program(layout: Layout, binary: Path, configuration: Path) -> Program:
    """How the server is started and stopped."""
    return Program(
        name="valkey",
        command=[str(binary), str(configuration)],
        environment=environment(),
        account=layout.account,
        folder=configuration.parent,
    )


def url(port: int, password: str, database: int = 0) -> str:
    """The address as Celery, redis-py and limits all understand it."""
    return f"redis://:{password}@{HOST}:{port}/{database}"


def wait_until_ready(server: subprocess.Popen[bytes], address: str) -> None:
    """Return when the server answers. Raises EngineFailed when it ends or stays mute."""
    deadline = time.monotonic() + _START_SECONDS
    client = redis.Redis.from_url(address)
    try:
        while time.monotonic() < deadline and server.poll() is None:
            with suppress(redis.exceptions.ConnectionError):
                client.ping()
                return
            time.sleep(0.05)
    finally:
        client.close()
    raise EngineFailed("Valkey did not start")
