"""Any bit, any row, any order: one random change at a time by a superuser, and verification finds each."""

from collections.abc import Iterator
from functools import partial
from random import Random

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

import ledger
from ledger.verify_receipt import Checkpoint, read_checkpoint
from tests.ledger import tampering
from tests.ledger.books import ANI, BUDI, cancel, funded, keep, move, purchase
from tests.ledger.conftest import Database, create_database
from tests.ledger.tampering import PROTECTED, Way, flip_in, tampered
from tests.ledger.test_sealing import SIGNER, swaps
from tests.servers import Servers
from tests.watermark import seal

LEFT = {
    "transaction.metadata": "JSON has no bits; test_verification.py edits it",
    "personal.content": "JSON has no bits; test_verification.py edits it",
    "balance.version": "counts changes; nothing is computed from it",
    "account.id": "cannot be updated; the postings name it",
    "account.family": "a CHECK ties it to the code",
    "account.opened_at": "for people: it decides nothing",
    "account.closed_at": "a closed account lets nothing through, and what it let through is in the journal",
    "hold.id": "nothing names a hold that is not resolved",
    "hold.position": "decides nothing once the hold is written",
    "hold.recorded_at": "for people: it decides nothing",
    "hold_resolution.position": "decides nothing; that of a capture is its transaction's",
    "hold_resolution.recorded_at": "for people: it decides nothing",
    "hold_resolution.outcome": "one bit makes it no word; that a capture was one is in its transaction",
    "rollup.day": "for people: it decides nothing",
    "rollup.through": "a roll-up that ends elsewhere is right or is found by its sums",
    "seal.through": "harms only by passing something over, which test_seal_verification.py shows to be found",
    "seal.sealed_at": "for people: the checkpoint does not say it",
    "erasure.reason": "for people: it decides nothing",
    "erasure.recorded_at": "for people: it decides nothing",
    "family.kind": "a CHECK knows its words; test_verification.py writes another",
    "family.guard": "a CHECK knows its words; test_verification.py writes another",
    "family.mode": "a CHECK knows its words; test_verification.py writes another",
    "closed_period.closed_before": "what is dated back stands at its own position in the log all the same",
    "closed_period.recorded_at": "what is dated back stands at its own position in the log all the same",
    "cosignature.seal_id": "who has the witness's key sees that it fits no more; nothing else rests on it",
    "cosignature.witness": "who has the witness's key sees that it fits no more; nothing else rests on it",
    "cosignature.line": "who has the witness's key sees that it fits no more; nothing else rests on it",
    "cosignature.recorded_at": "for people: it decides nothing",
    "adoption.id": "only puts them in order",
    "adoption.recorded_at": "for people: it decides nothing",
    "adoption.position": "for people: position_offset is what decides",
    "adoption.raised_by": "for people: position_offset is what decides",
    "adoption.seal_id": "the next checkpoint says what it continues; test_adoption.py changes what that is",
    "adoption.origin": "the next checkpoint says what it continues; test_adoption.py changes what that is",
    "adoption.tree_size": "the next checkpoint says what it continues; test_adoption.py changes what that is",
    "adoption.root": "the next checkpoint says what it continues; test_adoption.py changes what that is",
    "position_offset.one": "a CHECK lets it have one value",
    "position_offset.value": "for what comes: below a seal it is refused, below a roll-up found by the sums",
    "programme_clock.one": "a CHECK lets it have one value",
    "programme_clock.offset": "for what comes: what is written says its own instants",
}
"""Columns of which a bit may change unnoticed, and why that is no loss."""

COLUMNS = [(table, column) for table, columns in PROTECTED.items() for column in columns]


@pytest.fixture(scope="module")
def kept(servers: Servers, ledger_template: str) -> Iterator[tuple[Database, Checkpoint]]:
    """A ledger with something of everything in it, and the checkpoint that somebody kept of it."""
    database = Database(servers, create_database(servers, ledger_template))
    with Session(database.app) as session:
        _fill(session)
        newest = ledger.find_seal(session)
        assert newest is not None
        assert newest.note is not None
        published = read_checkpoint(newest.note, SIGNER.key)
    yield database, published
    database.dispose()
    servers.drop(database.name)


