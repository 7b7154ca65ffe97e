"""The door alone, without a database: what comes through, and to the byte where it stops."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, localcontext
from typing import Any
from uuid import UUID

import pytest

from ledger import (
    InvalidAccountCode,
    InvalidAmount,
    InvalidEffectiveAt,
    InvalidKey,
    InvalidKind,
    InvalidMetadata,
    InvalidPostings,
    InvalidReference,
    InvalidRequest,
    Posting,
    SameAccount,
    TransactionRequest,
)
from ledger.money import canonical_amount, require_amount
from ledger.requests import check_code, check_id, check_instant, check_request, check_text, json_text

ONE = [Posting("a:b", "c:d", Decimal(1))]
ID = UUID("01a20a9b-1380-757a-84f5-6e2cd609360e")


def request(**more: Any) -> TransactionRequest:
    return TransactionRequest(**{"key": "k", "kind": "purchase", "postings": ONE, **more})


@pytest.mark.parametrize("text", ["0.01", "1", "1E2", "10.10", "0.010000", "999999999999999999.99"])
def test_an_amount_comes_through_as_it_is(text: str) -> None:
    assert require_amount(Decimal(text)) is not None
    assert require_amount(Decimal(text)) == Decimal(text)


@pytest.mark.parametrize(
    "amount",
    [
        "0",
        "-0",
        "-0.01",
        "0.009",
        "0.011",
        "1E18",
        "1000000000000000000.00",
        "NaN",
        "sNaN",
        "Infinity",
        "1E-99",
    ],
)
def test_an_amount_stops_at_the_door(amount: str) -> None:
    with pytest.raises(InvalidAmount):
        require_amount(Decimal(amount))


def test_a_caller_s_decimal_context_changes_nothing() -> None:
    with localcontext(prec=6):
        assert require_amount(Decimal("999999999999999999.99")) == Decimal("999999999999999999.99")
        with pytest.raises(InvalidAmount):
            require_amount(Decimal("123456789.001"))


def test_amounts_are_hashed_with_two_decimals() -> None:
    assert [canonical_amount(Decimal(each)) for each in ("1E3", "0.1", "5.50")] == ["1000.00", "0.10", "5.50"]


@pytest.mark.parametrize("text", ["k", "k" * 200, "é" * 100, "😀" * 50, "a b"])
def test_a_key_is_up_to_200_bytes(text: str) -> None:
    assert check_request(request(key=text, reference=text)) is None
    assert check_text(text, InvalidKey) is None


@pytest.mark.parametrize("text", ["", "k" * 201, "é" * 100 + "k", "a\n", "\u200f", "\x7f", b"k", None, 1])
def test_a_key_stops_at_the_door(text: Any) -> None:
    with pytest.raises(InvalidKey):
        check_request(request(key=text))
    if text is not None:
        with pytest.raises(InvalidReference) as refused:
            check_request(request(reference=text))
        assert refused.value.detail in (None, text, str(text)[:50])


@pytest.mark.parametrize("kind", ["a", "a_b", "a" * 40])
def test_a_kind_is_a_short_word(kind: str) -> None:
    assert check_request(request(kind=kind)) is None


@pytest.mark.parametrize("kind", ["", "_a", "a" * 41, "a1", "A", "a b", "a\n", None])
def test_a_kind_stops_at_the_door(kind: Any) -> None:
    with pytest.raises(InvalidKind):
        check_request(request(kind=kind))


@pytest.mark.parametrize("code", ["a:b", "a_b:0", "a:0.9_x-y", "a" * 30 + ":" + "b" * 80])
def test_a_code_is_family_and_name(code: str) -> None:
    assert check_code(code) == code


@pytest.mark.parametrize(
    "code",
    [
        "", "a", "a:", ":b", "a:_b", "a:-b", "A:b", "a:B", "a1:b", "a:b:c", "a" * 31 + ":b", "a:" + "b" * 81,
        "a:b\n", 1,
    ],
)  # fmt: skip
def test_a_code_stops_at_the_door(code: Any) -> None:
    with pytest.raises(InvalidAccountCode) as refused:
        check_code(code)
    assert refused.value.detail == str(code)[:100]
    for posting in (Posting(code, "c:d", Decimal(1)), Posting("a:b", code, Decimal(1))):
        with pytest.raises(InvalidAccountCode):
            check_request(request(postings=[posting]))


def test_a_transaction_has_one_to_a_thousand_postings_between_different_accounts() -> None:
    assert check_request(request(postings=ONE * 1000)) is None
    assert check_request(request(postings=tuple(ONE))) is None
    for bad in ([], ONE * 1001, None, iter(ONE), [*ONE, ("a:b", "c:d", 1)], "abc"):
        with pytest.raises(InvalidPostings):
            check_request(request(postings=bad))
    with pytest.raises(SameAccount) as refused:
        check_request(request(postings=[*ONE, Posting("a:b", "a:b", Decimal(1))]))
    assert refused.value.detail == "a:b"
    with pytest.raises(InvalidAmount):
        check_request(request(postings=[*ONE, Posting("a:b", "c:d", Decimal(0))]))


def test_a_transaction_settles_or_reverses_a_uuid() -> None:
    assert check_request(request(settles=ID)) is None
    assert check_request(request(reverses=ID)) is None
    assert check_id(ID, "it") is None
    for bad in ({"settles": ID, "reverses": ID}, {"settles": str(ID)}, {"reverses": str(ID)}, {"settles": 0}):
        with pytest.raises(InvalidRequest) as refused:
            check_request(request(**bad))
        assert refused.value.code == "invalid_request"


MIDNIGHT = datetime(2000, 1, 1, tzinfo=UTC)


def test_an_effective_date_is_aware_and_not_before_2000() -> None:
    for at in (
        MIDNIGHT,
        datetime(2000, 1, 1, 7, tzinfo=timezone(timedelta(hours=7))),
        datetime.max.replace(tzinfo=UTC),
    ):
        assert check_request(request(effective_at=at)) is None
        assert check_instant(at, "it") is None
    early = MIDNIGHT - timedelta(microseconds=1)
    with pytest.raises(InvalidEffectiveAt) as refused:
        check_request(request(effective_at=early))
    assert refused.value.detail == early.isoformat()
    for bad in (
        MIDNIGHT.replace(tzinfo=None),
        MIDNIGHT.date(),
        "2026-01-01",
        0,
        datetime.min.replace(tzinfo=UTC),
    ):
        with pytest.raises(InvalidEffectiveAt):
            check_request(request(effective_at=bad))


def test_metadata_is_written_as_it_is() -> None:
    assert json_text(None) is None
    assert json_text({}) == "{}"
    assert json_text({"é": [1, 2.5, None, True, {"a": "\\u0000"}]}) == (
        '{"é": [1, 2.5, null, true, {"a": "\\\\u0000"}]}'
    )


@pytest.mark.parametrize(
    "value",
    [
        [], "a", 1, {"a": {1, 2}}, {"a": float("nan")}, {"a": float("-inf")}, {"a": Decimal(1)}, {1: 2},
        {"a": {None: 1}}, {"a": [[{2: 1}]]}, {"a": ({3: 1},)}, {"\0": 1}, {"a": "\0"},
        {"a": ["\\\0"]}, {"a": "\ud800"},
    ],
    ids=repr,
)  # fmt: skip
def test_metadata_stops_at_the_door(value: Any) -> None:
    with pytest.raises(InvalidMetadata):
        json_text(value)


def test_metadata_is_measured_in_bytes() -> None:
    room = 16_384 - len('{"a": ""}')
    assert json_text({"a": "x" * room}) is not None
    assert json_text({"a": "é" * (room // 2)}) is not None
    for more in ("x" * (room + 1), "é" * (room // 2) + "xx"):
        with pytest.raises(InvalidMetadata, match="more than 16384"):
            json_text({"a": more})
