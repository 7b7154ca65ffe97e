"""A posting alone in its statement is judged by looks at single rows, others by one query: same rules."""

from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

import ledger
from ledger import TransactionRequest
from tests.ledger.books import ANI, BUDI, SCHOOL, funded, keep, move, purchase
from tests.ledger.conftest import Database
from tests.ledger.raw import PURCHASE, WRITE, bought, state_of
from tests.ledger.test_raw_sql import BREACHES

# the same, beside a purchase that nothing is wrong with
TOGETHER = """
WITH asked AS (
    SELECT 1 AS n, 0 AS shift, 1 AS postings, 'purchase' AS kind, NULL::text AS settles,
        NULL::text AS reverses, 'benefit:ani' AS debit, 'escrow:school' AS credit,
        1 AS seq, 1::numeric AS amount
    UNION ALL SELECT 2, CAST(:shift AS integer), CAST(:postings AS integer), :kind, CAST(:settles AS text),
        CAST(:reverses AS text), :debit, :credit, CAST(:seq AS integer), CAST(:amount AS numeric)
), named AS MATERIALIZED (
    SELECT gen_random_uuid() AS id, asked.* FROM asked
), t AS (
    INSERT INTO ledger.transaction (
        id, salt, position, effective_at, recorded_at, postings, kind, key, request_hash, commitment,
        settles, reverses)
    SELECT id, gen_random_uuid(), pg_current_xact_id()::text::bigint + shift, ledger.now(), clock_timestamp(),
        postings, kind, gen_random_uuid()::text, '', '',
        (SELECT o.id FROM ledger.transaction o WHERE o.key = named.settles),
        (SELECT o.id FROM ledger.transaction o WHERE o.key = named.reverses)
    FROM named
    RETURNING id, position
)
INSERT INTO ledger.posting (transaction_id, position, debit_account, credit_account, seq, amount)
SELECT t.id, t.position, coalesce((SELECT id FROM ledger.account WHERE code = named.debit), 0),
    coalesce((SELECT id FROM ledger.account WHERE code = named.credit), 0), named.seq, named.amount
FROM t JOIN named ON named.id = t.id
"""
ADDED = """
INSERT INTO ledger.posting (transaction_id, position, debit_account, credit_account, seq, amount)
SELECT t.id, t.position, p.debit_account, p.credit_account, 2, 1
FROM ledger.transaction t JOIN ledger.posting p ON p.transaction_id = t.id WHERE t.key = 'purchase:1'
"""
ORPHAN = """
INSERT INTO ledger.posting (transaction_id, position, debit_account, credit_account, seq, amount)
SELECT gen_random_uuid(), pg_current_xact_id()::text::bigint, p.debit_account, p.credit_account, 1, 1
FROM ledger.posting p LIMIT 1
"""
# counts whatever comes, as if everything were plain
BLIND = """
CREATE OR REPLACE FUNCTION ledger.count_plain(
    p_transaction uuid, p_position bigint, p_seq smallint, p_debit integer, p_credit integer, p_amount numeric
) RETURNS boolean LANGUAGE sql AS 'SELECT true'
"""
CLOSED = {**PURCHASE, "debit": "fund:2023", "credit": "benefit:gone", "kind": "grant"}


def _with_a_closed_account(database: Database) -> None:
    bought(database)
    with Session(database.app) as session:
        ledger.open_accounts(session, ["benefit:gone"])
        ledger.close_account(session, "benefit:gone")
        session.commit()


@pytest.mark.parametrize(
    ("change", "state"), [row[1:3] for row in BREACHES], ids=[row[0] for row in BREACHES]
)
def test_what_is_refused_alone_is_refused_beside_another(
    books: Database, change: dict[str, Any], state: str
) -> None:
    bought(books)
    assert state_of(books.owner, WRITE, {**PURCHASE, **change}) == state
    assert state_of(books.owner, TOGETHER, {**PURCHASE, **change}) == state
    assert state_of(books.owner, TOGETHER, PURCHASE) == "done"
    with Session(books.app) as session:
        assert ledger.balance(session, ANI) == 2_999_899


def test_a_closed_account_takes_nothing_either_way(books: Database) -> None:
    _with_a_closed_account(books)
    assert state_of(books.owner, WRITE, CLOSED) == "LG004"
    assert state_of(books.owner, TOGETHER, CLOSED) == "LG004"
    backwards = {**CLOSED, "debit": "benefit:gone", "credit": SCHOOL, "kind": "purchase"}
    assert state_of(books.owner, WRITE, backwards) == "LG004"


