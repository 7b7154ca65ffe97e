"""Attacks by raw SQL. Each is refused; each has a control that takes the safeguard away and then succeeds."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

import ledger
from tests.ledger.books import ANI, BUDI, SCHOOL
from tests.ledger.conftest import Database
from tests.ledger.raw import PURCHASE, REPLICA, WRITE, bought, state_of

DENIED, CHANGED = "42501", "LG010"

CHANGES = [
    ("posting", "UPDATE ledger.posting SET amount = amount + 1"),
    ("posting", "DELETE FROM ledger.posting"),
    ("posting", "TRUNCATE ledger.posting"),
    ("transaction", "UPDATE ledger.transaction SET effective_at = effective_at - interval '1 day'"),
    ("transaction", "UPDATE ledger.transaction SET key = 'x' WHERE false"),
    ("transaction", "DELETE FROM ledger.transaction"),
    (
        "transaction",
        "INSERT INTO ledger.transaction SELECT * FROM ledger.transaction"
        " ON CONFLICT (id) DO UPDATE SET salt = excluded.salt",
    ),
    (
        "posting",
        "MERGE INTO ledger.posting p USING ledger.account a ON a.id = p.debit_account"
        " WHEN MATCHED THEN UPDATE SET amount = 1",
    ),
    ("balance", "UPDATE ledger.balance SET credits = credits + 1 WHERE guarded_side = 1"),
    ("balance", "DELETE FROM ledger.balance"),
    ("balance", "TRUNCATE ledger.balance"),
    ("account", "UPDATE ledger.account SET code = 'benefit:eve' WHERE code = 'benefit:ani'"),
    ("account", "UPDATE ledger.account SET opened_at = now()"),
    ("personal", "UPDATE ledger.personal SET salt = gen_random_uuid()"),
    ("personal", "DELETE FROM ledger.personal"),
    ("personal", "TRUNCATE ledger.personal"),
    *(
        (table, f"DELETE FROM ledger.{table}")
        for table in (
            "erasure", "closed_period", "hold", "hold_resolution", "rollup", "seal", "leaf", "tile",
            "balance_seal", "checkpoint", "cosignature",
        )
    ),
]  # fmt: skip
IDS = [f"{table}: {statement.split()[0]} {number}" for number, (table, statement) in enumerate(CHANGES)]


@pytest.mark.parametrize(("table", "statement"), CHANGES, ids=IDS)
def test_history_cannot_be_changed_by_any_role(
    books: Database, weakened: Database, table: str, statement: str
) -> None:
    bought(books)
    assert state_of(books.app, statement) == DENIED
    assert state_of(books.owner, statement) == CHANGED
    assert state_of(books.superuser, statement) == CHANGED
    assert state_of(books.superuser, statement, before=REPLICA) == CHANGED
    with Session(books.app) as session:
        assert ledger.verify(session).is_sound
    bought(weakened)
    with weakened.superuser.begin() as superuser:
        superuser.execute(text(f"ALTER TABLE ledger.{table} DISABLE TRIGGER USER"))
    assert state_of(weakened.superuser, statement) == "done"


def test_accounts_and_transactions_cannot_be_deleted_even_where_nothing_refers_to_them(
    books: Database,
) -> None:
    for table in ("account", "transaction", "family"):
        assert state_of(books.superuser, f"TRUNCATE ledger.{table} CASCADE") == CHANGED
    assert state_of(books.owner, "DELETE FROM ledger.account") == CHANGED


def test_raw_sql_that_keeps_the_rules_moves_the_balances(books: Database) -> None:
    bought(books)
    assert state_of(books.app, WRITE, PURCHASE) == DENIED
    assert state_of(books.owner, WRITE, PURCHASE) == "done"
    with Session(books.app) as session:
        assert ledger.balance(session, ANI) == 2_999_900


BREACHES: list[tuple[str, dict[str, Any], str, str]] = [
    ("overdraft", {"amount": "4000000"}, "LG001", "check_postings"),
    ("another position", {"shift": 1}, "LG010", "both"),
    ("more postings than it has", {"postings": 2}, "LG014", "check_transactions"),
    ("a posting beyond its number", {"seq": 2}, "LG010", "check_postings"),
    ("unknown account", {"credit": "escrow:none"}, "LG003", "check_postings"),
    (
        "other currency",
        {"kind": "exchange", "debit": "fund:2023", "credit": "dollars:one"},
        "LG005",
        "check_postings",
    ),
    ("flow not allowed", {"credit": BUDI}, "LG006", "check_postings"),
    (
        "settling without a purchase",
        {"kind": "cancellation", "debit": SCHOOL, "credit": ANI},
        "LG006",
        "check_postings",
    ),
    (
        "settling beyond the purchase",
        {"kind": "cancellation", "debit": SCHOOL, "credit": ANI, "settles": "purchase:1", "amount": "500001"},
        "LG007",
        "check_transactions",
    ),
    (
        "a reversal that is no mirror image",
        {"kind": "reversal", "debit": SCHOOL, "credit": BUDI, "reverses": "purchase:1"},
        "LG006",
        "check_transactions",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "state", "trigger"), [row[1:] for row in BREACHES], ids=[row[0] for row in BREACHES]
)
def test_a_raw_insert_cannot_break_a_rule(
    books: Database, weakened: Database, change: dict[str, Any], state: str, trigger: str
) -> None:
    attack = {**PURCHASE, **change}
    bought(books)
    assert state_of(books.app, WRITE, attack) == DENIED
    assert state_of(books.owner, WRITE, attack) == state
    assert state_of(books.superuser, WRITE, attack, before=REPLICA) == state
    bought(weakened)
    with weakened.owner.begin() as owner:
        for name, table in (("check_postings", "posting"), ("check_transactions", "transaction")):
            if trigger in (name, "both"):
                owner.execute(text(f"DROP TRIGGER {name} ON ledger.{table}"))
    assert state_of(weakened.owner, WRITE, attack) == "done"


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"amount": "NaN"}, "ck_posting_amount"),
        ({"amount": "0.001"}, "ck_posting_amount"),
        ({"amount": "-1"}, "ck_posting_amount"),
        ({"credit": ANI}, "ck_posting_two_accounts"),
        ({"seq": 0}, "ck_posting_seq"),
    ],
)
def test_a_row_that_makes_no_sense_is_refused_by_a_check(
    books: Database, weakened: Database, change: dict[str, Any], constraint: str
) -> None:
    attack = {**PURCHASE, "kind": "swap", "credit": BUDI, **change}
    bought(books)
    assert state_of(books.owner, WRITE, attack) == "23514"
    bought(weakened)
    with weakened.owner.begin() as owner:
        owner.execute(text(f"ALTER TABLE ledger.posting DROP CONSTRAINT {constraint}"))
        owner.execute(text("ALTER TABLE ledger.balance DROP CONSTRAINT ck_balance_guard"))
    assert state_of(weakened.owner, WRITE, attack) == "done"


HOLD = """
INSERT INTO ledger.hold (
    id, position, expires_at, account_id, credit_account, amount, kind, key, request_hash, reference)
