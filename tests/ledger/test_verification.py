"""A superuser who switches every safeguard off and changes one thing is found, and the row is named."""

import re
import tracemalloc

import pytest
from psycopg import ServerCursor
from sqlalchemy import event, text
from sqlalchemy.orm import Session

import ledger
from ledger.verification_holds import _HOLDS
from ledger.verification_sql import LEAVES, NEWEST_BALANCES, SEALS, TRANSACTIONS
from tests.ledger.books import ANI, cancel, funded, move, purchase
from tests.ledger.conftest import Database
from tests.ledger.test_sealing import SIGNER, swaps
from tests.watermark import seal

ID = "(SELECT id FROM ledger.transaction WHERE key = 'purchase:1')"
GRANT = "(SELECT id FROM ledger.transaction WHERE key = 'grant:benefit:ani')"

UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

TAMPERINGS = [
    (
        f"UPDATE ledger.posting SET amount = amount + 1 WHERE transaction_id = {ID}",
        "transaction",
        "purchase:1",
        "commitment",
    ),
    (
        "UPDATE ledger.posting SET debit_account ="
        " (SELECT id FROM ledger.account WHERE code = 'benefit:budi')"
        f" WHERE transaction_id = {ID}",
        "transaction",
        "purchase:1",
        "commitment",
    ),
    (
        "UPDATE ledger.posting p SET amount = q.amount FROM ledger.posting q"
        f" WHERE p.transaction_id = {GRANT} AND q.transaction_id = p.transaction_id AND q.seq = 3 - p.seq",
        "transaction",
        "grant:benefit:ani",
        "commitment",
    ),
    (f"DELETE FROM ledger.posting WHERE transaction_id = {ID}", "transaction", "purchase:1", "has none"),
    (
        f"DELETE FROM ledger.posting WHERE transaction_id = {GRANT} AND seq = 1",
        "transaction",
        "grant:benefit:ani",
        "numbered [2]",
    ),
    (
        "DELETE FROM ledger.transaction WHERE key = 'private'",
        "posting",
        "1",
        "its transaction does not exist",
    ),
    (
        "UPDATE ledger.transaction SET key = 'purchase:9' WHERE key = 'purchase:1'",
        "transaction",
        "purchase:9",
        "commitment",
    ),
    (
        "UPDATE ledger.transaction SET effective_at = effective_at + interval '1 microsecond'"
        " WHERE key = 'purchase:1'",
        "transaction",
        "purchase:1",
        "commitment",
    ),
    (
        "UPDATE ledger.transaction SET reference = NULL WHERE key = 'purchase:1'",
        "transaction",
        "purchase:1",
        "commitment",
    ),
    (
        "UPDATE ledger.transaction SET metadata = '{}' WHERE key = 'purchase:1'",
        "transaction",
        "purchase:1",
        "commitment",
    ),
    (
        "UPDATE ledger.transaction SET kind = 'gift' WHERE key = 'purchase:1'",
        "transaction",
        "purchase:1",
        "commitment",
    ),
    (
        "UPDATE ledger.transaction SET request_hash = 'x' WHERE key = 'purchase:1'",
        "transaction",
        "purchase:1",
        "request hash",
    ),
    (
        "UPDATE ledger.transaction SET commitment = 'x' WHERE key = 'purchase:1'",
        "transaction",
        "purchase:1",
        "commitment",
    ),
    ("UPDATE ledger.posting SET position = 1", "transaction", "appropriation", "another position"),
    (
        'UPDATE ledger.personal SET content = \'{"name": "Eve"}\'',
        "transaction",
        "private",
        "personal part was changed",
    ),
    ("DELETE FROM ledger.personal", "transaction", "private", "gone without an erasure"),
    (
        "UPDATE ledger.balance SET credits = credits + 1, debits = debits + 1",
        "balance",
        "benefit:ani",
        "its postings say",
    ),
    ("DELETE FROM ledger.balance WHERE credits = debits", "account", "dollars:one", "has no balance"),
    ("UPDATE ledger.balance SET guarded_side = 0", "account", "benefit:ani", "guarded otherwise"),
    (
        "UPDATE ledger.family SET guard = 'none' WHERE name = 'benefit'",
        "account",
        "benefit:ani",
        "not what its family",
    ),
    (
        "UPDATE ledger.family SET kind = 'asset' WHERE name = 'escrow'",
        "account",
        "escrow:school",
        "not what its family",
    ),
    (
        "UPDATE ledger.family SET mode = 'folded' WHERE name = 'fund'",
        "account",
        "fund:2023",
        "not what its family",
    ),
    ("DELETE FROM ledger.flow WHERE kind = 'purchase'", "transaction", "purchase:1", "not allowed"),
    (
        "UPDATE ledger.transaction SET settles = NULL WHERE settles IS NOT NULL",
        "transaction",
        "cancellation:1",
        "not allowed",
    ),
]


def fill(database: Database) -> None:
    with Session(database.app) as session:
        funded(session)
        bought = purchase(session, 500_000)
        cancel(session, bought.id, 300_000)
        ledger.post(
            session,
            "private",
            "swap",
            move(ANI, "benefit:budi", 5),
            metadata={"note": "é 😀", "list": [1, 2.5, None, True]},
            personal={"name": "Ani"},
        )
        ledger.reverse(session, "undo", purchase(session, 7, key="purchase:2").id)
        session.commit()


def tamper(database: Database, *statements: str) -> None:
    with database.superuser.begin() as superuser:
        for table in ("transaction", "posting", "balance", "personal", "account", "family"):
            superuser.execute(text(f"ALTER TABLE ledger.{table} DISABLE TRIGGER ALL"))
        for statement in statements:
            superuser.execute(text(statement))


