"""Everything committed is sealed exactly once, in a definite order, under checkpoints that continue."""

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from threading import Event
from uuid import UUID

import pytest
from pymerkle import InmemoryTree
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

import ledger
from ledger import TransactionRequest
from ledger.notes import new_signer
from ledger.proofs import get_receipt
from ledger.sealing import cosign, find_seal, get_seal, published_note
from ledger.sealing import seal as sealing_now
from ledger.verify_receipt import check_receipt, open_note, read_checkpoint
from tests import witness
from tests.ledger.books import ANI, BUDI, funded, grant, move, purchase
from tests.ledger.conftest import Database
from tests.watermark import seal, wait_for_others
from tests.witness import cosigned

SIGNER = new_signer("bekal.example/log", bytes(range(32)))
COMMITMENTS = (
    "SELECT t.commitment FROM ledger.leaf l JOIN ledger.transaction t ON t.id = l.transaction_id"
    " ORDER BY l.number"
)


def swaps(session: Session, count: int, name: str = "swap") -> None:
    """Post and commit so many small transactions at once."""
    ledger.post_many(
        session,
        [TransactionRequest(f"{name}:{number}", "swap", move(ANI, BUDI, 1)) for number in range(count)],
    )
    session.commit()


def test_a_seal_signs_the_root_over_every_commitment(session: Session) -> None:
    funded(session)
    purchase(session)
    session.commit()
    made = seal(session, SIGNER)
    session.commit()
    assert made is not None
    assert made.note is not None
    assert made.size == 3
    theirs = InmemoryTree(algorithm="sha256")
    theirs.append_entries([bytes(each) for each in session.scalars(text(COMMITMENTS))])
    assert theirs.get_root() == made.root
    assert read_checkpoint(made.note, SIGNER.key) == (SIGNER.name, 3, made.root, [])
    assert find_seal(session) == get_seal(session, holding=2) == made


def test_there_is_nothing_to_seal_twice(session: Session) -> None:
    assert seal(session, SIGNER) is None
    funded(session)
    first = seal(session, SIGNER)
    session.commit()
    assert seal(session, SIGNER) is None
    assert find_seal(session) == first
    with pytest.raises(ledger.LedgerError) as refusal:
        get_seal(session, holding=2)
    assert refusal.value.code == "not_sealed"


def test_the_order_within_a_batch_is_that_of_ids(session: Session) -> None:
    funded(session)
    swaps(session, 20)
    seal(session, SIGNER)
    rows = session.execute(
        text(
            "SELECT l.number, t.position, t.id FROM ledger.leaf l"
            " JOIN ledger.transaction t ON t.id = l.transaction_id ORDER BY l.number"
        )
    ).all()
    assert [row.number for row in rows] == list(range(22))
    assert [row[1:] for row in rows] == sorted(row[1:] for row in rows)


def test_a_limit_seals_whole_database_transactions_in_several_steps(session: Session) -> None:
    funded(session)
    swaps(session, 10)
    swaps(session, 10, "other")
    sizes = []
    while (made := seal(session, SIGNER, limit=3)) is not None:
        sizes.append(made.size)
        session.commit()
    # two transactions of one database transaction, then ten and ten
    assert sizes == [12, 22]


@pytest.mark.parametrize("sizes", [[255, 1, 1, 255, 300], [513], [256, 256]])
def test_tiles_and_roots_are_right_at_every_edge(session: Session, sizes: list[int]) -> None:
    theirs = InmemoryTree(algorithm="sha256")
    funded(session)
    expected = 2
    for number, count in enumerate(sizes):
        swaps(session, count - 2 * (number == 0), f"batch {number}")
        expected += count - 2 * (number == 0)
        made = seal(session, SIGNER)
        session.commit()
        entries = [bytes(each) for each in session.scalars(text(COMMITMENTS))]
        theirs.append_entries(entries[theirs.get_size() :])
        assert made is not None
        assert (made.size, made.root) == (expected, theirs.get_root())
    assert session.scalar(text("SELECT count(*) FROM ledger.tile WHERE level = 0")) == expected // 256


