"""Folded accounts: nobody queues for them, readers are exact at every moment, and the guarded ones hold."""

from collections.abc import Callable
from decimal import Decimal
from threading import Event, Thread

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

import ledger
from ledger import Posted
from tests.ledger.books import ANI, BUDI, SCHOOL, appropriate, cancel, funded, grant, move, purchase
from tests.ledger.conftest import Database
from tests.ledger.raw import REPLICA, state_of
from tests.ledger.test_concurrency import at_once
from tests.ledger.waiting import all_is_known

POOL, VAULT = "pool:one", "vault:one"


def _roll(session: Session, at_least: int = 1) -> int:
    session.commit()
    all_is_known(session)
    rolled = ledger.roll_up(session, at_least)
    session.commit()
    return rolled


def _credits(session: Session, code: str) -> list[Decimal]:
    query = (
        "SELECT r.credits FROM ledger.rollup r JOIN ledger.account a ON a.id = r.account_id"
        " WHERE a.code = :code ORDER BY r.through"
    )
    return list(session.scalars(text(query), {"code": code}))


def _full_sum(session: Session, code: str) -> Decimal:
    query = (
        "SELECT coalesce(sum(CASE WHEN p.credit_account = a.id THEN p.amount ELSE -p.amount END), 0)"
        " FROM ledger.account a JOIN ledger.posting p ON a.id IN (p.debit_account, p.credit_account)"
        " WHERE a.code = :code"
    )
    return session.execute(text(query), {"code": code}).scalar_one()


def test_only_accounts_with_enough_new_postings_are_rolled_up(session: Session) -> None:
    funded(session)
    for number in range(3):
        purchase(session, 100, key=f"p{number}")
    assert _roll(session, at_least=4) == 0
    assert _roll(session, at_least=3) == 1
    assert _credits(session, SCHOOL) == [300]
    assert _roll(session, at_least=3) == 0
    purchase(session, 5, key="p9")
    assert _roll(session) == 2
    assert _credits(session, SCHOOL) == [300, 305]
    assert ledger.balance(session, SCHOOL) == 305
    assert ledger.verify(session).is_sound


@pytest.mark.parametrize("at_least", [0, -1, 1.5, None])
def test_a_roll_up_needs_a_number_of_postings(session: Session, at_least: int) -> None:
    with pytest.raises(ledger.InvalidRequest):
        ledger.roll_up(session, at_least)


def test_what_is_under_way_waits_for_the_next_roll_up(session: Session, app_engine: Engine) -> None:
    funded(session)
    grant(session, BUDI)
    purchase(session, 100, key="early")
    session.commit()
    with Session(app_engine) as slow:
        purchase(slow, 10, key="slow", who=BUDI)
        purchase(session, 1, key="quick")
        session.commit()
        assert ledger.roll_up(session, 1) >= 0
        session.commit()
        # the quick one was written later than the slow one began: it is in no roll-up, and yet counted
        assert sum(_credits(session, SCHOOL)) in (0, 100)
        assert ledger.balance(session, SCHOOL) == 101
        slow.commit()
    session.rollback()
    assert ledger.balance(session, SCHOOL) == 111
    _roll(session)
    assert _credits(session, SCHOOL)[-1] == 111 == ledger.balance(session, SCHOOL)


def test_one_rolls_up_at_a_time(session: Session, app_engine: Engine) -> None:
    funded(session)
    purchase(session, 100)
    session.commit()
    all_is_known(session)
    with Session(app_engine) as first:
        assert ledger.roll_up(first, 1) == 2
        assert ledger.roll_up(session, 1) == 0
        session.rollback()
        first.commit()
    assert ledger.roll_up(session, 1) == 0