def _fill(session: Session) -> None:
    funded(session)
    bought = purchase(session, 500_000)
    cancel(session, bought.id, 300_000)
    ledger.reverse(session, "undo", bought.id, amounts=[move(ANI, BUDI, 7)[0].amount])
    ledger.post(session, "private", "swap", move(ANI, BUDI, 5), personal={"name": "Ani"}, reference="r")
    gone = ledger.post(session, "gone", "swap", move(ANI, BUDI, 5), personal={"name": "Ani"})
    ledger.erase(session, gone.id, "asked")
    ledger.capture(session, "c", keep(session, 1_000, key="captured").id)
    ledger.release(session, keep(session, 1_000, key="released").id)
    keep(session, 1_000, key="live")
    session.commit()
    seal(session, SIGNER)
    session.commit()
    swaps(session, 260)
    seal(session, SIGNER, balances=True)
    ledger.roll_up(session, 1)
    session.commit()
    purchase(session, 8, key="last")
    session.commit()
    seal(session, SIGNER)
    session.commit()


def _is_found(kept: tuple[Database, Checkpoint], luck: int, *ways: Way) -> tuple[bool, str]:
    database, published = kept
    with tampered(database, Random(luck), *ways) as (session, what):
        return not ledger.verify(session, keys=[SIGNER.key], published=published).is_sound, what


def test_what_nobody_touched_is_sound(kept: tuple[Database, Checkpoint]) -> None:
    database, published = kept
    _is_found(kept, 1)
    with Session(database.app) as session:
        report = ledger.verify(session, keys=[SIGNER.key], published=published)
    assert report.problem is None
    assert report.transactions == published.size == 269


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=[".".join(each) for each in COLUMNS])
def test_a_changed_bit_is_found(kept: tuple[Database, Checkpoint], table: str, column: str) -> None:
    for luck in range(2):
        is_found, what = _is_found(kept, luck, lambda root, dice: flip_in(root, table, column, dice))
        assert is_found, what


@pytest.mark.parametrize("table", tampering.HELD_TOGETHER)
def test_a_missing_row_is_found(kept: tuple[Database, Checkpoint], table: str) -> None:
    for luck in range(2):
        is_found, what = _is_found(kept, luck, partial(tampering.delete_from, table=table))
        assert is_found, what


@pytest.mark.parametrize("way", [tampering.reorder, tampering.cut_the_tail])
def test_another_order_and_a_missing_tail_are_found(kept: tuple[Database, Checkpoint], way: Way) -> None:
    for luck in range(4):
        is_found, what = _is_found(kept, luck, way)
        assert is_found, what


def test_every_column_is_protected_or_left_for_a_reason(kept: tuple[Database, Checkpoint]) -> None:
    query = (
        "SELECT table_name, column_name FROM information_schema.columns"
        " JOIN information_schema.tables USING (table_schema, table_name)"
        " WHERE table_schema = 'ledger' AND table_type = 'BASE TABLE'"
    )
    with kept[0].superuser.connect() as superuser:
        columns = [tuple(row) for row in superuser.execute(text(query))]
    assert sorted(columns) == sorted([*COLUMNS, *(tuple(each.split(".")) for each in LEFT)])


def test_control_without_the_commitments_a_change_goes_unnoticed(
    kept: tuple[Database, Checkpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.verification._wrong_hash", lambda legs: None)
    is_found, what = _is_found(kept, 1, lambda root, dice: flip_in(root, "transaction", "reference", dice))
    assert not is_found, what


def test_control_without_a_kept_checkpoint_a_missing_tail_goes_unnoticed(
    kept: tuple[Database, Checkpoint],
) -> None:
    with tampered(kept[0], Random(1), tampering.cut_the_tail) as (session, what):
        assert ledger.verify(session, keys=[SIGNER.key]).is_sound, what