def test_a_seal_of_balances_is_named_in_the_checkpoint(session: Session) -> None:
    funded(session)
    made = seal(session, SIGNER, balances=True)
    session.commit()
    assert made is not None
    assert made.note is not None
    # bank, fund, reserve and Ani
    assert made.accounts == 4
    (line,) = read_checkpoint(made.note, SIGNER.key).extensions
    assert line.startswith("balances 4 ")
    assert get_seal(session, balances=True) == made


def test_a_log_under_another_name_says_what_it_continues(session: Session) -> None:
    funded(session)
    first = seal(session, SIGNER)
    session.commit()
    purchase(session)
    session.commit()
    other = new_signer("bekal.example/log2")
    second = seal(session, other)
    assert first is not None
    assert second is not None
    assert second.note is not None
    (line,) = read_checkpoint(second.note, other.key).extensions
    assert line.startswith(f"continues {SIGNER.name} 2 ")


def test_what_was_left_unsigned_is_signed_next_time(session: Session) -> None:
    funded(session)
    session.commit()
    wait_for_others(session)
    session.execute(text("SELECT ledger.seal_leaves(100)"))
    session.commit()
    assert find_seal(session) is None
    purchase(session)
    session.commit()
    seal(session, SIGNER)
    session.commit()
    assert session.scalar(text("SELECT count(*) FROM ledger.checkpoint")) == 2


def test_a_tree_that_does_not_continue_the_last_one_is_not_signed(books: Database) -> None:
    with Session(books.app) as session:
        funded(session)
        seal(session, SIGNER)
        session.commit()
    with books.superuser.begin() as superuser:
        superuser.execute(text("ALTER TABLE ledger.transaction DISABLE TRIGGER ALL"))
        superuser.execute(
            text("UPDATE ledger.transaction SET commitment = sha256('x') WHERE key = 'appropriation'")
        )
    with Session(books.app) as session:
        purchase(session)
        session.commit()
        with pytest.raises(ledger.LedgerError) as refusal:
            seal(session, SIGNER)
        assert refusal.value.code == "invalid_checkpoint"
        # whoever catches the refusal and commits keeps nothing that could never be signed
        session.commit()
        for table, expected in (("seal", 1), ("leaf", 2), ("checkpoint", 1)):
            assert session.scalar(text(f"SELECT count(*) FROM ledger.{table}")) == expected


def test_a_checkpoint_says_what_its_seal_says(session: Session) -> None:
    funded(session)
    session.commit()
    wait_for_others(session)
    session.execute(text("SELECT ledger.seal_leaves(100)"))
    session.commit()
    for note in ("x", "x\n3\nAAAA\n"):
        with pytest.raises(ledger.LedgerError) as refusal, session.begin_nested():
            ledger.calling.call(session, "SELECT ledger.add_checkpoint(1, 'x', %s)", [note])
        assert refusal.value.code == "invalid_checkpoint"


def test_sealing_needs_read_committed(app_engine: Engine) -> None:
    engine = app_engine.execution_options(isolation_level="REPEATABLE READ")
    with Session(engine) as session, pytest.raises(ledger.WrongIsolation):
        sealing_now(session, SIGNER)


def test_a_second_sealer_leaves_the_work_to_the_first(session: Session, app_engine: Engine) -> None:
    funded(session)
    assert seal(session, SIGNER) is not None
    # waiting for others would be waiting for the first
    with Session(app_engine) as second:
        assert sealing_now(second, SIGNER) is None
    session.commit()
    with Session(app_engine) as second:
        assert sealing_now(second, SIGNER) is None
        assert find_seal(second) is not None


def test_witnesses_sign_under_the_published_checkpoint(session: Session) -> None:
    funded(session)
    made = seal(session, SIGNER)
    assert made is not None
    assert made.note is not None
    line, key = cosigned(made.note), witness.KEY
    for _ in range(2):
        assert cosign(session, made.note + line, key) == 2
    note = published_note(session, made)
    assert note == made.note + line
    assert open_note(note, key) == open_note(note, SIGNER.key) == open_note(made.note, SIGNER.key)
    # a receipt shows it too
    receipt = get_receipt(session, session.scalars(text("SELECT id FROM ledger.transaction")).all()[0])
    assert receipt["checkpoint"] == note
    assert check_receipt(receipt, SIGNER.key) and open_note(receipt["checkpoint"], key)
    stranger = new_signer("elsewhere.example")
    for bad in (made.note, stranger.sign("elsewhere\n1\n"), made.note + line.replace("w1", "w2")):
        with pytest.raises(ledger.LedgerError) as refusal:
            cosign(session, bad, key if bad != stranger.sign("elsewhere\n1\n") else stranger.key)
        assert refusal.value.code == "invalid_checkpoint"


