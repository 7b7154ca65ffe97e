"""Re-computes everything from the postings and names the first bad row and what is wrong with it.

Nothing is taken from the ledger's own functions: hashes are computed here, sums by plain queries. Rows are
streamed, so memory does not grow with the ledger.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from ledger import canonical
from ledger.errors import UnknownTransaction
from ledger.verification_holds import hold_problems
from ledger.verification_seals import seal_problems
from ledger.verification_sql import (
    ACCOUNT_PROBLEMS,
    BALANCE_PROBLEMS,
    FOLDED_PROBLEMS,
    HEAD,
    ONE_TRANSACTION,
    ORIGINAL_PROBLEMS,
    ORPHANED_PERSONAL,
    ORPHANED_POSTINGS,
    PERIOD_PROBLEMS,
    ROLLUP_PROBLEMS,
    TRANSACTIONS,
)
from ledger.verify_receipt import Checkpoint, VerifierKey

_BATCH = 2000
_STEPS = """
SELECT (SELECT count(*) FROM ledger.transaction) + coalesce((SELECT max(tree_size) FROM ledger.seal), 0)
"""

Progress: TypeAlias = Callable[[int, int], None]
Leg: TypeAlias = Sequence[Any]
"""A row of TRANSACTIONS."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that is not as it was written: where it is and what is wrong with it."""

    table: str
    row: str
    what: str

    def __str__(self) -> str:
        return f"{self.table} {self.row}: {self.what}"


@dataclass(frozen=True, slots=True)
class Report:
    """How much was looked at, and the first bad row if there is one."""

    transactions: int
    postings: int
    accounts: int
    problem: Problem | None

    @property
    def is_sound(self) -> bool:
        """Whether nothing was wrong."""
        return self.problem is None


@dataclass(slots=True)
class _Count:
    tell: Callable[[int], None]
    transactions: int = 0
    postings: int = 0


def verify(
    session: Session,
    progress: Progress | None = None,
    *,
    keys: Sequence[VerifierKey] = (),
    published: Checkpoint | None = None,
) -> Report:
    """Check every transaction, what settles and reverses it, the seals, accounts, balances, roll-ups, holds.

    Stops at the first bad row, transactions first, in the order of their ids. ``progress`` is told now and
    then how many transactions and entries of the log were looked at, and of how many. With ``keys`` the
    checkpoints' signatures are checked too, and with a ``published`` checkpoint that the log still leads to
    it. A healthy ledger in use stays healthy while this runs.
    """
    count = _Count(_teller(session, progress))
    with closing(_problems(session, count, keys, published)) as problems:
        problem = next(problems, None)
    accounts = session.scalar(text("SELECT count(*) FROM ledger.account")) or 0
    return Report(count.transactions, count.postings, accounts, problem)


def verify_transaction(session: Session, transaction_id: UUID) -> Problem | None:
    """What is wrong with one transaction by itself: its shape, postings, personal part or hashes.

    None when it is as it was written. Seals and balances are not looked at: see verify().
    Raises UnknownTransaction.
    """
    legs = session.execute(text(ONE_TRANSACTION), {"id": transaction_id}).all()
    if not legs:
        raise UnknownTransaction(f"there is no transaction {transaction_id}")
    return _problem_of(legs)


def _teller(session: Session, progress: Progress | None) -> Callable[[int], None]:
    if progress is None:
        return lambda _: None
    steps = session.scalar(text(_STEPS)) or 0
    return lambda done: progress(done, steps)


def _problems(
    session: Session,
    count: _Count,
    keys: Sequence[VerifierKey],
    published: Checkpoint | None,
) -> Generator[Problem, None, None]:
    yield from _transaction_problems(session, count)
    # before the balances: the public history names a lost transaction itself
    for table, name, what in seal_problems(session, keys, published, _further(count)):
        yield Problem(table, name, what)
    for table, query in (
        ("posting", ORPHANED_POSTINGS),
        ("personal", ORPHANED_PERSONAL),
        ("transaction", ORIGINAL_PROBLEMS),
        ("account", ACCOUNT_PROBLEMS),
        ("balance", BALANCE_PROBLEMS),
        ("account", FOLDED_PROBLEMS),
        ("rollup", ROLLUP_PROBLEMS),
        ("transaction", PERIOD_PROBLEMS),
    ):
        for row in session.execute(text(query)):
            yield Problem(table, row.row, row.what)
    for name, what in hold_problems(session):
        yield Problem("hold", name, what)


