"""Holds: kept out of the balance, resolved once, over at their instant whether or not anything has run."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

import ledger
from ledger import Held, HoldState, Posted, Posting
from tests.ledger.books import ANI, BUDI, SCHOOL, appropriate, funded, keep, move, purchase, rupiah
from tests.ledger.conftest import Database
from tests.ledger.test_concurrency import at_once

LATER = datetime(2099, 1, 1, tzinfo=UTC)
EARLIER = datetime(2026, 1, 1, tzinfo=UTC)


def jump(books: Database, seconds: float) -> None:
    """Move programme time, as only the owner may."""
    with books.owner.begin() as owner:
        owner.execute(
            text('UPDATE ledger.programme_clock SET "offset" = "offset" + :by'),
            {"by": timedelta(seconds=seconds)},
        )


def amounts(session: Session, code: str = ANI) -> tuple[int, int]:
    """Balance and what is available of it."""
    assert ledger.verify(session).is_sound
    return int(ledger.balance(session, code)), int(ledger.available(session, code))


def held(session: Session) -> Decimal:
    """What the balance row counts as held, written down as expired or not."""
    return session.execute(text("SELECT sum(held) FROM ledger.balance")).scalar_one()


def test_a_hold_moves_nothing_and_makes_its_amount_unavailable(session: Session) -> None:
    funded(session)
    made = keep(session, 500_000)
    assert amounts(session) == (3_500_000, 3_000_000)
    assert ledger.balance(session, SCHOOL) == 0
    record = ledger.get_hold(session, made.id)
    assert (record.account, record.credit, record.amount, record.state) == (ANI, SCHOOL, 500_000, "live")
    assert (record.captured, record.transaction_id, record.kind) == (0, None, "purchase")


def test_what_is_held_cannot_be_spent_or_held_again(session: Session) -> None:
    funded(session)
    keep(session, 3_000_000)
    for spend in (lambda: purchase(session, 500_001), lambda: keep(session, 500_001, key="hold:2")):
        savepoint = session.begin_nested()
        with pytest.raises(ledger.InsufficientBalance) as refused:
            spend()
        assert refused.value.detail == ANI
        savepoint.rollback()
    purchase(session, 500_000)
    assert amounts(session) == (3_000_000, 0)


def test_a_capture_makes_the_posting_that_was_held(session: Session) -> None:
    funded(session)
    made = keep(session, 3_500_000)
    posted = ledger.capture(session, "capture:1", made.id)
    assert posted.balances == {ANI: rupiah(0)}
    assert amounts(session) == (0, 0)
    record = ledger.get_transaction(session, posted.id)
    assert (record.kind, record.key, record.reference) == ("purchase", "capture:1", "enrolment:hold:1")
    assert list(record.postings) == move(ANI, SCHOOL, 3_500_000)
    after = ledger.get_hold(session, made.id)
    assert (after.state, after.captured, after.transaction_id) == ("captured", 3_500_000, posted.id)


def test_a_part_is_captured_and_the_rest_is_released(session: Session) -> None:
    funded(session)
    made = keep(session, 500_000)
    posted = ledger.capture(session, "c", made.id, rupiah(300_000), effective_at=EARLIER, reference="r")
    assert amounts(session) == (3_200_000, 3_200_000)
    assert ledger.get_hold(session, made.id).captured == 300_000
    record = ledger.get_transaction(session, posted.id)
    assert (record.effective_at, record.reference) == (EARLIER, "r")


def test_a_released_hold_gives_its_amount_back(session: Session) -> None:
    funded(session)
    made = keep(session)
    assert ledger.release(session, made.id).state is HoldState.RELEASED
    assert ledger.release(session, made.id).state is HoldState.RELEASED
    assert amounts(session) == (3_500_000, 3_500_000)


def test_a_hold_is_over_at_its_instant_without_a_sweeper(session: Session, books: Database) -> None:
    funded(session)
    made = keep(session, 3_000_000, seconds=3600)
    session.commit()
    jump(books, 3590)
    assert amounts(session) == (3_500_000, 500_000)
    session.rollback()
    jump(books, 10)
    assert amounts(session) == (3_500_000, 3_500_000)
    assert ledger.get_hold(session, made.id).state is HoldState.EXPIRED
    assert held(session) == 3_000_000
    purchase(session, 3_500_000)
    assert held(session) == 0
    assert amounts(session) == (0, 0)


def test_a_new_hold_may_use_what_an_expired_one_kept(session: Session, books: Database) -> None:
    funded(session)
    keep(session, 3_000_000)
    session.commit()
    jump(books, 3600)
    keep(session, 3_500_000, key="hold:2")
    assert amounts(session) == (3_500_000, 0)


def test_an_account_is_empty_when_its_holds_are_past(session: Session, books: Database) -> None:
    funded(session)
    keep(session, 1)
    session.commit()
    with pytest.raises(ledger.AccountNotEmpty):
        ledger.close_account(session, ANI)
    session.rollback()
    jump(books, 3600)
    ledger.post(session, "s", "swap", move(ANI, BUDI, 3_500_000))
    ledger.close_account(session, ANI)
    with pytest.raises(ledger.AccountClosed):
        keep(session, 1, key="hold:2")


def _past(books: Database, session: Session, made: Held) -> None:
    session.commit()
    jump(books, 3600)


ENDS: dict[str, Callable[[Database, Session, Held], object]] = {
    "captured": lambda books, session, made: ledger.capture(session, "c", made.id),
    "released": lambda books, session, made: ledger.release(session, made.id),
    "expired": _past,
}


@pytest.mark.parametrize("end", ENDS)
def test_a_hold_is_resolved_once(session: Session, books: Database, end: str) -> None:
    funded(session)
    made = keep(session)
    ENDS[end](books, session, made)
    session.commit()
    refusal = ledger.HoldExpired if end == "expired" else ledger.HoldResolved
    with pytest.raises(refusal) as refused:
        ledger.capture(session, "again", made.id)
    assert refused.value.detail == str(made.id)
    session.rollback()
    if end == "captured":
        with pytest.raises(ledger.HoldResolved):
            ledger.release(session, made.id)
        session.rollback()
    else:
        assert ledger.release(session, made.id).state == end
    assert ledger.get_hold(session, made.id).state == end
    assert ledger.verify(session).is_sound


def test_an_expired_hold_is_told_as_such_also_once_that_is_written_down(
    session: Session, books: Database
) -> None:
    funded(session)
    made = keep(session)
    session.commit()
    jump(books, 3600)
    for spent in (False, True):
        if spent:
            purchase(session, 1)
            assert held(session) == 0
            session.commit()
        with pytest.raises(ledger.HoldExpired):
            ledger.capture(session, "late", made.id)
        session.rollback()


def test_repeats_get_the_first_answer_whatever_happened_since(session: Session, books: Database) -> None:
    funded(session)
    (posting,) = move(ANI, SCHOOL, 3_500_000)
    request: dict[str, Any] = {"key": "h", "kind": "purchase", "posting": posting, "expires_at": LATER}
    made = ledger.hold(session, **request)
    assert ledger.hold(session, **request) == Held(made.id, True)
    first = ledger.capture(session, "c", made.id)
    again = ledger.capture(session, "c", made.id, rupiah(3_500_000))
    assert (again.replayed, again.id, again.commitment) == (True, first.id, first.commitment)
    session.commit()
    jump(books, 100 * 366 * 86400)
    assert ledger.hold(session, **request) == Held(made.id, True)
    assert ledger.capture(session, "c", made.id).replayed
    for change in (
        {"posting": Posting(ANI, SCHOOL, rupiah(1))},
        {"expires_at": LATER + timedelta(microseconds=1)},
        {"kind": "gift"},
        {"reference": "r"},
        {"posting": Posting("benefit:nobody", SCHOOL, rupiah(1))},
    ):
        with session.begin_nested() as savepoint:
            with pytest.raises(ledger.IdempotencyConflict):
                ledger.hold(session, **{**request, **change})
            savepoint.rollback()
    with pytest.raises(ledger.IdempotencyConflict):
        ledger.capture(session, "c", made.id, rupiah(1))


def test_a_capture_and_another_request_do_not_share_a_key(session: Session) -> None:
    funded(session)
    bought = purchase(session, 500_000, key="p")
    twin = [keep(session, 500_000, key="p"), keep(session, 500_000, key="p2")]
    reference = "enrolment:p"
    # the same content, and yet not what the key was used for
    for made in twin:
        with session.begin_nested() as savepoint:
            with pytest.raises(ledger.IdempotencyConflict):
                ledger.capture(session, "p", made.id, reference=reference)
            savepoint.rollback()
    ledger.capture(session, "c", twin[0].id, reference=reference)
    with session.begin_nested() as savepoint:
        with pytest.raises(ledger.IdempotencyConflict):
            ledger.capture(session, "c", twin[1].id, reference=reference)
        savepoint.rollback()
    assert bought.id != ledger.capture(session, "c", twin[0].id, reference=reference).id


def _ask(**change: Any) -> Callable[[Session], object]:
    request = {"key": "k", "kind": "purchase", "expires_at": LATER, **change}
    legs = request.pop("legs", (ANI, SCHOOL, Decimal(1)))
    return lambda session: ledger.hold(session, posting=Posting(*legs), **request)


HOLDS: list[tuple[str, Callable[[Session], object], str]] = [
    ("float", _ask(legs=(ANI, SCHOOL, 1.5)), "invalid_amount"),
    ("three decimals", _ask(legs=(ANI, SCHOOL, Decimal("0.001"))), "invalid_amount"),
    ("same account", _ask(legs=(ANI, ANI, Decimal(1))), "same_account"),
    ("unknown account", _ask(legs=(ANI, "escrow:none", Decimal(1))), "unknown_account"),
    ("unknown payer", _ask(legs=("benefit:no", SCHOOL, Decimal(1))), "unknown_account"),
    (
        "other currency",
        _ask(kind="exchange", legs=("fund:2023", "dollars:one", Decimal(1))),
        "currency_mismatch",
    ),
    ("flow not allowed", _ask(kind="theft"), "flow_not_allowed"),
    ("flow that settles", _ask(kind="cancellation", legs=(SCHOOL, ANI, Decimal(1))), "flow_not_allowed"),
    (
        "no guard",
        _ask(kind="appropriation", legs=("bank:treasury", "fund:2023", Decimal(1))),
        "not_holdable",
    ),
    (
        "an asset",
        _ask(kind="deposit", legs=("stock:one", "fund:2023", Decimal(1))),
        "not_holdable",
    ),
    ("too much", _ask(legs=(ANI, SCHOOL, Decimal(3_500_001))), "insufficient_balance"),
    ("past", _ask(expires_at=EARLIER), "invalid_expiry"),
    ("no time zone", _ask(expires_at=datetime(2099, 1, 1)), "invalid_expiry"),  # noqa: DTZ001 - the point
    ("no date", _ask(expires_at="tomorrow"), "invalid_expiry"),
    ("empty key", _ask(key=""), "invalid_key"),
    ("NUL in the reference", _ask(reference="\0"), "invalid_reference"),
    ("unknown hold", lambda session: ledger.capture(session, "k", ledger.uuid7()), "unknown_hold"),
    ("release of nothing", lambda session: ledger.release(session, ledger.uuid7()), "unknown_hold"),
    ("release by text", lambda session: ledger.release(session, "h"), "invalid_request"),  # type: ignore[arg-type] # the point
    ("more than held", lambda session: _capture(session, Decimal(500_001)), "exceeds_hold"),
    ("capture of nothing", lambda session: _capture(session, Decimal(0)), "invalid_amount"),
    ("capture of a float", lambda session: _capture(session, 0.5), "invalid_amount"),
    ("capture by text", lambda session: ledger.capture(session, "k", "h"), "invalid_request"),  # type: ignore[arg-type] # the point
]


def _capture(session: Session, amount: Any) -> Posted:
    return ledger.capture(session, "k", keep(session, 500_000).id, amount)


@pytest.mark.parametrize(("ask", "code"), [row[1:] for row in HOLDS], ids=[row[0] for row in HOLDS])
def test_a_bad_request_about_a_hold_is_refused_with_its_own_code(
    session: Session, ask: Callable[[Session], object], code: str
) -> None:
    funded(session)
    with pytest.raises(ledger.LedgerError) as refused:
        ask(session)
    assert refused.value.code == code
    session.rollback()
    assert session.scalar(text("SELECT count(*) FROM ledger.hold")) == 0
    assert amounts(session) == (3_500_000, 3_500_000)


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_holds_are_written_in_read_committed_only(books: Database, level: Any) -> None:
    with Session(books.app) as session:
        funded(session)
        made = keep(session)
        session.commit()
    acts: list[Callable[[Session], object]] = [
        lambda each: keep(each, key="hold:2"),
        lambda each: ledger.capture(each, "c", made.id),
        lambda each: ledger.release(each, made.id),
    ]
    for act in acts:
        with (
            Session(books.app.execution_options(isolation_level=level)) as session,
            pytest.raises(ledger.WrongIsolation),
        ):
            act(session)


def test_many_at_once_resolve_a_hold_once(session: Session, app_engine: Engine) -> None:
    funded(session)
    made = keep(session, 3_000_000)
    session.commit()

    def capturer(number: int) -> Callable[[Session], object]:
        return lambda each: ledger.capture(each, f"c:{number % 8}", made.id, rupiah(1_000_000))

    works: list[Callable[[Session], object]] = [capturer(number) for number in range(16)]
    works += [lambda each: purchase(each, 500_000, key="other")] * 4
    works += [lambda each: ledger.release(each, made.id)] * 4
    answers = at_once(app_engine, works)
    assert all(isinstance(each, Posted | ledger.HoldRecord | ledger.HoldResolved) for each in answers)
    ended = ledger.get_hold(session, made.id)
    captured = [each for each in answers[:16] if isinstance(each, Posted)]
    assert {each.id for each in captured} == ({ended.transaction_id} if captured else set())
    spent = 500_000 + int(ended.captured)
    assert amounts(session) == (3_500_000 - spent, 3_500_000 - spent)


def test_holds_and_purchases_at_once_never_overdraw(session: Session, app_engine: Engine) -> None:
    appropriate(session)
    funded_before = ledger.post(session, "g", "grant", move("fund:2023", ANI, 1_000_000))
    session.commit()
    assert not funded_before.replayed

    def worker(number: int) -> Callable[[Session], object]:
        if number % 2:
            return lambda each: keep(each, 200_000, key=f"hold:{number}")
        return lambda each: purchase(each, 200_000, key=f"purchase:{number}")

    answers = at_once(app_engine, [worker(number) for number in range(16)])
    assert sum(isinstance(each, ledger.InsufficientBalance) for each in answers) == 11
    assert ledger.available(session, ANI) == 0
    assert ledger.verify(session).is_sound