SELECT gen_random_uuid(), pg_current_xact_id()::text::bigint, ledger.now() + interval '1 hour', d.id, c.id, 1,
    'purchase', {key}, '', {reference}
FROM ledger.account d, ledger.account c WHERE d.code = 'benefit:ani' AND c.code = 'escrow:school'
"""
KEY = "gen_random_uuid()::text"
PERSONAL = (
    "INSERT INTO ledger.personal SELECT id, gen_random_uuid(), {}"
    " FROM ledger.transaction WHERE key = 'purchase:1'"
)
REFERRING = WRITE.replace("commitment,", "commitment, reference,").replace(
    "'', '',", f"'', '', '{'r' * 201}',"
)
OUTSIDE = [
    ("transaction", "uq_transaction_key", WRITE.replace(KEY, "'purchase:1'"), "23505"),
    ("transaction", "ck_transaction_key", WRITE.replace(KEY, "''"), "23514"),
    ("transaction", "ck_transaction_reference", REFERRING, "23514"),
    ("personal", "ck_personal_content", PERSONAL.format("'[]'::jsonb"), "23514"),
    ("hold", "ck_hold_key", HOLD.format(key="repeat('k', 201)", reference="NULL"), "23514"),
    ("hold", "ck_hold_reference", HOLD.format(key="'k'", reference="''"), "23514"),
]


def test_what_python_keeps_outside_is_kept_outside_by_the_database_too(
    books: Database, weakened: Database
) -> None:
    for database in (books, weakened):
        bought(database)
    for table, constraint, attack, state in OUTSIDE:
        parameters = PURCHASE if table == "transaction" else {}
        assert state_of(books.owner, attack, parameters) == state, constraint
        with weakened.owner.begin() as owner:
            owner.execute(text(f"ALTER TABLE ledger.{table} DROP CONSTRAINT {constraint}"))
        assert state_of(weakened.owner, attack, parameters) == "done", constraint
    large = PERSONAL.format("jsonb_build_object('a', repeat('x', 16400))")
    assert state_of(books.owner, large) == "23514"


ADD = """
INSERT INTO ledger.posting
SELECT transaction_id, position, debit_account, credit_account, {seq}, 1 FROM ledger.posting
WHERE transaction_id = (SELECT id FROM ledger.transaction WHERE key = 'purchase:1')
"""


def test_nothing_can_be_added_to_a_transaction(books: Database, weakened: Database) -> None:
    bought(books)
    add = ADD.format(seq=2)
    assert state_of(books.owner, add) == "LG010"
    bought(weakened)
    with weakened.owner.begin() as owner:
        owner.execute(text("DROP TRIGGER check_postings ON ledger.posting"))
    assert state_of(weakened.owner, add) == "done"


def test_nothing_can_be_added_within_the_same_database_transaction_either(books: Database) -> None:
    bought(books)
    latest = "(SELECT id FROM ledger.transaction ORDER BY recorded_at DESC LIMIT 1)"
    for seq, state in ((2, "LG010"), (1, "23505")):
        with books.owner.connect() as owner:
            owner.execute(text(WRITE), PURCHASE)
            add = text(
                ADD.format(seq=seq).replace(
                    "(SELECT id FROM ledger.transaction WHERE key = 'purchase:1')", latest
                )
            )
            with pytest.raises(Exception) as refused:
                owner.execute(add)
            assert refused.value.orig.sqlstate == state  # type: ignore[attr-defined] # SQLAlchemy wraps psycopg's


def test_a_posting_needs_its_transaction(books: Database) -> None:
    orphan = "INSERT INTO ledger.posting SELECT gen_random_uuid(), 1, 1, 2, 1, 1"
    assert state_of(books.owner, orphan) == "LG014"


def test_a_guard_cannot_be_loosened_while_accounts_live_under_it(books: Database, weakened: Database) -> None:
    loosen = "UPDATE ledger.family SET guard = 'none' WHERE name = 'benefit'"
    assert state_of(books.app, loosen) == DENIED
    assert state_of(books.owner, loosen) == "23503"
    with weakened.owner.begin() as owner:
        owner.execute(text("ALTER TABLE ledger.account DROP CONSTRAINT fk_account_family"))
    assert state_of(weakened.owner, loosen) == "done"


def test_an_account_cannot_be_opened_outside_its_family_terms(books: Database) -> None:
    account = "INSERT INTO ledger.account (code, family, kind, guard, mode, currency) VALUES "
    assert (
        state_of(books.owner, f"{account} ('benefit:x', 'benefit', 'liability', 'none', 'counted', 'IDR')")
        == "23503"
    )
    assert (
        state_of(books.owner, f"{account} ('benefit:x', 'fund', 'equity', 'no_overdraft', 'counted', 'IDR')")
        == "23514"
    )
    row = "INSERT INTO ledger.balance (account_id, guarded_side) VALUES (1, 0)"
    assert state_of(books.owner, row) == CHANGED


def test_another_isolation_level_cannot_slip_past_the_cap(books: Database) -> None:
    bought(books)
    level = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
    assert state_of(books.owner, WRITE, PURCHASE, before=level) == "LG009"


@pytest.mark.parametrize(
    "table",
    [
        "family",
        "flow",
        "position_offset",
        "programme_clock",
        "closed_period",
        "rollup",
        "seal",
        "leaf",
    ],
)
def test_the_application_cannot_write_what_belongs_to_the_owner(books: Database, table: str) -> None:
    assert state_of(books.app, f"INSERT INTO ledger.{table} SELECT * FROM ledger.{table}") == DENIED
    assert state_of(books.app, f"ALTER TABLE ledger.{table} DISABLE TRIGGER ALL") == DENIED
    assert state_of(books.app, REPLICA) == DENIED


def test_the_application_may_call_its_functions_and_no_others(books: Database) -> None:
    with books.app.connect() as app:
        callable_ = app.scalars(
            text(
                "SELECT proname FROM pg_proc WHERE pronamespace = 'ledger'::regnamespace"
                " AND has_function_privilege(oid, 'EXECUTE') ORDER BY 1"
            )
        ).all()
        owned = app.scalar(text("SELECT count(*) FROM pg_class WHERE relowner = 'bekal_app'::regrole"))
    assert callable_ == [
        "add_checkpoint", "add_cosignature", "balance_hashes", "capture", "close_account", "erase", "hold",
        "live_holds", "moved", "now", "open_accounts", "post", "post_many", "release", "roll_up",
        "seal_balances", "seal_leaves", "sums", "sums_effective", "sums_known", "tree_hashes", "watermark",
    ]  # fmt: skip
    assert owned == 0
    # control: it is the missing rights that keep it out
    theft = "INSERT INTO ledger.flow VALUES ('theft', 'fund', 'benefit')"
    assert state_of(books.app, theft) == DENIED
    assert state_of(books.owner, "GRANT INSERT ON ledger.flow TO bekal_app") == "done"
    assert state_of(books.app, theft) == "done"


def test_tables_in_a_session_of_the_attacker_do_not_shadow_the_ledger(books: Database) -> None:
    bought(books)
    with Session(books.app) as session:
        session.execute(text("CREATE TEMP TABLE balance (account_id int, debits numeric)"))
        session.execute(
            text("CREATE FUNCTION pg_temp.sha256(bytea) RETURNS bytea LANGUAGE sql AS 'SELECT $1'")
        )
        session.execute(text("SET search_path = pg_temp, ledger, public"))
        ledger.post(session, "p", "purchase", [ledger.Posting(ANI, SCHOOL, ledger.balance(session, ANI))])
        assert ledger.balance(session, ANI) == 0
        assert ledger.verify(session).is_sound
