"""Attacks on holds by raw SQL, and tampering with them. Each has a control without the safeguard."""

import re

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

import ledger
from tests.ledger.books import funded, keep, purchase
from tests.ledger.conftest import Database
from tests.ledger.raw import REPLICA, state_of
from tests.ledger.test_holds import jump
from tests.ledger.test_verification import UUID

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
    (
        "UPDATE ledger.hold SET amount = 1 WHERE key = 'captured'",
        "hold ID (captured): its content does not fit its request hash (now 1.00 until TIME)",
    ),
    (
        "UPDATE ledger.hold SET expires_at = expires_at + interval '1 s' WHERE key = 'past'",
        "hold ID (past): its content does not fit its request hash (now 100000.00 until TIME)",
    ),
    (
        "UPDATE ledger.hold SET kind = 'gift' WHERE key = 'live'",
        "hold ID (live): its content does not fit its request hash (now 500000.00 until TIME)",
    ),
    (
        "UPDATE ledger.hold SET kind = 'theft' WHERE key = 'live'",
        "hold ID (live): its flow is not allowed: theft from benefit:ani to escrow:school",
    ),
    (
        "UPDATE ledger.hold SET credit_account = 0 WHERE key = 'live'",
        "hold ID (live): it names an account that does not exist",
    ),
    (
        "UPDATE ledger.hold SET key = 'x' WHERE key = 'live'",
        "hold ID (x): its content does not fit its request hash (now 500000.00 until TIME)",
    ),
    (
        "DELETE FROM ledger.hold WHERE key = 'live'",
        "balance benefit:ani: it says 600000.00 are held, its holds say 100000.00",
    ),
    ("DELETE FROM ledger.hold WHERE key = 'captured'", "hold ID: it was resolved and does not exist"),
    (
        "DELETE FROM ledger.hold_resolution WHERE outcome = 'captured'",
        "balance benefit:ani: it says 600000.00 are held, its holds say 700000.00",
    ),
    (
        "UPDATE ledger.hold_resolution SET captured = 1 WHERE outcome = 'captured'",
        "hold ID (captured): its capture is not the posting that was held",
    ),
    (
        f"UPDATE ledger.hold_resolution SET transaction_id = {BOUGHT} WHERE outcome = 'captured'",
        "hold ID (captured): its capture is not the posting that was held",
    ),
    (
        "UPDATE ledger.balance SET held = 0 WHERE held > 0",
        "balance benefit:ani: it says 0.00 are held, its holds say 600000.00",
    ),
]


@pytest.mark.parametrize(("statement", "told"), TAMPERINGS, ids=range(len(TAMPERINGS)))
def test_a_change_to_a_hold_is_found_and_named(books: Database, statement: str, told: str) -> None:
    _fill(books)
    with books.superuser.begin() as superuser:
        for table in ("hold", "hold_resolution", "balance"):
            superuser.execute(text(f"ALTER TABLE ledger.{table} DISABLE TRIGGER ALL"))
        superuser.execute(text(statement))
    with Session(books.app) as session:
        problem = str(ledger.verify(session).problem)
    assert re.sub(r"until [^)]*", "until TIME", re.sub(UUID, "ID", problem)) == told