# control: with eyes that see nothing each of these would be written
@pytest.mark.parametrize(
    ("statement", "parameters", "state"),
    [
        (WRITE, {**PURCHASE, "amount": "4000000"}, "LG001"),
        (WRITE, CLOSED, "LG004"),
        (WRITE, {**PURCHASE, "credit": "benefit:budi"}, "LG006"),
        (WRITE, {**PURCHASE, "kind": "exchange", "debit": "fund:2023", "credit": "dollars:one"}, "LG005"),
        (ADDED, {}, "LG010"),
        (ORPHAN, {}, "LG014"),
    ],
    ids=["overdraft", "closed", "flow", "currency", "added later", "no transaction"],
)
def test_the_look_at_single_rows_is_what_refuses(
    books: Database, weakened: Database, statement: str, parameters: dict[str, Any], state: str
) -> None:
    for database in (books, weakened):
        _with_a_closed_account(database)
    assert state_of(books.owner, statement, parameters) == state
    with weakened.owner.begin() as owner:
        owner.execute(text(BLIND))
    assert state_of(weakened.owner, statement, parameters) == "done"


def test_a_posting_that_is_alone_leaves_what_is_held_alone(session: Session) -> None:
    funded(session)
    keep(session, 3_400_000)
    with pytest.raises(ledger.InsufficientBalance):
        purchase(session, 100_001)
    session.rollback()


def test_a_posting_that_is_alone_spends_what_was_held_until_now(session: Session) -> None:
    funded(session)
    keep(session, 3_400_000, seconds=0.2)
    session.execute(text("SELECT pg_sleep(0.25)"))
    posted = purchase(session, 3_500_000)
    assert posted.balances == {ANI: 0}
    session.commit()
    assert ledger.verify(session).is_sound


def test_two_counted_accounts_are_both_counted_whichever_comes_first(session: Session) -> None:
    funded(session)
    there = ledger.post(session, "swap:1", "swap", move(ANI, "benefit:budi", 100))
    back = ledger.post(session, "swap:2", "swap", move("benefit:budi", ANI, 40))
    assert there.balances == {ANI: 3_499_900, "benefit:budi": 100}
    assert back.balances == {ANI: 3_499_940, "benefit:budi": 60}


def test_a_posting_and_a_thousand_of_them_are_one_round_trip(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    funded(session)
    session.connection().exec_driver_sql("SELECT 1")
    trips = []
    wait = psycopg.Connection.wait

    def counted(connection: Any, *arguments: Any, **options: Any) -> Any:
        trips.append(1)
        return wait(connection, *arguments, **options)

    monkeypatch.setattr(psycopg.Connection, "wait", counted)
    bought = purchase(session, 1)
    assert len(trips) == 1
    ledger.post_many(
        session, [TransactionRequest(f"s{number}", "swap", move(ANI, BUDI, 1)) for number in range(1000)]
    )
    assert len(trips) == 2
    # control: what reads before it writes is seen to take more
    ledger.reverse(session, "undo", bought.id)
    assert len(trips) > 3


def test_a_lost_connection_comes_through_as_sqlalchemys_own_and_is_not_used_again(books: Database) -> None:
    with Session(books.app) as session:
        funded(session)
        number = session.scalar(text("SELECT pg_backend_pid()"))
        with books.superuser.begin() as superuser:
            superuser.execute(text("SELECT pg_terminate_backend(:number, 5000)"), {"number": number})
        with pytest.raises(OperationalError) as lost:
            purchase(session, key="purchase:secret")
        assert lost.value.connection_invalidated
        # what was asked is in no message: it may be personal
        assert "purchase:secret" not in str(lost.value)
        session.rollback()
        assert ledger.balance(session, ANI) == 3_500_000


def test_a_batch_takes_back_as_one_call_does(session: Session) -> None:
    funded(session)
    bought = purchase(session, 500)
    request = TransactionRequest("back", "reversal", move(SCHOOL, ANI, 500), reverses=bought.id)
    [posted] = ledger.post_many(session, [request])
    assert ledger.get_transaction(session, posted.id).reverses == bought.id
    with pytest.raises(ledger.ExceedsOriginal):
        ledger.reverse(session, "once more", bought.id)
