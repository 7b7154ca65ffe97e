"""Whoever changes the past with a superuser's rights is found, and the first bad row is named."""

import re

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

import ledger
from ledger import canonical
from ledger.notes import checkpoint_text, new_signer
from ledger.proofs import CONTENT, get_growth
from ledger.sealing import find_seal
from ledger.verification import Problem
from ledger.verify_receipt import Checkpoint, read_checkpoint
from tests.ledger.books import ANI, funded, move, purchase
from tests.ledger.conftest import Database
from tests.ledger.test_sealing import SIGNER, swaps
from tests.ledger.test_verification import UUID
from tests.watermark import seal

TABLES = (
    "transaction", "posting", "personal", "balance", "leaf", "seal", "tile", "checkpoint", "balance_seal",
)  # fmt: skip
BEYOND = "(SELECT max(through) FROM ledger.seal)"
LAST = "(SELECT transaction_id FROM ledger.leaf ORDER BY number DESC LIMIT 1)"


def fill(database: Database) -> Checkpoint:
    """Three seals, the second of which fills a tile; return the last checkpoint as somebody kept it."""
    with Session(database.app) as session:
        funded(session)
        purchase(session)
        session.commit()
        seal(session, SIGNER)
        session.commit()
        swaps(session, 280)
        seal(session, SIGNER, balances=True)
        session.commit()
        purchase(session, 7, key="purchase:7")
        purchase(session, 8, key="purchase:8")
        session.commit()
        seal(session, SIGNER)
        session.commit()
        newest = find_seal(session)
        assert newest is not None
        assert newest.note is not None
        return read_checkpoint(newest.note, SIGNER.key)


def tamper(database: Database, *statements: str) -> None:
    with database.superuser.begin() as superuser:
        superuser.execute(text("SET session_replication_role = replica"))
        for table in TABLES:
            superuser.execute(text(f"ALTER TABLE ledger.{table} DISABLE TRIGGER ALL"))
        for statement in statements:
            superuser.execute(text(statement))


def problem(database: Database, published: Checkpoint | None = None) -> Problem | None:
    with Session(database.app) as session:
        return ledger.verify(session, keys=[SIGNER.key], published=published).problem


def test_a_sealed_ledger_in_use_is_sound(books: Database) -> None:
    published = fill(books)
    assert problem(books, published) is None
    with Session(books.app) as session:
        purchase(session, 1, key="not sealed yet")
        session.commit()
    assert problem(books, published) is None