@pytest.mark.parametrize(("statement", "table", "row", "what"), TAMPERINGS, ids=range(len(TAMPERINGS)))
def test_one_change_is_found_and_the_row_is_named(
    books: Database, statement: str, table: str, row: str, what: str
) -> None:
    fill(books)
    with Session(books.app) as session:
        report = ledger.verify(session)
        assert report.is_sound
        assert (report.transactions, report.postings, report.accounts) == (7, 8, 11)
    tamper(books, statement)
    with Session(books.app) as session:
        problem = ledger.verify(session).problem
    assert problem is not None
    name = {"transaction": rf"{UUID} \({row}\)", "posting": f"{UUID} {row}"}.get(table, row)
    assert (problem.table, re.fullmatch(name, problem.row) is not None) == (table, True), problem
    assert what in problem.what
    assert str(problem).startswith(problem.table)


def test_settling_one_purchase_twice_is_found_however_it_came_about(books: Database) -> None:
    fill(books)
    with books.superuser.begin() as superuser:
        superuser.execute(text("ALTER TABLE ledger.transaction DISABLE TRIGGER check_transactions"))
    with Session(books.app) as session:
        bought = ledger.find_transactions(session, reference="enrolment:purchase:1")[0]
        cancel(session, bought.id, 200_001, key="cancellation:2")
        problem = ledger.verify(session).problem
    assert problem is not None
    assert str(problem) == f"transaction {bought.id}: more was settled and reversed than it credited"


def test_a_reversal_that_is_no_mirror_image_is_found(books: Database) -> None:
    fill(books)
    with books.superuser.begin() as superuser:
        superuser.execute(text("ALTER TABLE ledger.transaction DISABLE TRIGGER check_transactions"))
    with Session(books.app) as session:
        bought = ledger.find_transactions(session, reference="enrolment:purchase:1")[0]
        ledger.post(session, "bent", "reversal", move("escrow:school", "benefit:budi", 1), reverses=bought.id)
        problem = ledger.verify(session).problem
    assert problem is not None
    assert "not its mirror image" in problem.what


def test_erasing_a_personal_part_leaves_every_proof_valid(books: Database) -> None:
    fill(books)
    with Session(books.app) as session:
        private = session.execute(
            text("SELECT id, commitment FROM ledger.transaction WHERE key = 'private'")
        ).one()
        ledger.erase(session, private.id, "asked to be forgotten")
        ledger.erase(session, private.id, "asked again")
        session.commit()
        assert session.scalar(text("SELECT count(*) FROM ledger.personal")) == 0
        assert session.scalars(text("SELECT reason FROM ledger.erasure")).all() == ["asked to be forgotten"]
        assert ledger.verify(session).is_sound
        assert ledger.get_transaction(session, private.id).commitment == private.commitment
        with pytest.raises(ledger.UnknownTransaction):
            ledger.erase(session, ledger.uuid7(), "nobody")
        with pytest.raises(ledger.InvalidRequest):
            ledger.erase(session, private.id, "")


def test_a_personal_part_that_comes_back_after_its_erasure_is_found(books: Database) -> None:
    fill(books)
    copy = "CREATE TABLE kept AS SELECT * FROM ledger.personal"
    erase = "INSERT INTO ledger.erasure (transaction_id, reason) SELECT transaction_id, 'x' FROM kept"
    tamper(books, copy, erase, "INSERT INTO ledger.personal SELECT * FROM kept")
    with Session(books.app) as session:
        problem = ledger.verify(session).problem
    assert problem is not None
    assert (problem.table, "erased" in problem.what) == ("personal", True)


def _peak(session: Session, rows: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """The most that verify() has in memory, reading so many rows at a time."""
    for module in ("verification", "verification_seals", "verification_holds"):
        monkeypatch.setattr(f"ledger.{module}._BATCH", rows)
    tracemalloc.start()
    try:
        assert ledger.verify(session, keys=[SIGNER.key]).is_sound
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_ledger(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    funded(session)
    peaks = []
    ledger.verify(session)  # the first run also loads what Python loads once
    for count in (280, 500):
        swaps(session, count, f"swap {count}")
        seal(session, SIGNER)
        session.commit()
        peaks.append(_peak(session, 25, monkeypatch))
    peaks.append(_peak(session, 2_000, monkeypatch))
    few, more, kept = peaks
    assert more < 1.3 * few
    # control: rows that are kept would be noticed
    assert kept > 2 * few, peaks


def test_what_grows_with_the_ledger_is_read_by_cursors_of_the_database(books: Database) -> None:
    """The driver's own copy of an answer is no memory that Python sees."""
    fill(books)
    streamed = []

    def look(_connection: object, cursor: object, statement: str, *_rest: object) -> None:
        if isinstance(cursor, ServerCursor):
            streamed.append(statement)

    with Session(books.app) as session:
        seal(session, SIGNER, balances=True)
        event.listen(session.connection(), "before_cursor_execute", look)
        assert ledger.verify(session).is_sound
    assert streamed == [TRANSACTIONS, SEALS, LEAVES, NEWEST_BALANCES, _HOLDS]


def test_progress_is_told_now_and_then(books: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(books)
    monkeypatch.setattr("ledger.verification._BATCH", 2)
    monkeypatch.setattr("ledger.verification_seals._BATCH", 2)
    told: list[tuple[int, int]] = []
    with Session(books.app) as session:
        ledger.verify(session, progress=lambda done, of: told.append((done, of)))
        assert told == [(2, 7), (4, 7), (6, 7)]
        told.clear()
        seal(session, ledger.new_signer("x", bytes(32)))
        ledger.verify(session, progress=lambda done, of: told.append((done, of)))
    # seven transactions, and then the seven leaves over them
    assert told == [(done, 14) for done in (2, 4, 6, 9, 11, 13)]
