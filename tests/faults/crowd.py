"""Many browsers at once, as plain as can be: open connections, forms in hand, and a log of the answers."""

import html
import http.client
import re
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlencode

from tests.visitors import COOKIE

_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')
_SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class Buyer:
    """Somebody on the review page, the finger over the button."""

    port: int
    path: str
    cookie: str
    form: dict[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one browser got: status, where it was sent, what the page said."""

    status: int
    location: str
    body: str


def open_review(port: int, path: str, cookie: str) -> Buyer:
    """Somebody opens the review page, which hands them their form and its key."""
    connection = _connection(port)
    try:
        connection.request("GET", path, headers={"Cookie": f"{COOKIE}={cookie}"})
        answer = connection.getresponse()
        page = answer.read().decode()
        assert answer.status == 200, page
        carried = re.match(rf"{COOKIE}=([^;]+)", answer.getheader("Set-Cookie") or "")
        form = {name: html.unescape(value) for name, value in _HIDDEN.findall(page)}
        return Buyer(port, path, carried.group(1) if carried else cookie, form)
    finally:
        connection.close()


def press_at_once(buyers: Sequence[Buyer]) -> list[Answer]:
    """All of them press together, each over a connection of their own that is already open."""
    start = threading.Barrier(len(buyers), timeout=_SECONDS)
    with ThreadPoolExecutor(len(buyers)) as pool:
        return list(pool.map(lambda buyer: _press(buyer, start), buyers))


def press(buyer: Buyer) -> Answer:
    """One of them presses."""
    return _press(buyer, threading.Barrier(1))


def press_and_hang_up(buyer: Buyer) -> None:
    """Press, and lose the connection before any answer arrives."""
    connection = _connection(buyer.port)
    _send(connection, buyer)
    connection.close()


def _press(buyer: Buyer, start: threading.Barrier) -> Answer:
    connection = _connection(buyer.port)
    try:
        connection.connect()
        start.wait()
        _send(connection, buyer)
        answer = connection.getresponse()
        return Answer(answer.status, answer.getheader("Location") or "", answer.read().decode())
    finally:
        connection.close()


def _send(connection: http.client.HTTPConnection, buyer: Buyer) -> None:
    headers = {"Cookie": f"{COOKIE}={buyer.cookie}", "Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", buyer.path, urlencode(buyer.form), headers)


def _connection(port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
