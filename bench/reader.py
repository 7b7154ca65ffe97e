"""One process of a crowd: a few connections, each asking for one page, or sending one form, after the other.

The request is written and the answer read by hand: a client library would take longer than the server.
"""

import itertools
import socket
import threading
from typing import Any

from bench.worker import serve, settings

_HOST = "127.0.0.1"
_HEADERS = f"Host: {_HOST}\r\nAccept-Encoding: gzip\r\n"
_FORM = "Content-Type: application/x-www-form-urlencoded\r\n"
_CHUNK = 1 << 16
_MARKS = str.maketrans("01", ".,")


class _Own(threading.local):
    """The connections of one thread, by port."""

    def __init__(self) -> None:
        self.connections: dict[int, socket.socket] = {}


class Reader:
    """Knows where each kind of work is served, and the (address, cookie, form) of its requests in turn.

    Of several processes each takes its own: a form is sent once.
    """

    def __init__(self, given: dict[str, Any]) -> None:
        self._works: dict[str, tuple[int, list[tuple[str, str, str]]]] = given["works"]
        self._turns = itertools.count(given["number"], given["processes"])
        self._open = _Own()

    def do(self, work: str) -> int:
        """Ask once. `{n}` in an address becomes marks between words that nobody else writes."""
        port, requests = self._works[work]
        turn = next(self._turns)
        address, cookie, form = requests[turn % len(requests)]
        address = address.replace("{n}", f"{turn:b}".translate(_MARKS))
        head = f"{'POST' if form else 'GET'} {address} HTTP/1.1\r\n{_HEADERS}"
        if cookie:
            head += f"Cookie: bekal={cookie}\r\n"
        if form:
            head += f"{_FORM}Content-Length: {len(form)}\r\n"
        connection = self._connection(port)
        connection.sendall(f"{head}\r\n{form}".encode())
        _read(connection, address, b" 302 " if form else b" 200 ")
        return 1

    def _connection(self, port: int) -> socket.socket:
        connections: dict[int, socket.socket] = self._open.connections
        if port not in connections:
            connections[port] = socket.create_connection((_HOST, port))
        return connections[port]


def _read(connection: socket.socket, address: str, wanted: bytes) -> None:
    """Read one answer to its last byte. Raises RuntimeError for another status than the one wanted."""
    got = connection.recv(_CHUNK)
    while b"\r\n\r\n" not in got:
        got += connection.recv(_CHUNK)
    head, _, body = got.partition(b"\r\n\r\n")
    if wanted not in head[:16]:
        raise RuntimeError(f"{address}: {head[:200]!r}")
    left = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]) - len(body)
    while left > 0:
        left -= len(connection.recv(_CHUNK))


if __name__ == "__main__":
    given = settings()
    serve(given["threads"], Reader(given).do)