def _further(count: _Count) -> Callable[[int], None]:
    """The leaves come after all transactions."""
    return lambda leaves: count.tell(count.transactions + leaves)


def _transaction_problems(session: Session, count: _Count) -> Generator[Problem, None, None]:
    # closed at the first problem too: the cursor lives in the database
    with session.execute(text(TRANSACTIONS), execution_options={"yield_per": _BATCH}) as rows:
        for _, group in groupby(rows, key=itemgetter(0)):
            legs = list(group)
            count.transactions += 1
            count.postings += len(legs)
            problem = _problem_of(legs)
            if problem is not None:
                yield problem
            if count.transactions % _BATCH == 0:
                count.tell(count.transactions)


def _problem_of(legs: Sequence[Leg]) -> Problem | None:
    what = _what_is_wrong(legs)
    return Problem("transaction", f"{legs[0][0]} ({legs[0][1]})", what) if what is not None else None


def _what_is_wrong(legs: Sequence[Leg]) -> str | None:
    """The first thing wrong with a transaction, given one row per posting."""
    return _wrong_shape(legs) or _wrong_posting(legs) or _wrong_personal(legs[0]) or _wrong_hash(legs)


def _wrong_shape(legs: Sequence[Leg]) -> str | None:
    expected = legs[0][4]
    numbers = [leg[HEAD] for leg in legs]
    if numbers == [None]:
        return f"it says {expected} postings and has none"
    if numbers != list(range(1, expected + 1)):
        return f"it says {expected} postings and has those numbered {numbers}"
    return None


def _wrong_posting(legs: Sequence[Leg]) -> str | None:
    for leg in legs:
        _, _, kind, position, *_ = leg
        seq, written_at, amount, is_positive, debit, credit, currency, other, is_allowed = leg[HEAD:]
        where = f"posting {seq}"
        if debit is None or credit is None:
            return f"{where} names an account that does not exist"
        if written_at != position:
            return f"{where} has another position than its transaction"
        if not is_positive or debit == credit:
            return f"{where} moves nothing: {amount} from {debit} to {credit}"
        if currency != other:
            return f"{where} crosses currencies: {currency} to {other}"
        if not is_allowed:
            return f"{where} is a flow that is not allowed: {kind} from {debit} to {credit}"
    return None


def _wrong_personal(head: Leg) -> str | None:
    """The personal part is there and untouched, or erased with a log entry, or never was."""
    digest, salt, personal, is_erased = head[14:HEAD]
    if personal is None:
        was_lost = digest is not None and not is_erased
        return "its personal part is gone without an erasure" if was_lost else None
    if digest is None:
        return "it has a personal part that it was not written with"
    if canonical.salted(salt, personal) != digest:
        return "its personal part was changed"
    return None


def _wrong_hash(legs: Sequence[Leg]) -> str | None:
    name, key, kind, _, _, request_hash, commitment, salt, effective, recorded = legs[0][:10]
    settles, reverses, reference, metadata, digest = legs[0][10:15]
    shared = canonical.fields(kind, settles, reverses, reference, metadata) + "".join(
        [
            canonical.fields(debit, credit, currency, amount)
            for amount, _, debit, credit, currency, *_ in [leg[HEAD + 2 :] for leg in legs]
        ]
    )
    if canonical.commitment_of(salt, (name, key, effective, recorded), shared, digest) != commitment:
        amounts = ", ".join(f"{leg[HEAD + 4]} to {leg[HEAD + 5]} {leg[HEAD + 2]}" for leg in legs[:3])
        return f"its content does not fit its commitment (now {amounts})"
    # the request may have left the effective date to the ledger
    if request_hash != canonical.request_hash_of(None, shared) and request_hash != canonical.request_hash_of(
        effective, shared
    ):
        return "its request hash does not fit its content"
    return None