def test_a_published_checkpoint_has_a_line_for_each_witness(session: Session) -> None:
    funded(session)
    made = seal(session, SIGNER)
    assert made is not None and made.note is not None
    for each in (witness.KEY, witness.SECOND_KEY):
        cosign(session, made.note + cosigned(made.note, each), each)
    note = published_note(session, made)
    assert note.startswith(made.note) and len(note.splitlines()) == len(made.note.splitlines()) + 2
    for key in (witness.KEY, witness.SECOND_KEY, SIGNER.key):
        assert open_note(note, key)


class NaiveSealer:
    """Seals what has a greater id than the last one sealed, as one would without a watermark."""

    def __init__(self) -> None:
        self.sealed: list[UUID] = []

    def run(self, session: Session) -> None:
        query = text("SELECT id FROM ledger.transaction WHERE id > :last ORDER BY id")
        self.sealed += session.scalars(query, {"last": self.sealed[-1] if self.sealed else UUID(int=0)})


def test_late_committers_are_sealed_and_a_naive_sealer_loses_them(
    session: Session, app_engine: Engine
) -> None:
    funded(session)
    grant(session, BUDI)
    session.commit()
    naive = NaiveSealer()
    wait_for_others(session)
    with Session(app_engine) as late:
        purchase(late, 1, key="late", who=BUDI)
        purchase(session, 1, key="early")
        session.commit()
        sealing_now(session, SIGNER)
        naive.run(session)
        session.commit()
        # neither is sealed while the one that began first is under way: nothing may come in between later
        assert _sealed_keys(session)[2:] == ["grant:benefit:budi"]
        late.commit()
    seal(session, SIGNER)
    naive.run(session)
    assert _sealed_keys(session)[3:] == ["late", "early"]
    assert len(naive.sealed) == 4


def _sealed_keys(session: Session) -> list[str]:
    query = (
        "SELECT t.key FROM ledger.leaf l JOIN ledger.transaction t ON t.id = l.transaction_id ORDER BY number"
    )
    return list(session.scalars(text(query)))


def _write(engine: Engine, number: int) -> None:
    """Some purchases, some of them slow, some given up."""
    for turn in range(25):
        with Session(engine) as writer:
            purchase(writer, 1, key=f"{number}:{turn}", who=(ANI, BUDI)[number % 2])
            time.sleep(0.005 * (turn % 3))
            if turn % 7 != 6:
                writer.commit()


def test_under_load_everything_committed_is_sealed_exactly_once(app_engine: Engine) -> None:
    with Session(app_engine) as session:
        funded(session)
        grant(session, BUDI)
        session.commit()
    done = Event()

    def seal_all() -> None:
        while not done.is_set():
            with Session(app_engine) as sealer:
                sealing_now(sealer, SIGNER)
                sealer.commit()

    with ThreadPoolExecutor(9) as pool:
        sealing = pool.submit(seal_all)
        for each in [pool.submit(_write, app_engine, number) for number in range(8)]:
            each.result(timeout=120)
        done.set()
        sealing.result(timeout=60)
    with Session(app_engine) as session:
        seal(session, SIGNER)
        session.commit()
        committed = set(session.scalars(text("SELECT id FROM ledger.transaction")))
        sealed = session.scalars(text("SELECT transaction_id FROM ledger.leaf ORDER BY number")).all()
        notes = session.scalars(text("SELECT note FROM ledger.checkpoint ORDER BY seal_id")).all()
    assert len(committed) == 3 + 8 * 22
    assert (len(sealed), set(sealed)) == (len(committed), committed)
    sizes = [read_checkpoint(note, SIGNER.key).size for note in notes]
    assert all(before < after for before, after in pairwise(sizes))
    assert sizes[-1] == len(committed)