def test_readers_are_exact_while_others_post_and_roll_up(session: Session, app_engine: Engine) -> None:
    funded(session)
    session.commit()
    stop = Event()
    faults: list[BaseException] = []

    def work(act: Callable[[Session, int], object]) -> None:
        number = 0
        try:
            with Session(app_engine) as mine:
                while not stop.is_set():
                    number += 1
                    act(mine, number)
                    mine.commit()
        except BaseException as error:
            faults.append(error)

    def buy(mine: Session, number: int) -> None:
        bought = purchase(mine, 3, key=f"p{id(mine)}:{number}")
        cancel(mine, bought.id, 1, key=f"c{id(mine)}:{number}")

    acts: list[Callable[[Session, int], object]] = [buy, buy, lambda mine, _: ledger.roll_up(mine, 2)]
    threads = [Thread(target=work, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    both = text(
        "SELECT s.credits - s.debits, (SELECT sum(CASE WHEN p.credit_account = a.id THEN p.amount"
        " ELSE -p.amount END) FROM ledger.posting p WHERE a.id IN (p.debit_account, p.credit_account))"
        " FROM ledger.account a CROSS JOIN LATERAL ledger.sums(a.id) s WHERE a.code = :code"
    )
    for _ in range(150):
        quick, full = session.execute(both, {"code": SCHOOL}).one()
        session.rollback()
        assert quick == (full or 0)
    stop.set()
    for thread in threads:
        thread.join()
    assert faults == []
    assert len(_credits(session, SCHOOL)) > 1
    assert ledger.verify(session).is_sound


def test_the_watermark_follows_the_offset_of_a_restored_cluster(session: Session, books: Database) -> None:
    funded(session)
    purchase(session, 100)
    _roll(session)
    with books.owner.begin() as owner:
        owner.execute(text("UPDATE ledger.position_offset SET value = 1000000000"))
    purchase(session, 10, key="after")
    assert ledger.balance(session, SCHOOL) == 110
    _roll(session)
    assert _credits(session, SCHOOL) == [100, 110]
    assert ledger.verify(session).is_sound


FORGERIES = [
    ("another sum", "100, 0", "0"),
    ("what is not known yet", "0, 100", "1000000000000"),
    ("a counted account", "0, 0", "0"),
]


@pytest.mark.parametrize(("sums", "ahead"), [row[1:] for row in FORGERIES], ids=[row[0] for row in FORGERIES])
def test_a_roll_up_cannot_be_forged(books: Database, weakened: Database, sums: str, ahead: str) -> None:
    code = ANI if sums == "0, 0" else SCHOOL
    forgery = (
        "INSERT INTO ledger.rollup (account_id, day, through, debits, credits)"
        f" SELECT id, current_date, ledger.watermark() + {ahead}, {sums}"
        f" FROM ledger.account WHERE code = '{code}'"
    )
    for database in (books, weakened):
        with Session(database.app) as session:
            funded(session)
            purchase(session, 100)
            session.commit()
            all_is_known(session)
    assert state_of(books.app, forgery) == "42501"
    assert state_of(books.owner, forgery) == "LG010"
    assert state_of(books.superuser, forgery, before=REPLICA) == "LG010"
    with weakened.owner.begin() as owner:
        owner.execute(text("DROP TRIGGER check_rollups ON ledger.rollup"))
    assert state_of(weakened.owner, forgery) == "done"
    with Session(weakened.app) as session:
        problem = ledger.verify(session).problem
    if "1000000000000" not in ahead:
        assert problem is not None
        assert problem.table == "rollup"
        assert code in problem.row


def _filled_pool(session: Session, amount: int = 1_000) -> None:
    ledger.open_accounts(session, [POOL, VAULT])
    funded(session)
    ledger.post(session, "pooling", "pooling", move(ANI, POOL, amount))
    session.commit()


def _draw(number: int, amount: int = 100, to: str = ANI) -> Callable[[Session], object]:
    return lambda session: ledger.post(session, f"d{number}", "drawing", move(POOL, to, amount))


def test_a_guarded_folded_account_never_goes_below_zero(session: Session, app_engine: Engine) -> None:
    _filled_pool(session)
    with pytest.raises(ledger.InsufficientBalance) as refused:
        _draw(0, 1_001)(session)
    assert refused.value.detail == POOL
    session.rollback()
    answers = at_once(app_engine, [_draw(number) for number in range(1, 17)])
    assert sum(isinstance(each, Posted) for each in answers) == 10
    assert sum(isinstance(each, ledger.InsufficientBalance) for each in answers) == 6
    assert ledger.balance(session, POOL) == 0 == _full_sum(session, POOL)
    assert ledger.verify(session).is_sound


def test_a_guarded_folded_account_is_exact_across_its_roll_up(session: Session) -> None:
    _filled_pool(session)
    _roll(session)
    _draw(1, 600)(session)
    _roll(session)
    with pytest.raises(ledger.InsufficientBalance):
        _draw(2, 401)(session)
    session.rollback()
    _draw(3, 400)(session)
    assert ledger.balance(session, POOL) == 0


def test_a_guarded_folded_asset_holds_on_its_other_side(session: Session) -> None:
    _filled_pool(session)
    ledger.post(session, "s", "storing", move(VAULT, "fund:2023", 500))
    with pytest.raises(ledger.InsufficientBalance) as refused:
        ledger.post(session, "t", "taking", move("fund:2023", VAULT, 501))
    assert refused.value.detail == VAULT
    session.rollback()
    assert ledger.balance(session, VAULT) == 0


def test_raising_a_guarded_folded_account_waits_for_nobody(session: Session, app_engine: Engine) -> None:
    _filled_pool(session)
    ledger.open_accounts(session, ["benefit:eve"])
    appropriate(session, key="more")
    ledger.post(session, "eve", "grant", move("fund:2023", "benefit:eve", 100))
    session.commit()
    with Session(app_engine) as drawer:
        _draw(1)(drawer)
        session.execute(text("SET LOCAL lock_timeout = '2s'"))
        ledger.post(session, "eve:1", "pooling", move("benefit:eve", POOL, 100))
        session.commit()
        drawer.commit()
    assert ledger.balance(session, POOL) == 1_000


def test_control_without_the_lock_a_guarded_folded_account_is_overdrawn(weakened: Database) -> None:
    with weakened.owner.begin() as owner:
        lock = "PERFORM 1 FROM ledger.account a WHERE a.id = ANY (p_accounts) ORDER BY a.id FOR NO KEY UPDATE"
        body = owner.scalar(text("SELECT pg_get_functiondef('ledger.guard_folded'::regproc)"))
        assert lock in body
        careless = body.replace(lock, "PERFORM 1")
        owner.exec_driver_sql(careless, execution_options={"no_parameters": True})
        # the payee's row would make the drawers queue
        owner.execute(text("INSERT INTO ledger.flow VALUES ('drawing', 'pool', 'escrow', NULL)"))
    with Session(weakened.app) as session, Session(weakened.app) as other:
        _filled_pool(session)
        _draw(1, 600, SCHOOL)(session)
        _draw(2, 600, SCHOOL)(other)
        session.commit()
        other.commit()
        assert ledger.balance(session, POOL) < 0
        problem = ledger.verify(session).problem
    assert problem is not None
    assert str(problem) == f"account {POOL}: it is guarded and below zero"
