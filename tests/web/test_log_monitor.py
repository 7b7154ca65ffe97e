"""A monitor in another house follows the public log over a socket; all it has is the verifier key."""

from collections.abc import Iterator
from decimal import Decimal
from threading import Thread

import httpx
import pytest
from flask import Flask
from pymerkle import InmemoryTree
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

import ledger
from ledger import Posting, TransactionRequest, merkle
from ledger.verify_receipt import (
    Checkpoint,
    Refused,
    VerifierKey,
    check_consistency,
    read_checkpoint,
    read_key,
)
from marketplace.db import transaction
from marketplace.oversight import tasks
from tests import factories
from tests.watermark import wait_for_others

WIDTH = 256


class Monitor:
    """Keeps the last checkpoint and every entry; complains when a later log does not continue what it saw."""

    def __init__(self, http: httpx.Client, key: VerifierKey) -> None:
        self.http, self.key = http, key
        self.seen: Checkpoint | None = None
        self.tree = InmemoryTree(algorithm="sha256")

    def follow(self) -> int:
        """Look at the log again and return its size. Raises Refused."""
        newest = read_checkpoint(self.get("checkpoint").decode(), self.key)
        if self.seen is not None:
            # the proof is put together from tiles: the log need not answer questions
            path = merkle.consistency_path(self.seen.size, newest.size, self.reader(newest.size))
            check_consistency(self.seen.size, self.seen.root, newest.size, newest.root, path)
        for number in range(self.tree.get_size() // WIDTH, -(-newest.size // WIDTH)):
            entries = list(split(self.get(f"tile/entries/{name(number, newest.size)}")))
            self.tree.append_entries(entries[self.tree.get_size() - number * WIDTH :])
        if self.tree.get_root() != newest.root:
            raise Refused("the entries are not those that were signed")
        self.seen = newest
        return newest.size

    def reader(self, size: int) -> merkle.Reader:
        def read(node: merkle.Subtree) -> bytes:
            height, number = node
            level, spans = divmod(height, 8)
            tile, start = divmod(number << spans, WIDTH)
            hashes = self.get(f"tile/{level}/{name(tile, size >> (8 * level))}")
            part = hashes[start * 32 : (start + (1 << spans)) * 32]
            return merkle.hash_of([part[at : at + 32] for at in range(0, len(part), 32)])

        return read

    def get(self, path: str) -> bytes:
        return self.http.get(f"/log/{path}").raise_for_status().content


def name(number: int, hashes: int) -> str:
    """Tiles of these logs have numbers below 1.000."""
    width = min(WIDTH, hashes - number * WIDTH)
    return f"{number:03d}" + ("" if width == WIDTH else f".p/{width}")


def split(bundle: bytes) -> Iterator[bytes]:
    while bundle:
        end = 2 + int.from_bytes(bundle[:2], "big")
        yield bundle[2:end]
        bundle = bundle[end:]


@pytest.fixture
def http(app: Flask) -> Iterator[httpx.Client]:
    """A connection to the application behind a socket of its own."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    with httpx.Client(base_url=f"http://127.0.0.1:{server.server_port}", trust_env=False) as client:
        yield client
    server.shutdown()
    thread.join()
    server.server_close()


def write(session: Session, batch: str, count: int) -> None:
    """Write so many transactions and seal them."""
    with transaction() as current:
        factories.fund_scheme(current)
        postings = [Posting("bank:treasury", "fund:2023", Decimal(1))]
        requests = [
            TransactionRequest(f"{batch}:{each}", "appropriation", postings) for each in range(count - 1)
        ]
        ledger.post_many(current, requests)
    wait_for_others(session)
    tasks.seal()


def test_a_monitor_follows_the_log_and_finds_that_it_only_grows(session: Session, http: httpx.Client) -> None:
    sizes = []
    monitor = None
    for batch, count in enumerate((1, 255, 44, 300)):
        write(session, f"batch {batch}", count)
        key = read_key(http.get("/log/key").text.strip())
        monitor = monitor or Monitor(http, key)
        sizes.append(monitor.follow())
        assert monitor.follow() == sizes[-1]
    assert sizes == [1, 256, 300, 600]


def test_a_monitor_finds_a_log_that_was_written_anew(session: Session, http: httpx.Client) -> None:
    """Control: what it saw before was another history of the same log, of another size, or of another key."""
    write(session, "first", 270)
    key = read_key(http.get("/log/key").text.strip())
    monitor = Monitor(http, key)
    assert monitor.follow() == 270
    assert monitor.seen is not None
    write(session, "second", 10)
    for forked in (
        monitor.seen._replace(root=bytes(32)),
        monitor.seen._replace(size=269),
    ):
        other = Monitor(http, key)
        other.seen = forked
        with pytest.raises(Refused, match="does not continue"):
            other.follow()
    with pytest.raises(Refused, match="did not sign"):
        Monitor(http, ledger.new_signer(key.name).key).follow()
    assert monitor.follow() == 280
