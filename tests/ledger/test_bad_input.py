"""What may not be posted: each has an exception and a stable code of its own, and nothing is written."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

import ledger
from ledger import Posting, TransactionRequest
from tests.ledger.books import ANI, BUDI, SCHOOL, appropriate, funded, move, purchase
from tests.ledger.conftest import Database


@pytest.fixture(autouse=True)
def _nothing_is_written(session: Session) -> Iterator[None]:
    funded(session)
    before = count_rows(session)
    yield
    # whoever catches a refusal and commits has written nothing either
    session.commit()
    assert count_rows(session) == before
    assert ledger.balance(session, ANI) == 3_500_000
    assert ledger.verify(session).is_sound


def count_rows(session: Session) -> dict[str, int]:
    """Every table that an application can make the ledger write to, and how many rows it has."""
    query = "SELECT tablename FROM pg_tables WHERE schemaname = 'ledger' AND tablename <> 'closed_period'"
    tables = session.scalars(text(query)).all()
    return {
        each: session.execute(text(f"SELECT count(*) FROM ledger.{each}")).scalar_one() for each in tables
    }


def test_the_count_of_rows_sees_what_is_written(session: Session) -> None:
    """Negative control of every test here: a refusal that wrote something would be seen."""
    before = count_rows(session)
    assert {"transaction", "posting", "hold", "balance", "personal", "adoption"} <= before.keys()
    purchase(session, 1)
    after = count_rows(session)
    assert {each for each in after if after[each] != before[each]} == {"transaction", "posting"}
    session.rollback()


AMOUNTS = [
    1.5, 1, True, "1", None, Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("-1"), Decimal(0),
    Decimal("0.001"), Decimal("1.005"), Decimal("1E-400"), Decimal("1E18"), Decimal("1E400000"),
]  # fmt: skip


@pytest.mark.parametrize("amount", AMOUNTS, ids=repr)
def test_an_amount_that_is_no_positive_decimal_of_two_places_is_refused(
    session: Session, amount: Any
) -> None:
    with pytest.raises(ledger.InvalidAmount) as refused:
        ledger.post(session, "k", "purchase", [Posting(ANI, SCHOOL, amount)])
    assert refused.value.code == "invalid_amount"
    with pytest.raises(ledger.InvalidAmount):
        ledger.post_many(session, [TransactionRequest("k", "purchase", [Posting(ANI, SCHOOL, amount)])])


BOTTOMLESS: dict[str, Any] = {}
BOTTOMLESS["a"] = BOTTOMLESS

REQUESTS: list[tuple[str, dict[str, Any], str]] = [
    ("empty key", {"key": ""}, "invalid_key"),
    ("key of 10.000 characters", {"key": "k" * 10_000}, "invalid_key"),
    ("key with NUL", {"key": "a\0b"}, "invalid_key"),
    ("key with a lone surrogate", {"key": "a\ud800"}, "invalid_key"),
    ("key that is no text", {"key": 7}, "invalid_key"),
    ("kind in capitals", {"kind": "Purchase"}, "invalid_kind"),
    ("empty reference", {"reference": ""}, "invalid_reference"),
    ("reference with NUL", {"reference": "\0"}, "invalid_reference"),
    ("no postings", {"postings": []}, "invalid_postings"),
    ("postings that are none", {"postings": [(ANI, SCHOOL, 1)]}, "invalid_postings"),
    ("postings that come one by one", {"postings": iter(move(ANI, SCHOOL, 1))}, "invalid_postings"),
    ("postings that are absent", {"postings": None}, "invalid_postings"),
    ("1.001 postings", {"postings": move(ANI, SCHOOL, 1) * 1_001}, "invalid_postings"),
    ("10.000 postings", {"postings": move(ANI, SCHOOL, 1) * 10_000}, "invalid_postings"),
    ("same account", {"postings": move(ANI, ANI, 1)}, "same_account"),
    ("code without family", {"postings": move("ani", SCHOOL, 1)}, "invalid_account_code"),
    ("code with a brace", {"postings": move("benefit:a}", SCHOOL, 1)}, "invalid_account_code"),
    ("unknown account", {"postings": move("benefit:nobody", SCHOOL, 1)}, "unknown_account"),
    (
        "other currency",
        {"kind": "exchange", "postings": move("fund:2023", "dollars:one", 1)},
        "currency_mismatch",
    ),
    ("flow that nobody allowed", {"postings": move("fund:2023", SCHOOL, 1)}, "flow_not_allowed"),
    ("kind that nobody allowed", {"kind": "theft"}, "flow_not_allowed"),
    ("more than there is", {"postings": move(ANI, SCHOOL, 3_500_001)}, "insufficient_balance"),
    ("metadata of 1 MB", {"metadata": {"a": "x" * 1_000_000}}, "invalid_metadata"),
    ("metadata with NUL", {"metadata": {"a": "\0"}}, "invalid_metadata"),
    ("metadata with NaN", {"metadata": {"a": float("nan")}}, "invalid_metadata"),
    ("metadata with a lone surrogate", {"metadata": {"a": "\udfff"}}, "invalid_metadata"),
    ("metadata with a Decimal", {"metadata": {"a": Decimal(1)}}, "invalid_metadata"),
    ("metadata that is a list", {"metadata": [1]}, "invalid_metadata"),
    ("metadata with a number for a key", {"metadata": {"a": [{1: 2}]}}, "invalid_metadata"),
    ("metadata that grows in the database", {"metadata": {"a": [1e300] * 100}}, "invalid_metadata"),
    ("metadata without a bottom", {"metadata": BOTTOMLESS}, "invalid_metadata"),
    ("personal part of 1 MB", {"personal": {"a": "x" * 1_000_000}}, "invalid_metadata"),
    ("year 9999", {"effective_at": datetime(9999, 1, 1, tzinfo=UTC)}, "invalid_effective_at"),
    ("year 1999", {"effective_at": datetime(1999, 1, 1, tzinfo=UTC)}, "invalid_effective_at"),
    ("no time zone", {"effective_at": datetime(2026, 1, 1)}, "invalid_effective_at"),  # noqa: DTZ001 - the point
    ("settles nothing known", {"settles": ledger.uuid7()}, "unknown_transaction"),
    ("settles and reverses", {"settles": ledger.uuid7(), "reverses": ledger.uuid7()}, "invalid_request"),
    ("settles a text", {"settles": "purchase:1"}, "invalid_request"),
    ("reverses a number", {"reverses": 7}, "invalid_request"),
]


@pytest.mark.parametrize(("fault", "code"), [row[1:] for row in REQUESTS], ids=[row[0] for row in REQUESTS])
def test_a_bad_request_is_refused_with_its_own_code(
    session: Session, fault: dict[str, Any], code: str
) -> None:
    request = {"key": "k", "kind": "purchase", "postings": move(ANI, SCHOOL, 1), **fault}
    with pytest.raises(ledger.LedgerError) as refused:
        ledger.post(session, **request)
    assert refused.value.code == code
    session.commit()
    with pytest.raises(ledger.LedgerError) as refused:
        ledger.post_many(session, [TransactionRequest(**request)])
    assert refused.value.code == code


def test_a_backslash_before_u0000_is_no_nul(session: Session) -> None:
    ledger.post(session, "k", "purchase", move(ANI, SCHOOL, 1), metadata={"a": "\\u0000"})
    session.rollback()


def test_the_same_key_with_other_content_is_a_conflict(session: Session) -> None:
    bought = purchase(session, 100)
    changes: list[dict[str, Any]] = [
        {"postings": move(ANI, SCHOOL, 101)},
        {"postings": move(BUDI, SCHOOL, 100)},
        {"postings": move("benefit:nobody", SCHOOL, 100)},
        {"kind": "gift"},
        {"reference": "other"},
        {"metadata": {"a": 1}},
        {"personal": {"a": 1}},
        {"settles": bought.id},
        {"effective_at": datetime(2026, 1, 1, tzinfo=UTC)},
    ]
    same = {"key": "purchase:1", "kind": "purchase", "postings": move(ANI, SCHOOL, 100)}
    same["reference"] = "enrolment:purchase:1"
    for change in changes:
        savepoint = session.begin_nested()
        with pytest.raises(ledger.IdempotencyConflict):
            ledger.post(session, **{**same, **change})
        savepoint.rollback()
    assert ledger.post(session, **same).replayed
    session.rollback()


def test_a_personal_part_is_compared_until_it_is_erased(session: Session) -> None:
    request: dict[str, Any] = {"key": "k", "kind": "purchase", "postings": move(ANI, SCHOOL, 1)}
    first = ledger.post(session, **request, personal={"name": "Ani"})
    assert ledger.post(session, **request, personal={"name": "Ani"}).id == first.id
    savepoint = session.begin_nested()
    with pytest.raises(ledger.IdempotencyConflict):
        ledger.post(session, **request, personal={"name": "Budi"})
    savepoint.rollback()
    ledger.erase(session, first.id, "asked to be forgotten")
    assert ledger.post(session, **request, personal={"name": "Budi"}).replayed
    assert ledger.verify(session).is_sound
    session.rollback()


def test_one_bad_request_of_a_batch_refuses_all(session: Session) -> None:
    good = TransactionRequest("good", "purchase", move(ANI, SCHOOL, 1))
    with pytest.raises(ledger.InsufficientBalance):
        ledger.post_many(session, [good, TransactionRequest("bad", "purchase", move(BUDI, SCHOOL, 1))])


def test_a_closed_account_takes_nothing_and_only_an_empty_one_closes(session: Session) -> None:
    with pytest.raises(ledger.AccountNotEmpty):
        ledger.close_account(session, ANI)
    session.rollback()
    ledger.close_account(session, BUDI)
    with pytest.raises(ledger.AccountClosed) as refused:
        ledger.post(session, "k", "swap", move(ANI, BUDI, 1))
    assert refused.value.detail == BUDI


def test_an_account_of_an_unknown_family_cannot_be_opened(session: Session) -> None:
    with pytest.raises(ledger.UnknownFamily):
        ledger.open_accounts(session, ["slush:one"])


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_another_isolation_level_is_refused(books: Database, level: Any) -> None:
    with Session(books.app.execution_options(isolation_level=level)) as session:
        with pytest.raises(ledger.WrongIsolation):
            appropriate(session, key="again")
        session.commit()
        with pytest.raises(ledger.WrongIsolation):
            ledger.post_many(session, [TransactionRequest("k", "purchase", move(ANI, SCHOOL, 1))])
        session.commit()


def test_an_effective_date_in_a_closed_period_is_refused(session: Session, books: Database) -> None:
    day = datetime(2026, 1, 1, tzinfo=UTC)
    with books.owner.begin() as owner:
        owner.execute(text("INSERT INTO ledger.closed_period VALUES (:day)"), {"day": day})
    with pytest.raises(ledger.PeriodClosed):
        ledger.post(session, "k", "swap", move(ANI, BUDI, 1), effective_at=day - timedelta(microseconds=1))
    session.commit()
    ledger.post(session, "k", "swap", move(ANI, BUDI, 1), effective_at=day)
    session.rollback()
