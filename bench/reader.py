"""One process of a crowd of readers: a few connections, each asking for a page after the other.

The request is written and the answer read by hand: a client library would take longer than the server.
"""

import itertools
import socket
import threading
from typing import Any

from bench.worker import serve, settings

_HOST = "127.0.0.1"
_HEADERS = f"Host: {_HOST}\r\nAccept-Encoding: gzip\r\n"
_CHUNK = 1 << 16


class _Own(threading.local):
    """The connections of one thread, by port."""

    def __init__(self) -> None:
        self.connections: dict[int, socket.socket] = {}


class Reader:
    """Knows where each kind of page is served, and the addresses to ask for in turn."""

    def __init__(self, given: dict[str, Any]) -> None:
        self._works: dict[str, tuple[int, list[str]]] = given["works"]
        self._turns = itertools.count(given["number"] * 1_000_003)
        self._open = _Own()

    def do(self, work: str) -> int:
        """Ask for one page. `{n}` in an address becomes a number that nobody else uses."""
        port, addresses = self._works[work]
        turn = next(self._turns)
        address = addresses[turn % len(addresses)].replace("{n}", str(turn))
        connection = self._connection(port)
        connection.sendall(f"GET {address} HTTP/1.1\r\n{_HEADERS}\r\n".encode())
        _read(connection, address)
        return 1

    def _connection(self, port: int) -> socket.socket:
        connections: dict[int, socket.socket] = self._open.connections
        if port not in connections:
            connections[port] = socket.create_connection((_HOST, port))
        return connections[port]


def _read(connection: socket.socket, address: str) -> None:
    """Read one answer to its last byte. Raises RuntimeError for anything but 200."""
    got = connection.recv(_CHUNK)
    while b"\r\n\r\n" not in got:
        got += connection.recv(_CHUNK)
    head, _, body = got.partition(b"\r\n\r\n")
    if b" 200 " not in head[:16]:
        raise RuntimeError(f"{address}: {head[:200]!r}")
    left = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]) - len(body)
    while left > 0:
        left -= len(connection.recv(_CHUNK))


if __name__ == "__main__":
    given = settings()
    serve(given["threads"], Reader(given).do)
