"""Attacks on holds by raw SQL, and tampering with them. Each has a control without the safeguard."""

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

import ledger
from tests.ledger.books import funded, keep, purchase
from tests.ledger.conftest import Database
from tests.ledger.raw import REPLICA, state_of
from tests.ledger.test_holds import jump

DENIED = "42501"
HERE = "pg_current_xact_id()::text::bigint"
LIVE = "(SELECT id FROM ledger.hold WHERE key = 'live')"
CAPTURED = "(SELECT id FROM ledger.hold WHERE key = 'captured')"
PAST = "(SELECT id FROM ledger.hold WHERE key = 'past')"
BOUGHT = "(SELECT id FROM ledger.transaction WHERE key = 'purchase:1')"


def _hold(**change: object) -> str:
    column = {
        "position": HERE,
        "expires_at": "'2099-01-01'",
        "debit": "'benefit:ani'",
        "credit": "'escrow:school'",
        "amount": 1,
        "kind": "'purchase'",
        **change,
    }
    return (
        "INSERT INTO ledger.hold (id, position, expires_at, account_id, credit_account, amount, kind, key,"
        f" request_hash) SELECT gen_random_uuid(), {column['position']}, {column['expires_at']}, d.id, c.id,"
        f" {column['amount']}, {column['kind']}, 'raw', '' FROM ledger.account d, ledger.account c"
        f" WHERE d.code = {column['debit']} AND c.code = {column['credit']}"
    )


def _resolve(
    hold: str, outcome: str, captured: object = 0, transaction: str = "NULL", position: str = HERE
) -> str:
    return (
        "INSERT INTO ledger.hold_resolution (hold_id, position, outcome, captured, transaction_id)"
        f" SELECT {hold}, {position}, '{outcome}', {captured}, {transaction}"
    )


ATTACKS = [
    ("held beyond the balance", _hold(amount=3_000_000), "LG001", "check_holds ON ledger.hold"),
    ("another position", _hold(position=1), "LG010", "check_holds ON ledger.hold"),
    ("flow not allowed", _hold(kind="'theft'"), "LG006", "check_holds ON ledger.hold"),
    (
        "flow that settles",
        _hold(kind="'cancellation'", debit="'escrow:school'", credit="'benefit:ani'"),
        "LG006",
        "check_holds ON ledger.hold",
    ),
    ("past", _hold(expires_at="'2020-01-01'"), "LG021", "check_holds ON ledger.hold"),
    (
        "captured again",
        _resolve(CAPTURED, "released"),
        "LG023",
        "resolve_hold ON ledger.hold_resolution",
    ),
    ("released after all", _resolve(PAST, "released"), "LG024", "resolve_hold ON ledger.hold_resolution"),
    ("expired too early", _resolve(LIVE, "expired"), "LG010", "resolve_hold ON ledger.hold_resolution"),
    (
        "resolved elsewhere",
        _resolve(LIVE, "released", position="1"),
        "LG010",
        "resolve_hold ON ledger.hold_resolution",
    ),
    (
        "captured without a posting",
        _resolve(LIVE, "captured", 1, "gen_random_uuid()"),
        "LG014",
        "check_captures ON ledger.hold_resolution",
    ),
    (
        "captured by an old purchase",
        _resolve(LIVE, "captured", 500_000, BOUGHT),
        "LG014",
        "check_captures ON ledger.hold_resolution",
    ),
    (
        "captured beyond its amount",
        _resolve(LIVE, "captured", 500_001, BOUGHT),
        "LG025",
        "resolve_hold ON ledger.hold_resolution, check_captures ON ledger.hold_resolution",
    ),
]


def _fill(books: Database) -> None:
    with Session(books.app) as session:
        funded(session)
        purchase(session, 500_000)
        ledger.capture(session, "c", keep(session, 100_000, key="captured").id)
        keep(session, 100_000, key="past", seconds=60)
        keep(session, 500_000, key="live")
        session.commit()
    jump(books, 60)


@pytest.mark.parametrize(
    ("statement", "state", "trigger"), [row[1:] for row in ATTACKS], ids=[row[0] for row in ATTACKS]
)
def test_raw_sql_cannot_bend_a_hold(
    books: Database, weakened: Database, statement: str, state: str, trigger: str
) -> None:
    _fill(books)
    assert state_of(books.app, statement) == DENIED
    assert state_of(books.owner, statement) == state
    assert state_of(books.superuser, statement, before=REPLICA) == state
    with Session(books.app) as session:
        assert ledger.verify(session).is_sound
    _fill(weakened)
    with weakened.owner.begin() as owner:
        for each in trigger.split(", "):
            owner.execute(text(f"DROP TRIGGER {each}"))
        # two keys would still keep the second resolution out
        owner.execute(text("ALTER TABLE ledger.hold_resolution DROP CONSTRAINT pk_hold_resolution"))
    assert state_of(weakened.owner, statement) == "done"


def test_what_is_held_cannot_be_given_free_by_hand(books: Database) -> None:
    _fill(books)
    for statement in (
        "UPDATE ledger.balance SET held = 0",
        "UPDATE ledger.hold SET expires_at = now()",
        "DELETE FROM ledger.hold_resolution",
    ):
        assert state_of(books.app, statement) == DENIED
        assert state_of(books.superuser, statement, before=REPLICA) == "LG010"


TAMPERINGS = [
    ("UPDATE ledger.hold SET amount = 1 WHERE key = 'captured'", "(captured)", "request hash"),
    (
        "UPDATE ledger.hold SET expires_at = expires_at + interval '1 s' WHERE key = 'past'",
        "(past)",
        "request hash",
    ),
    ("UPDATE ledger.hold SET kind = 'gift' WHERE key = 'live'", "(live)", "request hash"),
    ("UPDATE ledger.hold SET kind = 'theft' WHERE key = 'live'", "(live)", "not allowed"),
    ("UPDATE ledger.hold SET credit_account = 0 WHERE key = 'live'", "(live)", "does not exist"),
    ("UPDATE ledger.hold SET key = 'x' WHERE key = 'live'", "(x)", "request hash"),
    ("DELETE FROM ledger.hold WHERE key = 'live'", "benefit:ani", "its holds say 100000"),
    ("DELETE FROM ledger.hold WHERE key = 'captured'", "", "does not exist"),
    ("DELETE FROM ledger.hold_resolution WHERE outcome = 'captured'", "benefit:ani", "its holds say 700000"),
    ("UPDATE ledger.hold_resolution SET captured = 1 WHERE outcome = 'captured'", "(captured)", "posting"),
    (
        f"UPDATE ledger.hold_resolution SET transaction_id = {BOUGHT} WHERE outcome = 'captured'",
        "(captured)",
        "posting",
    ),
    ("UPDATE ledger.balance SET held = 0 WHERE held > 0", "benefit:ani", "are held"),
]


@pytest.mark.parametrize(("statement", "row", "what"), TAMPERINGS, ids=range(len(TAMPERINGS)))
def test_a_change_to_a_hold_is_found_and_named(books: Database, statement: str, row: str, what: str) -> None:
    _fill(books)
    with books.superuser.begin() as superuser:
        for table in ("hold", "hold_resolution", "balance"):
            superuser.execute(text(f"ALTER TABLE ledger.{table} DISABLE TRIGGER ALL"))
        superuser.execute(text(statement))
    with Session(books.app) as session:
        problem = ledger.verify(session).problem
    assert problem is not None
    assert row in problem.row
    assert what in problem.what
