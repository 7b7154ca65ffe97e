"""Many rows: a folded account with millions of postings, the bytes of a purchase, a ledger to verify."""

import time
from collections.abc import Callable
from statistics import median

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session

from bench import books
from bench.crowd import crowd, listen, start
from bench.figures import Figure, at_most
from bench.server import Server
from ledger import balance, new_signer, roll_up, seal
from marketplace.dev.postgres import APPLICATION, OWNER

Say = Callable[[str], None]

FOLDED, VERIFIED = "folded", "verified"
_PROVIDERS = 200
_POSTINGS, _TRANSACTIONS = 1000, 100
_TAIL = 1000
_READINGS = 101
_STEADY_RATIO = 1.1
# what the service would seal at each of its ticks of three seconds, were it as busy as the bench
_SEAL = 2500
_SIGNER = new_signer("bench.example/log")
# with every trigger at work: only the hashes are left out, which nothing here reads
_FILL = """
WITH made AS (
    INSERT INTO ledger.transaction (id, salt, position, effective_at, recorded_at, postings, kind, key,
        request_hash, commitment)
    SELECT uuidv7(), gen_random_uuid(), pg_current_xact_id()::text::bigint, now(), now(), :postings,
        'purchase', gen_random_uuid(), '', ''
    FROM generate_series(1, :transactions)
    RETURNING id, position
), payer AS (
    SELECT array_agg(id) AS ids FROM ledger.account WHERE family = 'benefit'
)
INSERT INTO ledger.posting (transaction_id, position, debit_account, credit_account, seq, amount)
SELECT made.id, made.position, payer.ids[1 + n % cardinality(payer.ids)],
    (SELECT id FROM ledger.account WHERE code = :provider), n, 100
FROM made, payer, generate_series(1, :postings) n
"""
_FULL_SUM = """
SELECT sum(p.amount) FROM ledger.posting p
WHERE p.credit_account = (SELECT id FROM ledger.account WHERE code = :provider)
"""
_SIZE = """
SELECT sum(pg_total_relation_size(oid)) FROM pg_class
WHERE relnamespace = 'ledger'::regnamespace AND relkind = 'r'
"""


def folded_balance(server: Server, postings: int, payers: int, say: Say) -> Figure:
    """The time that balance() takes for an account with so many postings; its floor adds all of them up."""
    books.build(server, FOLDED, payers, 1)
    engine = create_engine(server.url(OWNER, FOLDED))
    written = 0
    while written < postings:
        transactions = min(_TRANSACTIONS, -(-(postings - written) // _POSTINGS))
        _fill(engine, _POSTINGS, transactions)
        written += _POSTINGS * transactions
        say(f"folded account: {written:,} of {postings:,} postings")
    with Session(engine) as session, session.begin():
        roll_up(session)
    # as many as may come before the next roll-up is due
    _fill(engine, _TAIL, 1)
    _vacuum(engine)
    readings = [_time(engine, lambda session: balance(session, books.provider(0))) for _ in range(_READINGS)]
    full = _time(
        engine, lambda session: session.execute(text(_FULL_SUM), {"provider": books.provider(0)}).scalar_one()
    )
    engine.dispose()
    name = f"balance() of a folded account, {written + _TAIL:,} postings"
    return at_most(name, median(readings), "ms", 5, full)


def filled(server: Server, transactions: int, payers: int, say: Say) -> list[Figure]:
    """The bytes of a purchase in books of so many, and the time and memory that verify() takes for them."""
    books.build(server, VERIFIED, payers, _PROVIDERS)
    engine = create_engine(server.url(OWNER, VERIFIED))
    before = _size(engine)
    _buy(server, transactions, payers, say)
    _vacuum(engine)
    bare = _size(engine)
    seals = _seal_all(engine, say)
    _vacuum(engine)
    sealed = _size(engine)
    engine.dispose()
    return [
        at_most("a purchase on disk, indexes included", (bare - before) / transactions, "bytes", 700),
        Figure("the same, sealed", (sealed - before) / transactions, "bytes"),
        *_verified(server, seals, say),
    ]


def _fill(engine: Engine, postings: int, transactions: int) -> None:
    parameters = {"postings": postings, "transactions": transactions, "provider": books.provider(0)}
    with Session(engine) as session, session.begin():
        session.execute(text(_FILL), parameters)


def _time(engine: Engine, read: Callable[[Session], object]) -> float:
    with Session(engine) as session:
        session.connection()
        start = time.perf_counter()
        read(session)
        return (time.perf_counter() - start) * 1000


def _buy(server: Server, transactions: int, payers: int, say: Say) -> None:
    """Purchases in thousands, of many payers from one provider."""
    settings = {
        "url": server.url(APPLICATION, VERIFIED),
        "payers": payers,
        "providers": _PROVIDERS,
        "threads": 1,
    }
    with crowd("bench.purchases", 1, settings) as buyers:
        size = min(1000, transactions)
        for written in range(size, transactions + 1, size):
            buyers.work(f"batch {size}", 0)
            say(f"books to verify: {written:,} of {transactions:,} purchases")


def _seal_all(engine: Engine, say: Say) -> int:
    """Seal as the service does, and return the number of seals."""
    seals = 0
    while True:
        with Session(engine) as session, session.begin():
            made = seal(session, _SIGNER, limit=_SEAL)
        if made is None:
            return seals
        seals = made.id
        if seals % 20 == 0:
            say(f"sealed {made.size:,}")


def _size(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text(_SIZE)).scalar_one())


def _vacuum(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def _verified(server: Server, seals: int, say: Say) -> list[Figure]:
    settings = {"url": server.url(APPLICATION, VERIFIED), "key": str(_SIGNER.key)}
    with start("bench.verifying", settings) as worker:
        while "seconds" not in (answer := listen(worker)):
            say(f"verified {answer['done']:,} of {answer['steps']:,} rows")
    if not answer["sound"]:
        raise RuntimeError(f"the bench's own books are not sound: {answer['problem']}")
    early, peak = answer["early_mib"], answer["peak_mib"]
    name = f"verify() of {answer['transactions']:,} transactions, signed seals: {seals:,}"
    return [
        at_most(name, answer["seconds"], "s", 60),
        Figure(
            "its memory, against that after a tenth",
            peak,
            "MiB",
            early,
            peak / early,
            f"ratio <= {_STEADY_RATIO:g}",
            peak / early <= _STEADY_RATIO,
        ),
    ]
