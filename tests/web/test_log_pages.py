"""The public log, as a monitor that knows only C2SP tlog-tiles follows it."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from flask.testing import FlaskClient
from pymerkle import InmemoryTree
from sqlalchemy.orm import Session

import ledger
import ledger.merkle
from ledger import Posting, TransactionRequest
from ledger.sealing import cosign
from ledger.verify_receipt import open_note, read_checkpoint, read_key
from marketplace.db import transaction
from marketplace.oversight import tasks
from tests import factories, witness
from tests.watermark import wait_for_others


@pytest.fixture
def log(client: FlaskClient, session: Session) -> FlaskClient:
    """A log of 600 entries: two full tiles, one of 88, and two roots above them."""
    with transaction() as current:
        factories.fund_scheme(current)
        requests = [
            TransactionRequest(
                f"more:{number}", "appropriation", [Posting("bank:treasury", "fund:2023", Decimal(1))]
            )
            for number in range(599)
        ]
        ledger.post_many(current, requests)
    wait_for_others(session)
    tasks.seal()
    return client


def _entries(bundle: bytes) -> Iterator[bytes]:
    while bundle:
        length = int.from_bytes(bundle[:2], "big")
        yield bundle[2 : 2 + length]
        bundle = bundle[2 + length :]


def _hashes(tile: bytes) -> list[bytes]:
    return [tile[at : at + 32] for at in range(0, len(tile), 32)]


def test_a_monitor_rebuilds_the_signed_root_from_the_published_files(log: FlaskClient) -> None:
    note = log.get("/log/checkpoint")
    found = read_checkpoint(note.text, read_key(log.get("/log/key").text.strip()))
    assert found.size == 600
    tree = InmemoryTree(algorithm="sha256")
    for name in ("000", "001", "002.p/88"):
        bundle = list(_entries(log.get(f"/log/tile/entries/{name}").data))
        tree.append_entries(bundle)
        hashes = _hashes(log.get(f"/log/tile/0/{name}").data)
        assert [tree.get_leaf(tree.get_size() - len(bundle) + 1 + at) for at in range(len(bundle))] == hashes
    assert tree.get_root() == found.root
    assert _hashes(log.get("/log/tile/1/000.p/2").data) == [
        tree.get_root(256),
        _second_half(log.get("/log/tile/0/001").data),
    ]


def test_what_a_witness_signed_is_published_under_the_checkpoint(log: FlaskClient) -> None:
    before = log.get("/log/checkpoint").text
    with transaction() as current:
        assert cosign(current, before + witness.cosigned(before), witness.KEY) == 600
    note = log.get("/log/checkpoint").text
    assert note.startswith(before) and note.count("\n") == before.count("\n") + 1
    assert open_note(note, witness.KEY) == open_note(note, read_key(log.get("/log/key").text.strip()))


def _second_half(tile: bytes) -> bytes:
    return ledger.merkle.hash_of(_hashes(tile))


def test_tiles_are_cached_for_ever_and_the_checkpoint_for_seconds(log: FlaskClient) -> None:
    for name in ("tile/0/000", "tile/entries/001", "tile/0/002.p/88", "tile/1/000.p/2"):
        answer = log.get(f"/log/{name}")
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert "Set-Cookie" not in answer.headers
    checkpoint = log.get("/log/checkpoint")
    assert checkpoint.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert checkpoint.headers["Cache-Control"] == "public, max-age=3"


@pytest.mark.parametrize(
    "name",
    [
        "0/002",
        "0/002.p/89",
        "0/002.p/0",
        "0/002.p/256",
        "0/002.p/088",
        "0/2.p/88",
        "0/x000/001",
        "0/999",
        "0/٠٠٠",
        "0/x999/x999/x999/x999/x999/999",
        "0/" + "x001/" * 400 + "001",
        "1/000",
        "1/000.p/3",
        "2/000.p/1",
        "00/000",
        "8/000",
        "-1/000",
        "entries/002",
        "entries/002.p/89",
        "entries/000/",
    ],
)
def test_what_the_tree_does_not_have_is_not_there(log: FlaskClient, name: str) -> None:
    assert log.get(f"/log/tile/{name}").status_code == 404


def test_an_empty_log_has_a_key_and_no_checkpoint(client: FlaskClient, session: Session) -> None:
    assert client.get("/log/key").status_code == 200
    assert client.get("/log/checkpoint").status_code == 404
    assert client.get("/log/tile/0/000").status_code == 404
