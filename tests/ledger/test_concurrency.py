"""Many connections at once: one key has one outcome, no guard is breached, nobody waits in a circle."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session

import ledger
from ledger import LedgerError, Posted, Posting, TransactionRequest
from tests.ledger.books import ANI, BUDI, SCHOOL, appropriate, cancel, funded, grant, move, purchase, rupiah
from tests.ledger.conftest import Database
from tests.ledger.test_schema import MIGRATIONS

BEFORE = MIGRATIONS / "sql" / "0011_ledger_isolation_down.sql"


def at_once(engine: Engine, works: list[Callable[[Session], object]]) -> list[object]:
    """Run each piece of work in its own transaction, all starting together; a refusal is an answer."""
    start = Barrier(len(works))
    crowd = create_engine(engine.url, pool_size=len(works))

    def one(work: Callable[[Session], object]) -> object:
        with Session(crowd) as session:
            session.connection()
            start.wait(timeout=60)
            try:
                answer = work(session)
                session.commit()
            except LedgerError as refusal:
                return refusal
            return answer

    with ThreadPoolExecutor(len(works)) as pool:
        answers = list(pool.map(one, works))
    crowd.dispose()
    return answers


def test_50_identical_posts_have_one_effect_and_one_answer(session: Session, app_engine: Engine) -> None:
    funded(session)
    answers = at_once(app_engine, [lambda each: purchase(each, 3_500_000)] * 50)
    posted = [each for each in answers if isinstance(each, Posted)]
    assert len(posted) == 50
    assert len({(each.id, each.commitment) for each in posted}) == 1
    assert sum(not each.replayed for each in posted) == 1
    assert ledger.balance(session, ANI) == 0


def test_an_account_cannot_be_overdrawn_by_many_at_once(session: Session, app_engine: Engine) -> None:
    funded(session)
    answers = at_once(app_engine, [_buyer(number) for number in range(40)])
    assert sum(isinstance(each, Posted) for each in answers) == 7
    assert sum(isinstance(each, ledger.InsufficientBalance) for each in answers) == 33
    assert ledger.balance(session, ANI) == 0
    assert ledger.verify(session).is_sound


def _buyer(number: int) -> Callable[[Session], object]:
    return lambda session: purchase(session, 500_000, key=f"purchase:{number}")


def _naive_buyer(number: int) -> Callable[[Session], object]:
    """Looks first and posts later, as one would without the guard."""

    def buy(session: Session) -> object:
        if ledger.balance(session, ANI) < 500_000:
            raise ledger.InsufficientBalance("too late")
        session.execute(text("SELECT pg_sleep(0.3)"))
        return purchase(session, 500_000, key=f"purchase:{number}")

    return buy


def test_control_without_the_guard_the_same_race_overdraws(weakened: Database) -> None:
    with weakened.owner.begin() as owner:
        owner.execute(text("ALTER TABLE ledger.balance DROP CONSTRAINT ck_balance_guard"))
    with Session(weakened.app) as session:
        funded(session)
        at_once(weakened.app, [_naive_buyer(number) for number in range(16)])
        assert ledger.balance(session, ANI) < 0


def test_a_purchase_is_cancelled_once_by_many_at_once(session: Session, app_engine: Engine) -> None:
    funded(session)
    bought = purchase(session, 500_000)
    purchase(session, 500_000, key="purchase:2")
    session.commit()

    def canceller(number: int) -> Callable[[Session], object]:
        return lambda each: cancel(each, bought.id, 300_000, key=f"cancellation:{number}")

    answers = at_once(app_engine, [canceller(number) for number in range(12)])
    assert sum(isinstance(each, Posted) for each in answers) == 1
    assert sum(isinstance(each, ledger.ExceedsOriginal) for each in answers) == 11
    assert ledger.verify(session).is_sound


def test_batches_in_opposite_order_never_wait_in_a_circle(session: Session, app_engine: Engine) -> None:
    funded(session)
    grant(session, BUDI)
    session.commit()

    def swapper(number: int) -> Callable[[Session], object]:
        sides = [(ANI, BUDI), (BUDI, ANI)]
        if number % 2:
            sides.reverse()
        batch = [
            TransactionRequest(f"swap:{round_}:{a}", "swap", [Posting(a, b, rupiah(1))])
            for round_ in range(10)
            for a, b in sides
        ]
        return lambda each: ledger.post_many(each, batch)

    answers = at_once(app_engine, [swapper(number) for number in range(12)])
    assert not [each for each in answers if isinstance(each, Exception)]
    assert ledger.balances(session, [ANI, BUDI]) == {ANI: rupiah(3_500_000), BUDI: rupiah(3_500_000)}


def test_a_closing_account_and_a_posting_to_it_exclude_each_other(
    session: Session, app_engine: Engine
) -> None:
    funded(session)
    works: list[Callable[[Session], object]] = [lambda each: ledger.close_account(each, BUDI)]
    works += [_payer(number) for number in range(8)]
    answers = at_once(app_engine, works)
    is_closed = answers[0] is None
    assert all(isinstance(each, ledger.AccountClosed | Posted) for each in answers[1:])
    balance = ledger.balance(session, BUDI)
    assert (balance == 0) is is_closed


def test_control_under_an_old_snapshot_a_filled_account_would_close(weakened: Database) -> None:
    """What close_account() was before it looked at the level; a counted account's row would have told."""
    with weakened.owner.begin() as owner:
        owner.exec_driver_sql(BEFORE.read_text(), execution_options={"no_parameters": True})
    late = Session(weakened.app.execution_options(isolation_level="REPEATABLE READ"))
    with Session(weakened.app) as session, late:
        funded(session)
        assert ledger.balance(late, SCHOOL) == 0
        purchase(session, 1)
        session.commit()
        ledger.close_account(late, SCHOOL)
        late.commit()
        assert ledger.balance(session, SCHOOL) == 1
        with pytest.raises(ledger.AccountClosed):
            purchase(session, 1, key="too late")


def _payer(number: int) -> Callable[[Session], object]:
    return lambda each: ledger.post(each, f"s{number}", "swap", move(ANI, BUDI, 1))


def test_the_loser_of_a_key_that_was_rolled_back_writes_it(session: Session, app_engine: Engine) -> None:
    funded(session)
    with Session(app_engine) as first:
        purchase(first, 100)
        with ThreadPoolExecutor(1) as pool, Session(app_engine) as second:
            waiting = pool.submit(purchase, second, 200)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.5)
            first.rollback()
            assert waiting.result(timeout=30).balances == {ANI: rupiah(3_499_800)}


def test_a_key_taken_by_another_request_meanwhile_is_a_conflict(session: Session, app_engine: Engine) -> None:
    appropriate(session)
    session.commit()
    works: list[Callable[[Session], object]] = [
        lambda each: ledger.post(each, "k", "appropriation", move("bank:treasury", "fund:2023", 1)),
        lambda each: ledger.post(each, "k", "appropriation", move("bank:treasury", "fund:2023", 2)),
    ]
    kinds = sorted(type(each).__name__ for each in at_once(app_engine, works))
    assert kinds == ["IdempotencyConflict", "Posted"]
    assert ledger.balance(session, SCHOOL) == 0
