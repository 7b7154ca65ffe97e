"""What may not be held, reversed, erased or asked: each has its code, and nothing is written."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

import ledger
from ledger import Posting
from tests.ledger.books import ANI, BUDI, SCHOOL, funded, keep, move
from tests.ledger.conftest import Database
from tests.ledger.test_bad_input import count_rows

SOON = datetime(2099, 1, 1, tzinfo=UTC)
Act = Callable[[Session], object]


@pytest.fixture(autouse=True)
def _nothing_is_written(session: Session) -> Iterator[None]:
    funded(session)
    keep(session, 1, key="kept")
    session.commit()
    before = count_rows(session)
    yield
    # whoever catches a refusal and commits has written nothing either
    session.commit()
    assert count_rows(session) == before
    assert ledger.available(session, ANI) == 3_499_999
    assert ledger.verify(session).is_sound


def held(debit: str, credit: str, amount: Any) -> Posting:
    return Posting(debit, credit, amount)


HOLDS: list[tuple[str, dict[str, Any], str]] = [
    ("float", {"posting": held(ANI, SCHOOL, 1.5)}, "invalid_amount"),
    ("NaN", {"posting": held(ANI, SCHOOL, Decimal("NaN"))}, "invalid_amount"),
    ("zero", {"posting": held(ANI, SCHOOL, Decimal(0))}, "invalid_amount"),
    ("negative", {"posting": held(ANI, SCHOOL, Decimal(-1))}, "invalid_amount"),
    ("too many decimals", {"posting": held(ANI, SCHOOL, Decimal("0.001"))}, "invalid_amount"),
    ("same account", {"posting": held(ANI, ANI, Decimal(1))}, "same_account"),
    ("no posting", {"posting": (ANI, SCHOOL, 1)}, "invalid_postings"),
    ("unknown account", {"posting": held("benefit:nobody", SCHOOL, Decimal(1))}, "unknown_account"),
    (
        "other currency",
        {"kind": "exchange", "posting": held("fund:2023", "dollars:one", Decimal(1))},
        "currency_mismatch",
    ),
    ("more than there is", {"posting": held(ANI, SCHOOL, Decimal(3_500_000))}, "insufficient_balance"),
    ("key of 10.000 characters", {"key": "k" * 10_000}, "invalid_key"),
    ("key with NUL", {"key": "a\0b"}, "invalid_key"),
    ("key of another hold", {"key": "kept"}, "idempotency_conflict"),
    ("kind that nobody allowed", {"kind": "theft"}, "flow_not_allowed"),
    ("no time zone", {"expires_at": datetime(2099, 1, 1)}, "invalid_expiry"),  # noqa: DTZ001 - the point
    ("the past", {"expires_at": datetime(2020, 1, 1, tzinfo=UTC)}, "invalid_expiry"),
    ("no instant", {"expires_at": "tomorrow"}, "invalid_expiry"),
]


@pytest.mark.parametrize(("fault", "code"), [row[1:] for row in HOLDS], ids=[row[0] for row in HOLDS])
def test_a_bad_hold_is_refused_with_its_own_code(session: Session, fault: dict[str, Any], code: str) -> None:
    request = {
        "key": "k",
        "kind": "purchase",
        "posting": move(ANI, SCHOOL, 1)[0],
        "expires_at": SOON,
        **fault,
    }
    with pytest.raises(ledger.LedgerError) as refused:
        ledger.hold(session, **request)
    assert refused.value.code == code


NOTHING: Any = None
TEXT: Any = "purchase:1"
LOCAL = datetime(2026, 1, 1)  # noqa: DTZ001 - the point
OTHERS: list[tuple[str, Act, str]] = [
    ("reverse a text", lambda s: ledger.reverse(s, "k", TEXT), "invalid_request"),
    ("reverse nothing known", lambda s: ledger.reverse(s, "k", ledger.uuid7()), "unknown_transaction"),
    ("erase a text", lambda s: ledger.erase(s, TEXT, "asked"), "invalid_request"),
    ("erase for no reason", lambda s: ledger.erase(s, ledger.uuid7(), NOTHING), "invalid_request"),
    ("erase for an empty reason", lambda s: ledger.erase(s, ledger.uuid7(), ""), "invalid_request"),
    ("erase for a long reason", lambda s: ledger.erase(s, ledger.uuid7(), "r" * 201), "invalid_request"),
    ("release a text", lambda s: ledger.release(s, TEXT), "invalid_request"),
    ("release nothing known", lambda s: ledger.release(s, ledger.uuid7()), "unknown_hold"),
    ("capture a text", lambda s: ledger.capture(s, "k", TEXT), "invalid_request"),
    ("capture nothing known", lambda s: ledger.capture(s, "k", ledger.uuid7()), "unknown_hold"),
    ("close what is not open", lambda s: ledger.close_account(s, "benefit:nobody"), "unknown_account"),
    ("close what is not empty", lambda s: ledger.close_account(s, ANI), "account_not_empty"),
    ("open a bad code", lambda s: ledger.open_accounts(s, ["benefit:A"]), "invalid_account_code"),
    ("open a text", lambda s: ledger.open_accounts(s, "benefit:a"), "invalid_account_code"),
    ("a statement of local time", lambda s: ledger.statement(s, ANI, LOCAL), "invalid_effective_at"),
    ("a statement until local time", lambda s: ledger.statement(s, ANI, None, LOCAL), "invalid_effective_at"),
    ("a statement of nobody", lambda s: ledger.statement(s, "benefit:nobody"), "unknown_account"),
    ("a balance of nobody", lambda s: ledger.balance(s, "benefit:nobody"), "unknown_account"),
    ("what is available of nobody", lambda s: ledger.available(s, "benefit:nobody"), "unknown_account"),
    (
        "a transaction nobody wrote",
        lambda s: ledger.get_transaction(s, ledger.uuid7()),
        "unknown_transaction",
    ),
    ("a period until local time", lambda s: ledger.close_period(s, LOCAL), "invalid_effective_at"),
    ("a roll-up of nothing", lambda s: ledger.roll_up(s, 0), "invalid_request"),
]


@pytest.mark.parametrize(("act", "code"), [row[1:] for row in OTHERS], ids=[row[0] for row in OTHERS])
def test_every_other_door_refuses_with_its_own_code(session: Session, act: Act, code: str) -> None:
    with pytest.raises(ledger.LedgerError) as refused:
        act(session)
    assert refused.value.code == code


def one(session: Session, column: str) -> Any:
    return session.execute(text(f"SELECT {column} LIMIT 1")).scalar_one()


ISOLATED: dict[str, Act] = {
    "hold": lambda s: ledger.hold(s, "h", "purchase", move(ANI, SCHOOL, 1)[0], SOON),
    "release": lambda s: ledger.release(s, one(s, "id FROM ledger.hold")),
    "capture": lambda s: ledger.capture(s, "c", one(s, "id FROM ledger.hold")),
    "reverse": lambda s: ledger.reverse(s, "r", one(s, "id FROM ledger.transaction")),
    "roll_up": ledger.roll_up,
    "seal": lambda s: ledger.seal(s, ledger.new_signer("x", bytes(32))),
    "open_accounts": lambda s: ledger.open_accounts(s, ["benefit:new"]),
    "close_account": lambda s: ledger.close_account(s, BUDI),
    "erase": lambda s: ledger.erase(s, ledger.uuid7(), "asked"),
}
OF_THE_OWNER: dict[str, Act] = {
    "adopt": ledger.adopt,
    "close_period": lambda s: ledger.close_period(s, datetime(2020, 1, 1, tzinfo=UTC)),
}


@pytest.mark.parametrize("act", [*ISOLATED, *OF_THE_OWNER])
@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_every_writer_refuses_another_isolation_level(books: Database, level: Any, act: str) -> None:
    role = books.app if act in ISOLATED else books.owner
    with Session(role.execution_options(isolation_level=level)) as session:
        with pytest.raises(ledger.WrongIsolation) as refused:
            (ISOLATED | OF_THE_OWNER)[act](session)
        session.commit()
        assert refused.value.code == "wrong_isolation"


def test_each_refusal_has_a_code_that_is_its_own_name() -> None:
    found = [each for each in vars(ledger).values() if isinstance(each, type)]
    refusals = {each.__name__: each.code for each in found if issubclass(each, ledger.LedgerError)}
    assert len(set(refusals.values())) == len(refusals) > 35
    for name, code in refusals.items():
        assert re.sub("(?<!^)(?=[A-Z])", "_", name).lower() == code
