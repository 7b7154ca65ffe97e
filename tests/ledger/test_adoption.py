"""A restore into a new cluster, where transaction ids begin anew, or behind what had been published."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

import ledger
from ledger.archive import dump
from ledger.loading import load
from ledger.notes import new_signer
from ledger.sealing import find_seal
from ledger.verification import Problem
from ledger.verify_receipt import EMPTY_ROOT, Checkpoint, read_checkpoint
from tests.ledger.books import ANI, SCHOOL, funded, keep, purchase
from tests.ledger.conftest import SCHEMA, Database, create_database, run_sql
from tests.ledger.raw import state_of
from tests.ledger.test_sealing import SIGNER
from tests.servers import Servers
from tests.watermark import seal, wait_for_others

# what the old cluster had used up of its transaction ids, far more than this one ever will
OLD = 1_000_000_000_000
SUCCESSOR = new_signer("bekal.example/log2", bytes(range(1, 33)))


def offset(database: Database, value: int) -> None:
    """Make this cluster stand for one that has used so many transaction ids more, or for a fresh one."""
    with database.owner.begin() as owner:
        owner.execute(text("UPDATE ledger.position_offset SET value = :value"), {"value": value})


def adopt(database: Database, published: Checkpoint | None = None) -> ledger.Adoption:
    with Session(database.owner) as session:
        found = ledger.adopt(session, published)
        session.commit()
    return found


def seal_all(database: Database, signer: ledger.Signer = SIGNER) -> Checkpoint:
    """Seal whatever waits; return the newest checkpoint as somebody outside keeps it."""
    with Session(database.app) as session:
        seal(session, signer)
        session.commit()
        newest = find_seal(session)
        assert newest is not None
        assert newest.note is not None
        return read_checkpoint(newest.note, SIGNER.key if newest.origin == SIGNER.name else SUCCESSOR.key)


def restored(database: Database) -> Checkpoint:
    """Books from a cluster of old, sealed and rolled up there, now in this one."""
    offset(database, OLD)
    with Session(database.app) as session:
        funded(session)
        purchase(session, 100)
        session.commit()
        wait_for_others(session)
        assert ledger.roll_up(session, 1) > 0
        session.commit()
    published = seal_all(database)
    offset(database, 0)
    return published


def test_a_restored_ledger_is_not_written_to_before_it_is_adopted(books: Database) -> None:
    restored(books)
    with Session(books.app) as session:
        with pytest.raises(ledger.NeedsAdoption) as refused:
            purchase(session, 10, key="after")
        assert refused.value.code == "needs_adoption"
        session.rollback()
        with pytest.raises(ledger.NeedsAdoption):
            ledger.sealing.seal(session, SIGNER)
        session.rollback()
        assert ledger.balance(session, SCHOOL) == 100
        assert ledger.verify(session, keys=[SIGNER.key]).is_sound


def test_an_adopted_ledger_goes_on_above_all_that_is_known(books: Database) -> None:
    published = restored(books)
    found = adopt(books, published)
    assert found.lost is None
    assert found.position > OLD
    assert 0 < found.raised_by <= OLD
    again = adopt(books, published)
    assert (again.raised_by, again.position >= found.position) == (0, True)
    with Session(books.app) as session:
        purchase(session, 10, key="after")
        session.commit()
        assert ledger.balance(session, SCHOOL) == 110
        wait_for_others(session)
        assert ledger.roll_up(session, 1) > 0
        session.commit()
        assert ledger.balance(session, SCHOOL) == 110
    assert seal_all(books).size == published.size + 1
    with Session(books.app) as session:
        assert ledger.verify(session, keys=[SIGNER.key], published=published).is_sound
        assert session.scalar(text("SELECT count(*) FROM ledger.adoption")) == 1


def test_without_adoption_what_is_written_is_passed_over(weakened: Database) -> None:
    """Negative control: no refusal and no adoption, and neither seals nor balances know of the purchase."""
    restored(weakened)
    guard = "WHEN t.position < (SELECT through FROM ledger.seal ORDER BY id DESC LIMIT 1) THEN 'LG027'"
    with weakened.owner.begin() as owner:
        body = owner.scalar(text("SELECT pg_get_functiondef('ledger.check_transactions'::regproc)"))
        assert guard in body
        owner.exec_driver_sql(body.replace(guard, ""), execution_options={"no_parameters": True})
    with Session(weakened.app) as session:
        purchase(session, 10, key="passed over")
        session.commit()
        # the tail after the roll-up does not hold it, although the payer's balance went down
        assert ledger.balance(session, SCHOOL) == 100
        assert ledger.balance(session, ANI) == Decimal(3_500_000 - 110)
        problem = ledger.verify(session, keys=[SIGNER.key]).problem
    assert problem is not None
    assert ("(passed over)" in problem.row, problem.what) == (
        True,
        "it was passed over when the log was sealed",
    )


KNOWN = {
    "transaction": "UPDATE ledger.transaction SET position = :at WHERE key = 'purchase:1'",
    "hold": "UPDATE ledger.hold SET position = :at",
    "hold_resolution": "UPDATE ledger.hold_resolution SET position = :at",
    "rollup": "UPDATE ledger.rollup SET through = :at + 1 WHERE account_id = (SELECT max(account_id)"
    " FROM ledger.rollup)",
    "seal": "UPDATE ledger.seal SET through = :at + 1",
}


@pytest.mark.parametrize("table", KNOWN)
def test_a_position_is_known_wherever_it_stands(books: Database, table: str) -> None:
    with Session(books.app) as session:
        funded(session)
        purchase(session, 100)
        ledger.release(session, keep(session).id)
        session.commit()
        wait_for_others(session)
        assert ledger.roll_up(session, 1) > 0
        session.commit()
    seal_all(books)
    at = adopt(books).position + OLD
    with books.superuser.begin() as superuser:
        superuser.execute(text(f"ALTER TABLE ledger.{table} DISABLE TRIGGER ALL"))
        superuser.execute(text(KNOWN[table]), {"at": at})
    assert adopt(books).position == at + 1


def test_adoption_waits_for_whoever_is_writing(books: Database) -> None:
    """Otherwise the watermark would rise above a position that is not committed yet."""
    restored(books)
    offset(books, OLD * 2)
    with Session(books.app) as writer, Session(books.owner) as owner:
        purchase(writer, 10, key="under way")
        owner.execute(text("SET lock_timeout = '300ms'"))
        with pytest.raises(Exception, match="lock timeout"):
            ledger.adopt(owner)


def test_only_the_owner_adopts_and_nobody_forgets_an_adoption(books: Database) -> None:
    restored(books)
    adopt(books)
    with Session(books.app) as session, pytest.raises(ProgrammingError, match="permission denied"):
        ledger.adopt(session)
    for engine in (books.owner, books.superuser):
        assert state_of(engine, "DELETE FROM ledger.adoption") == "LG010"
        assert state_of(engine, "UPDATE ledger.adoption SET position = 1") == "LG010"
    engine = books.owner.execution_options(isolation_level="REPEATABLE READ")
    with Session(engine) as session, pytest.raises(ledger.WrongIsolation):
        ledger.adopt(session)


@pytest.fixture
def behind(books: Database) -> Iterator[tuple[Database, Checkpoint]]:
    """A restored backup, and the checkpoint that had been published after it was taken."""
    kept = restored(books)
    # the published tree had these entries and more
    published = Checkpoint(kept.origin, kept.size + 5, bytes(range(32)), ())
    yield books, published


def test_a_restore_behind_a_published_checkpoint_ends_its_log(behind: tuple[Database, Checkpoint]) -> None:
    books, published = behind
    assert adopt(books, published).lost == published
    assert adopt(books, published).lost == published
    with Session(books.app) as session:
        assert session.scalar(text("SELECT count(*) FROM ledger.adoption WHERE origin IS NOT NULL")) == 1
        purchase(session, 10, key="after")
        session.commit()
        with pytest.raises(ledger.LogEnded) as refused:
            seal(session, SIGNER)
        assert (refused.value.code, refused.value.detail) == ("log_ended", SIGNER.name)


def test_its_successor_names_the_checkpoint_that_was_lost(behind: tuple[Database, Checkpoint]) -> None:
    books, published = behind
    adopt(books, published)
    with Session(books.app) as session:
        purchase(session, 10, key="after")
        session.commit()
    first = seal_all(books, SUCCESSOR)
    assert first.origin == SUCCESSOR.name
    assert first.extensions == ["continues bekal.example/log 8 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="]
    with Session(books.app) as session:
        purchase(session, 11, key="later")
        session.commit()
    assert seal_all(books, SUCCESSOR).extensions == []
    with Session(books.app) as session:
        keys = [SIGNER.key, SUCCESSOR.key]
        assert ledger.verify(session, keys=keys, published=first).is_sound
        # and whoever holds the lost checkpoint sees that these books do not lead to it
        assert not ledger.verify(session, keys=keys, published=published).is_sound
        with pytest.raises(ledger.LogEnded):
            ledger.sealing.seal(session, SIGNER)


def test_an_older_checkpoint_that_the_books_lead_to_ends_nothing(books: Database) -> None:
    older = restored(books)
    adopt(books)
    with Session(books.app) as session:
        purchase(session, 10, key="after")
        session.commit()
    newer = seal_all(books)
    for published in (older, newer, Checkpoint(SIGNER.name, 0, EMPTY_ROOT, ())):
        assert adopt(books, published).lost is None
    forked = Checkpoint(SIGNER.name, older.size, bytes(32), ())
    assert adopt(books, forked).lost == forked


def test_a_backup_from_before_the_first_seal_lost_whatever_was_published(books: Database) -> None:
    with Session(books.app) as session:
        funded(session)
    published = Checkpoint(SIGNER.name, 1, bytes(32), ())
    assert adopt(books, published).lost == published
    first = seal_all(books, SUCCESSOR)
    assert first.extensions[0].startswith("continues bekal.example/log 1 ")


def problem(database: Database) -> Problem | None:
    with Session(database.app) as session:
        return ledger.verify(session, keys=[SIGNER.key, SUCCESSOR.key]).problem


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM ledger.adoption WHERE origin IS NOT NULL",
        "UPDATE ledger.adoption SET root = sha256('x') WHERE origin IS NOT NULL",
        "UPDATE ledger.adoption SET tree_size = 9 WHERE origin IS NOT NULL",
    ],
)
def test_a_loss_cannot_be_hidden_afterwards(behind: tuple[Database, Checkpoint], change: str) -> None:
    books, published = behind
    adopt(books, published)
    with Session(books.app) as session:
        purchase(session, 10, key="after")
        session.commit()
    seal_all(books, SUCCESSOR)
    assert problem(books) is None
    with books.superuser.begin() as superuser:
        superuser.execute(text("ALTER TABLE ledger.adoption DISABLE TRIGGER ALL"))
        superuser.execute(text(change))
    found = problem(books)
    assert found is not None
    assert (found.table, found.row) == ("checkpoint", "2")
    assert found.what.startswith("it does not say that it continues bekal.example/log")


def test_a_loss_is_part_of_a_full_export(behind: tuple[Database, Checkpoint], servers: Servers) -> None:
    books, published = behind
    adopt(books, published)
    with Session(books.app) as session:
        purchase(session, 10, key="after")
        session.commit()
    seal_all(books, SUCCESSOR)
    with Session(books.app) as session:
        lines = list(dump(session, personal=True))
    name = create_database(servers)
    run_sql(servers, name, SCHEMA.read_text())
    loaded = Database(servers, name)
    with Session(loaded.owner) as session:
        assert load(session, lines, [SIGNER.key, SUCCESSOR.key]) == 4
        session.commit()
    with Session(loaded.app) as session:
        assert list(dump(session, personal=True)) == lines
        purchase(session, 10, key="in the new house")
        with pytest.raises(ledger.LogEnded):
            ledger.sealing.seal(session, SIGNER)
    loaded.dispose()
    servers.drop(name)