TAMPERINGS = {
    "edit": (
        ["UPDATE ledger.posting SET amount = amount + 1 WHERE transaction_id ="
         " (SELECT id FROM ledger.transaction WHERE key = 'swap:9')"],
        "transaction ID (swap:9): its content does not fit its commitment"
        " (now benefit:ani to benefit:budi 2.00)",
    ),
    "delete": (
        ["DELETE FROM ledger.posting WHERE transaction_id ="
         " (SELECT id FROM ledger.transaction WHERE key = 'swap:9')",
         "DELETE FROM ledger.transaction WHERE key = 'swap:9'"],
        "leaf 12: its transaction ID does not exist",
    ),
    "delete with its leaf": (
        ["DELETE FROM ledger.leaf WHERE number = 12"],
        "leaf 12: it is missing",
    ),
    "reorder": (
        ["UPDATE ledger.leaf SET number = -1 WHERE number = 5",
         "UPDATE ledger.leaf SET number = 5 WHERE number = 6",
         "UPDATE ledger.leaf SET number = 6 WHERE number = -1"],
        "leaf 6 (swap:2): it is out of order: transactions are sealed in the order of their positions",
    ),
    "reorder the positions too": (
        # past the seal, not merely one further: other databases of the server use up numbers in between
        [f"UPDATE ledger.transaction SET position = {BEYOND} WHERE key = 'purchase:7'",
         f"UPDATE ledger.posting SET position = {BEYOND} WHERE transaction_id ="
         " (SELECT id FROM ledger.transaction WHERE key = 'purchase:7')"],
        "leaf 283 (purchase:7): its transaction was written outside the positions of seal 3",
    ),
    "swap two rows": (
        ["UPDATE ledger.transaction t SET commitment = o.commitment, salt = o.salt FROM ledger.transaction o"
         " WHERE t.key IN ('swap:1', 'swap:2') AND o.key IN ('swap:1', 'swap:2') AND o.key <> t.key"],
        "transaction ID (swap:1): its content does not fit its commitment"
        " (now benefit:ani to benefit:budi 1.00)",
    ),
    "cut the tail": (
        [f"DELETE FROM ledger.posting WHERE transaction_id = {LAST}",
         f"DELETE FROM ledger.transaction WHERE id = {LAST}"],
        "leaf 284: its transaction ID does not exist",
    ),
    "cut the tail of the leaves": (
        ["DELETE FROM ledger.leaf WHERE number >= 284"],
        "leaf 284: it is missing",
    ),
    "cut the seals": (
        ["DELETE FROM ledger.checkpoint WHERE seal_id = 3", "DELETE FROM ledger.seal WHERE id = 3"],
        "leaf 283: no seal reaches so far",
    ),
    "cut a seal out": (
        ["DELETE FROM ledger.checkpoint WHERE seal_id = 1", "DELETE FROM ledger.seal WHERE id = 1"],
        "seal 1: it is missing: seal 2 comes next",
    ),
    "a root": (
        ["UPDATE ledger.seal SET root = sha256('x') WHERE id = 2"],
        "seal 2: its root is not that of leaves 3 to 282",
    ),
    "a size": (
        ["UPDATE ledger.seal SET tree_size = 282 WHERE id = 2"],
        "seal 2: its root is not that of leaves 3 to 281",
    ),
    "a seal that stands still": (
        ["UPDATE ledger.seal SET through = 1 WHERE id = 2"],
        "seal 2: it does not reach further than the one before",
    ),
    "a tile": (
        ["UPDATE ledger.tile SET root = sha256('x')"],
        "tile 0/0: it is not made of the hashes below it",
    ),
    "a hash in a tile": (
        ["UPDATE ledger.tile SET hashes = overlay(hashes placing sha256('x') from 12 * 32 + 1)"],
        "leaf 12 (swap:9): its transaction is not the one that was sealed",
    ),
    "no tile": (["DELETE FROM ledger.tile"], "tile 0/0: it is missing",),
    "a tile too many": (
        ["INSERT INTO ledger.tile SELECT 0, 7, root, hashes FROM ledger.tile"],
        "tile 0/7: the tree has no such tile",
    ),
    "a note's size": (
        ["UPDATE ledger.checkpoint SET note = replace(note, E'\\n283\\n', E'\\n284\\n')"],
        "checkpoint 2: it says something else than its seal",
    ),
    "a signature": (
        ["UPDATE ledger.checkpoint SET note = overlay(note placing 'AAAA' from length(note) - 9)"
         " WHERE seal_id = 2"],
        "checkpoint 2: the signature of bekal.example/log is wrong",
    ),
    "another origin": (
        ["UPDATE ledger.checkpoint SET origin = 'x', note = replace(note, 'bekal.example/log', 'x')"],
        "checkpoint 1: no key is known for x",
    ),
    "no checkpoint": (["DELETE FROM ledger.checkpoint WHERE seal_id = 2"], "seal 2: nobody signed it",),
    "a root of balances": (
        ["UPDATE ledger.balance_seal SET root = sha256('x')"],
        "checkpoint 2: it says something else than its seal",
    ),
    "the secret of balances": (
        ["UPDATE ledger.balance_seal SET secret = gen_random_uuid()"],
        "balance_seal 2: its root is not that of the balances its postings make",
    ),
    "passed over": (
        ["DELETE FROM ledger.leaf WHERE number >= 283", "UPDATE ledger.seal SET tree_size = 283 WHERE id = 2",
         "DELETE FROM ledger.checkpoint WHERE seal_id = 3", "DELETE FROM ledger.seal WHERE id = 3",
         "UPDATE ledger.seal SET through = 1000000000"],
        "seal 2: it does not reach further than the one before",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TAMPERINGS)
def test_a_change_of_the_past_is_found_and_named(books: Database, name: str) -> None:
    statements, told = TAMPERINGS[name]
    fill(books)
    tamper(books, *statements)
    assert re.sub(UUID, "ID", str(problem(books))) == told


def test_an_amount_changed_together_with_its_commitment_is_named_by_the_tile(books: Database) -> None:
    """The forger recomputes the commitment, as one with the source code would."""
    fill(books)
    _forge(books, "swap:9")
    found = problem(books)
    assert str(found) == "leaf 12 (swap:9): its transaction is not the one that was sealed"


def _forge(database: Database, key: str) -> None:
    with Session(database.superuser) as session:
        row = session.execute(text(CONTENT + "WHERE t.key = :key"), {"key": key}).one()
        lines = [canonical.line(ANI, "benefit:budi", "IDR", move(ANI, "benefit:budi", 2)[0].amount)]
        shared = canonical.content(row.kind, None, None, row.reference, None, lines)
        head = (row.id, row.key, row.effective_at, row.recorded_at)
        forged = canonical.commitment(row.salt, head, shared, None)
    tamper(
        database,
        f"UPDATE ledger.posting SET amount = 2 WHERE transaction_id = '{row.id}'",
        f"UPDATE ledger.transaction SET commitment = '\\x{forged.hex()}',"
        f" request_hash = '\\x{canonical.request_hash(None, shared).hex()}' WHERE id = '{row.id}'",
        "UPDATE ledger.balance b SET debits = debits + (code = 'benefit:ani')::int,"
        " credits = credits + (code = 'benefit:budi')::int FROM ledger.account a"
        " WHERE a.id = b.account_id AND a.code IN ('benefit:ani', 'benefit:budi')",
    )


def test_rewriting_the_whole_tree_needs_the_key(books: Database) -> None:
    """The forger drops every seal and seals anew; without the key he signs with another."""
    published = fill(books)
    _forge(books, "swap:9")
    tamper(
        books,
        *(f"DELETE FROM ledger.{table}" for table in ("checkpoint", "balance_seal", "seal", "leaf", "tile")),
    )
    with Session(books.app) as session:
        seal(session, new_signer(SIGNER.name))
        session.commit()
        assert ledger.verify(session).is_sound
    found = problem(books)
    assert found is not None
    assert "did not sign" in found.what
    # and whoever stole the key is found by a checkpoint that was kept elsewhere
    tamper(
        books,
        *(f"DELETE FROM ledger.{table}" for table in ("checkpoint", "balance_seal", "seal", "leaf", "tile")),
    )
    with Session(books.app) as session:
        seal(session, SIGNER)
        session.commit()
    assert problem(books) is None
    found = problem(books, published)
    assert found is not None
    assert (found.table, found.row) == ("leaf", "284 (purchase:8)")


def test_a_tail_that_was_cut_cleanly_is_found_by_a_published_checkpoint(books: Database) -> None:
    published = fill(books)
    keys = "(SELECT id FROM ledger.transaction WHERE key IN ('purchase:7', 'purchase:8'))"
    tamper(
        books,
        "UPDATE ledger.balance b SET debits = debits - 15 FROM ledger.account a"
        " WHERE a.id = b.account_id AND a.code = 'benefit:ani'",
        f"DELETE FROM ledger.posting WHERE transaction_id IN {keys}",
        f"DELETE FROM ledger.leaf WHERE transaction_id IN {keys}",
        "DELETE FROM ledger.transaction WHERE key IN ('purchase:7', 'purchase:8')",
        "DELETE FROM ledger.checkpoint WHERE seal_id = 3",
        "DELETE FROM ledger.seal WHERE id = 3",
    )
    # control: nothing inside betrays it
    assert problem(books) is None
    found = problem(books, published)
    assert found is not None
    assert str(found) == "seal 2: it is the last, and a checkpoint of 285 was published: the tail is gone"
    with Session(books.app) as session, pytest.raises(ledger.LedgerError):
        get_growth(session, 285)


def test_a_transaction_that_was_passed_over_is_found(books: Database) -> None:
    fill(books)
    with Session(books.app) as session:
        purchase(session, 1, key="passed over")
        session.commit()
        position = session.scalar(text("SELECT max(position) + 1 FROM ledger.transaction"))
    tamper(books, f"UPDATE ledger.seal SET through = {position} WHERE id = 3")
    found = problem(books)
    assert found is not None
    assert ("passed over" in found.row, found.table) == (True, "transaction")


def test_old_and_new_keys_of_one_name_are_both_good(books: Database) -> None:
    fill(books)
    successor = new_signer(SIGNER.name)
    with Session(books.app) as session:
        purchase(session, 1, key="later")
        session.commit()
        seal(session, successor)
        session.commit()
        assert ledger.verify(session, keys=[SIGNER.key, successor.key]).is_sound
        assert not ledger.verify(session, keys=[successor.key]).is_sound
        assert not ledger.verify(session, keys=[SIGNER.key]).is_sound


def test_a_checkpoint_of_another_past_is_found(books: Database) -> None:
    fill(books)
    forked = Checkpoint(SIGNER.name, 10, bytes(32), [])
    found = problem(books, forked)
    assert found is not None
    assert (found.table, found.row) == ("leaf", "9 (swap:6)")
    assert checkpoint_text(forked.origin, forked.size, forked.root).count("\n") == 3
