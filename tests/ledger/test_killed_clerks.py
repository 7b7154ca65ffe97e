"""kill -9 of clients, sealers and database connections around the commit, and a judge who was not there.

`FAULT_SECONDS=300 make faults` goes on for that long.
"""

import os
from collections import Counter
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

import ledger
from ledger.verify_receipt import Checkpoint, read_checkpoint
from tests.ledger.books import ANI, BUDI, appropriate, grant
from tests.ledger.clerks import BATCH, ESCROW, SIGNER, Log, Order, amount_of, carry_out
from tests.ledger.conftest import Database
from tests.ledger.killer import Killer
from tests.watermark import seal

SECONDS = float(os.environ.get("FAULT_SECONDS", "4"))
pytestmark = [pytest.mark.long, pytest.mark.timeout(300 + 2 * SECONDS)]
_WHERE = {"executed", "committed", "sealed", "killed", "terminated idle in transaction"}


def test_everything_answered_is_there_once_whoever_is_killed(books: Database, tmp_path: Path) -> None:
    _fund(books)
    killer = Killer(books, tmp_path, Random(os.environ.get("FAULT_SEED", "14")))
    killer.run(SECONDS / 2, lambda each: each.deaths().keys() >= _WHERE)
    published = _newest(books)
    killer.run(SECONDS / 2, lambda each: _newest(books).size > published.size)
    logs = killer.logs()
    assert [refusal for log in logs for refusal in log.refusals] == []
    _give_what_is_unanswered_again(books, logs)
    assert _faults(books, logs) == []
    _assert_sealed_once(books, published)


def test_a_clerk_with_a_new_key_for_every_try_is_found_out(books: Database, tmp_path: Path) -> None:
    _fund(books)
    killer = Killer(books, tmp_path, Random(15), is_naive=True)
    # somebody was killed between the commit and the answer, and whoever took over has given the order again
    killer.run(1, lambda each: any("is there 2 times" in fault for fault in _faults(books, each.logs())))
    assert any("is there 2 times" in fault for fault in _faults(books, killer.logs()))


def _fund(books: Database) -> None:
    with Session(books.app) as session:
        appropriate(session)
        for who in (ANI, BUDI):
            grant(session, who, 400_000_000, 1)
        session.commit()


def _newest(books: Database) -> Checkpoint:
    with Session(books.app) as session:
        newest = ledger.find_seal(session)
    return read_checkpoint(newest.note, SIGNER.key) if newest and newest.note else Checkpoint("", 0, b"", [])


def _give_what_is_unanswered_again(books: Database, logs: list[Log]) -> None:
    """Twice each: whatever became of the order before, it has one outcome now."""
    for log in logs:
        for order in log.unanswered:
            with Session(books.app) as session:
                made = carry_out(session, order, order["name"])
                session.commit()
                assert carry_out(session, order, order["name"]) == made
                session.rollback()
            log.answers[order["name"]] = made


# The judge


def _faults(books: Database, logs: list[Log]) -> list[str]:
    """What the books do not have as the logs have it."""
    orders = {name: (order, log.answers.get(name)) for log in logs for name, order in log.orders.items()}
    with Session(books.app) as session:
        posted = _by_reference(
            session, "SELECT reference, id::text FROM ledger.transaction WHERE kind = 'purchase'"
        )
        held = _by_reference(session, "SELECT reference, id::text FROM ledger.hold")
        ends = {row.hold: row.outcome for row in session.execute(text(_ENDS))}
        escrow = ledger.balance(session, ESCROW)
        assert ledger.trial_balance(session).is_balanced
    faults = []
    for order, made in orders.values():
        there = held if order["what"] == "hold" else posted
        for number, reference in enumerate(_references(order)):
            ids = there.get(reference, [])
            if len(ids) > 1 or (made is not None and ids != [made[number]]):
                faults.append(f"{reference} is there {len(ids)} times: {ids}, the answer was {made}")
        outcome = {"capture": "captured", "release": "released"}.get(order["what"])
        if outcome and made is not None and ends.get(order["of"]) != outcome:
            faults.append(f"{order} ended as {ends.get(order['of'])}")
    known = sum((amount_of(order) for order, made in orders.values()), Decimal(0))
    sure = sum((amount_of(order) for order, made in orders.values() if made is not None), Decimal(0))
    if not sure <= escrow <= known:
        faults.append(f"{escrow} rupiah in escrow, and {sure} to {known} were ordered")
    return faults


_ENDS = "SELECT hold_id::text AS hold, outcome FROM ledger.hold_resolution"


def _references(order: Order) -> list[str]:
    name = order["name"]
    return {"batch": [f"{name}.{each}" for each in range(BATCH)], "release": []}.get(order["what"], [name])


def _by_reference(session: Session, query: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for reference, made in session.execute(text(query)):
        found.setdefault(reference, []).append(made)
    return found


def _assert_sealed_once(books: Database, published: Checkpoint) -> None:
    with Session(books.app) as session:
        seal(session, SIGNER)
        session.commit()
        written = session.scalars(text("SELECT id FROM ledger.transaction")).all()
        sealed = session.scalars(text("SELECT transaction_id FROM ledger.leaf")).all()
        assert Counter(sealed) == Counter(written)
        report = ledger.verify(session, keys=[SIGNER.key], published=published)
        assert report.is_sound, report.problem
        assert report.transactions == len(written) > 3
