"""The past on two axes, closed periods, and reversals in part: nothing is ever rewritten."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

import ledger
from ledger import Posting
from tests.ledger.books import ANI, BUDI, SCHOOL, cancel, funded, grant, move, purchase, rupiah
from tests.ledger.conftest import Database
from tests.ledger.raw import REPLICA, state_of
from tests.ledger.test_concurrency import at_once
from tests.ledger.test_sealing import SIGNER
from tests.ledger.waiting import all_is_known
from tests.watermark import seal

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def _dated(session: Session, key: str, amount: int, at: datetime) -> None:
    ledger.post(session, key, "purchase", move(ANI, SCHOOL, amount), effective_at=at)


def _known(session: Session) -> int:
    session.commit()
    return all_is_known(session)


def _reading(session: Session, **axes: Any) -> list[tuple[str, Decimal, Decimal]]:
    trial = ledger.trial_balance(session, **axes)
    assert trial.is_balanced
    codes = [row.code for row in trial.rows]
    assert ledger.balances(session, codes, **axes) == {row.code: row.balance for row in trial.rows}
    return [(row.code, row.debits, row.credits) for row in trial.rows]


def test_a_balance_counts_what_was_effective_before_an_instant(session: Session) -> None:
    funded(session)
    _dated(session, "second", 20, MARCH + DAY)
    _dated(session, "first", 1, MARCH)
    instants = [MARCH, MARCH + DAY, MARCH + 2 * DAY]
    assert [ledger.balance(session, SCHOOL, as_of=at) for at in instants] == [0, 1, 21]
    assert ledger.balance(session, ANI, as_of=MARCH + 2 * DAY) == -21
    for at in instants:
        assert ledger.statement(session, SCHOOL, end=at).closing == ledger.balance(session, SCHOOL, as_of=at)


def test_what_is_dated_back_never_changes_what_was_known(session: Session) -> None:
    funded(session)
    _dated(session, "first", 100, MARCH)
    before = _known(session)
    axes = ({"known_at": before}, {"known_at": before, "as_of": MARCH + DAY})
    readings = [_reading(session, **each) for each in axes]
    lines = ledger.statement(session, SCHOOL, known_at=before)
    _dated(session, "late", 11, MARCH - DAY)
    _known(session)
    ledger.roll_up(session, 1)
    ledger.open_accounts(session, ["benefit:citra"])
    after = _known(session)
    assert [_reading(session, **each) for each in axes] == readings
    assert ledger.statement(session, SCHOOL, known_at=before) == lines
    both = {each: ledger.balance(session, SCHOOL, as_of=MARCH, known_at=each) for each in (before, after)}
    assert both == {before: 0, after: 11}
    assert ledger.balance(session, SCHOOL, known_at=after) == 111
    assert ledger.balance(session, SCHOOL, known_at=0) == 0
    assert ledger.statement(session, SCHOOL, MARCH, known_at=after).opening == 11


def test_what_was_known_at_a_seal_is_read_again_for_ever(session: Session) -> None:
    funded(session)
    session.commit()
    first = seal(session, SIGNER)
    _dated(session, "late", 7, MARCH - DAY)
    session.commit()
    second = seal(session, SIGNER)
    readings = [ledger.balance(session, SCHOOL, known_at=each.through) for each in (first, second)]
    assert readings == [0, 7]
    assert ledger.balance(session, SCHOOL, as_of=MARCH - DAY, known_at=second.through) == 0
    assert [ledger.get_seal_of(session, size) for size in (2, 3)] == [first, second]
    for size in (0, 1, 4):
        with pytest.raises(ledger.NotSealed):
            ledger.get_seal_of(session, size)


def test_a_reading_at_a_position_is_the_same_with_and_without_roll_ups(session: Session) -> None:
    funded(session)
    positions = []
    for number in range(6):
        purchase(session, 10, key=f"p{number}")
        positions.append(_known(session))
        if number % 2:
            ledger.roll_up(session, 1)
    assert [ledger.balance(session, SCHOOL, known_at=each) for each in positions] == [10, 20, 30, 40, 50, 60]
    assert [row[2] for row in _reading(session, known_at=positions[2]) if row[0] == SCHOOL] == [30]


@pytest.mark.parametrize(
    ("axes", "code"),
    [
        ({"as_of": datetime(2026, 1, 1)}, "invalid_effective_at"),  # noqa: DTZ001 - the point
        ({"as_of": "today"}, "invalid_effective_at"),
        ({"known_at": -1}, "invalid_position"),
        ({"known_at": True}, "invalid_position"),
        ({"known_at": "1"}, "invalid_position"),
        ({"known_at": 2**62}, "invalid_position"),
    ],
)
def test_the_past_is_asked_for_in_its_own_terms(session: Session, axes: dict[str, Any], code: str) -> None:
    for read in (
        lambda: ledger.balance(session, ANI, **axes),
        lambda: ledger.trial_balance(session, **axes),
    ):
        with pytest.raises(ledger.InvalidRequest) as refused:
            read()
        assert refused.value.code == code


def test_nobody_may_ask_for_what_is_still_under_way(session: Session, app_engine: Engine) -> None:
    funded(session)
    _known(session)
    with Session(app_engine) as slow:
        purchase(slow, 10, key="slow")
        here = slow.scalar(text("SELECT position FROM ledger.transaction WHERE key = 'slow'"))
        assert ledger.known_position(session) <= here
        with pytest.raises(ledger.InvalidPosition):
            ledger.balance(session, SCHOOL, known_at=here + 1)
        slow.commit()
    session.rollback()
    assert ledger.balance(session, SCHOOL, known_at=_known(session)) == 10


def test_a_closed_period_takes_nothing_and_is_never_opened_again(session: Session, books: Database) -> None:
    funded(session)
    session.commit()
    for until in (MARCH, MARCH, MARCH + DAY):
        with Session(books.owner) as owner:
            ledger.close_period(owner, until)
            owner.commit()
    with pytest.raises(ledger.PeriodClosed):
        _dated(session, "k", 1, MARCH + DAY - timedelta(microseconds=1))
    session.rollback()
    _dated(session, "k", 1, MARCH + DAY)
    session.commit()
    assert session.scalar(text("SELECT count(*) FROM ledger.closed_period")) == 2
    with Session(books.owner) as owner:
        for until in (MARCH, datetime(2099, 1, 1, tzinfo=UTC)):
            with pytest.raises(ledger.InvalidPeriod):
                ledger.close_period(owner, until)
            owner.rollback()
        with pytest.raises(ledger.InvalidEffectiveAt):
            ledger.close_period(owner, datetime(2026, 4, 1))  # noqa: DTZ001 - the point
    with pytest.raises(ProgrammingError, match="permission denied"):
        ledger.close_period(session, MARCH + 2 * DAY)
    session.rollback()
    assert ledger.verify(session).is_sound


def test_raw_sql_cannot_close_the_future_or_open_the_past(books: Database, weakened: Database) -> None:
    close = "INSERT INTO ledger.closed_period VALUES ('{}')"
    assert state_of(books.app, close.format("2026-03-01")) == "42501"
    assert state_of(books.owner, close.format("2026-03-01")) == "done"
    for at in ("2099-01-01", "2026-02-01"):
        assert state_of(books.owner, close.format(at)) == "LG026"
        assert state_of(books.superuser, close.format(at), before=REPLICA) == "LG026"
    assert state_of(books.owner, "DELETE FROM ledger.closed_period") == "LG010"
    with weakened.owner.begin() as owner:
        owner.execute(text("DROP TRIGGER check_period ON ledger.closed_period"))
    assert state_of(weakened.owner, close.format("2099-01-01")) == "done"


def test_a_closing_period_and_a_posting_into_it_exclude_each_other(
    session: Session, books: Database, app_engine: Engine
) -> None:
    funded(session)
    session.commit()
    with Session(app_engine) as writer, Session(books.owner) as owner:
        _dated(writer, "early", 1, MARCH - DAY)
        owner.execute(text("SET lock_timeout = '300ms'"))
        with pytest.raises(Exception, match="lock timeout"):
            ledger.close_period(owner, MARCH)
        owner.rollback()
        writer.commit()
        ledger.close_period(owner, MARCH)
        owner.commit()
    answers = at_once(app_engine, [lambda each: _dated(each, "late", 1, MARCH - DAY)])
    assert isinstance(answers[0], ledger.PeriodClosed)
    assert ledger.verify(session).is_sound


def test_a_posting_into_a_closed_period_is_found_however_it_came_about(
    session: Session, books: Database
) -> None:
    funded(session)
    with books.superuser.begin() as superuser:
        superuser.execute(text("INSERT INTO ledger.closed_period VALUES ('2026-03-01')"))
        superuser.execute(text("ALTER TABLE ledger.transaction DISABLE TRIGGER check_transactions"))
    _dated(session, "smuggled", 1, MARCH - DAY)
    problem = ledger.verify(session).problem
    assert problem is not None
    assert "(smuggled)" in problem.row
    assert "closed" in problem.what


def test_a_part_is_reversed_and_then_no_more_than_the_rest(session: Session) -> None:
    funded(session)
    both = ledger.post(session, "two", "purchase", move(ANI, SCHOOL, 300) + move(ANI, SCHOOL, 200))
    first = ledger.reverse(session, "undo:1", both.id, amounts=[rupiah(100), rupiah(0)])
    assert list(ledger.get_transaction(session, first.id).postings) == [Posting(SCHOOL, ANI, rupiah(100))]
    again = ledger.reverse(session, "undo:1", both.id, amounts=[rupiah(100), rupiah(0)])
    assert (again.replayed, again.id) == (True, first.id)
    for key, amounts, refusal in (
        ("undo:1", [rupiah(1), rupiah(0)], ledger.IdempotencyConflict),
        ("undo:2", None, ledger.ExceedsOriginal),
        ("undo:2", [rupiah(300), rupiah(101)], ledger.ExceedsOriginal),
        ("undo:2", [rupiah(1)], ledger.InvalidPostings),
        ("undo:2", [rupiah(0), rupiah(0)], ledger.InvalidPostings),
        ("undo:2", [rupiah(-1), rupiah(2)], ledger.InvalidAmount),
        ("undo:2", [Decimal("sNaN"), rupiah(2)], ledger.InvalidAmount),
        ("undo:2", [0, 1.5], ledger.InvalidAmount),
    ):
        with session.begin_nested() as savepoint:
            with pytest.raises(refusal):
                ledger.reverse(session, key, both.id, amounts=amounts)  # type: ignore[arg-type] # floats are the point
            savepoint.rollback()
    cancel(session, both.id, 150)
    ledger.reverse(session, "undo:3", both.id, amounts=[rupiah(50), rupiah(200)])
    assert ledger.balances(session, [ANI, SCHOOL]) == {ANI: rupiah(3_500_000), SCHOOL: rupiah(0)}
    assert ledger.verify(session).is_sound


def test_reversals_and_settlements_at_once_are_capped_together(session: Session, app_engine: Engine) -> None:
    funded(session)
    grant(session, BUDI)
    bought = purchase(session, 500)
    purchase(session, 500, key="purchase:2", who=BUDI)
    session.commit()

    def act(number: int) -> Any:
        if number % 2:
            return lambda each: cancel(each, bought.id, 100, key=f"c{number}")
        return lambda each: ledger.reverse(each, f"r{number}", bought.id, amounts=[rupiah(100)])

    answers = at_once(app_engine, [act(number) for number in range(12)])
    assert sum(isinstance(each, ledger.Posted) for each in answers) == 5
    assert sum(isinstance(each, ledger.ExceedsOriginal) for each in answers) == 7
    assert ledger.balance(session, SCHOOL) == 500
