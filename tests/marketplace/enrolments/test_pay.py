"""Every row of the table of attendance and pay, and the arithmetic of a price's parts."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.enrolments.pay import Evidence, attended_percent, paid_percent, split

PRICES = st.integers(0, 3_500_000).map(Decimal)
PERCENTS = st.integers(0, 100)
RATES = st.integers(0, 1500).map(lambda each: Decimal(each).scaleb(-4))
EVIDENCE = st.builds(Evidence, PERCENTS, st.booleans(), st.booleans(), st.booleans())


@dataclass(frozen=True)
class Terms:
    full_pay_from_percent: int = 80
    minimum_pay_percent: int = 25


@pytest.mark.parametrize(
    ("case", "evidence", "paid"),
    [
        ("all sessions", Evidence(100), 100),
        ("80 and more is paid in full", Evidence(80), 100),
        ("79 is paid as attended", Evidence(79), 79),
        ("25 is paid as attended", Evidence(25), 25),
        ("24 is lifted to 25 when another's code proves the run", Evidence(24, took_place=True), 25),
        ("24 without that proof is not paid", Evidence(24), 0),
        ("a no-show costs 25 when another's code proves the run", Evidence(0, took_place=True), 25),
        ("a no-show without that proof costs nothing", Evidence(0), 0),
        ("self-paced, 80 and more", Evidence(80, self_paced=True), 100),
        ("self-paced, below 80", Evidence(79, self_paced=True), 79),
        ("self-paced has no minimum", Evidence(20, self_paced=True), 20),
        ("self-paced, never opened", Evidence(0, self_paced=True, took_place=True), 0),
        ("cancelled mid-way: no uplift", Evidence(80, cut_short=True), 80),
        ("cancelled mid-way: no minimum", Evidence(10, took_place=True, cut_short=True), 10),
        ("cancelled mid-way, never attended", Evidence(0, took_place=True, cut_short=True), 0),
    ],
)
def test_the_table_of_attendance_and_pay(case: str, evidence: Evidence, paid: int) -> None:
    assert paid_percent(evidence, Terms()) == paid, case


def test_percent_is_rounded_down() -> None:
    assert attended_percent(2, 3) == 66
    assert attended_percent(3, 3) == 100
    assert attended_percent(0, 0) == 0


@pytest.mark.parametrize(("attended", "promised"), [(-1, 3), (4, 3)])
def test_more_attendance_than_was_promised_is_a_mistake(attended: int, promised: int) -> None:
    with pytest.raises(ValueError, match="cannot have been attended"):
        attended_percent(attended, promised)


def test_an_accountants_example_with_a_fee_of_ten_percent() -> None:
    parts = split(Decimal(850_000), 75, Decimal("0.10"))
    assert (parts.gross, parts.fee, parts.net, parts.rest) == (637_500, 63_750, 573_750, 212_500)


def test_half_a_rupiah_of_fee_is_rounded_up_and_the_gross_down() -> None:
    parts = split(Decimal(33_335), 50, Decimal("0.15"))
    assert parts.gross == 16_667  # 16,667.5
    assert parts.fee == 2_500  # 2,500.05
    assert split(Decimal(10), 100, Decimal("0.05")).fee == 1  # 0.5


@pytest.mark.parametrize(
    ("price", "percent", "rate"),
    [("-1", 50, "0.1"), ("0.5", 50, "0.1"), ("10", 101, "0.1"), ("10", -1, "0.1"), ("10", 50, "1.1")],
)
def test_nonsense_is_refused(price: str, percent: int, rate: str) -> None:
    with pytest.raises(ValueError, match=r"rupiah|range"):
        split(Decimal(price), percent, Decimal(rate))


@given(PRICES, PERCENTS, RATES)
def test_no_rupiah_is_lost_or_made(price: Decimal, percent: int, rate: Decimal) -> None:
    parts = split(price, percent, rate)
    assert parts.gross + parts.rest == price
    assert parts.fee + parts.net == parts.gross
    assert min(parts.gross, parts.fee, parts.net, parts.rest) >= 0
    assert all(each == each.to_integral_value() for each in (parts.gross, parts.fee, parts.net, parts.rest))


@given(PRICES, PERCENTS, RATES)
def test_gross_is_rounded_down_and_the_fee_half_up(price: Decimal, percent: int, rate: Decimal) -> None:
    parts = split(price, percent, rate)
    assert parts.gross <= price * percent / 100 < parts.gross + 1
    assert parts.fee == (parts.gross * rate).quantize(Decimal(1), ROUND_HALF_UP)


@given(PRICES, RATES)
def test_a_full_refund_is_the_price_and_full_pay_leaves_nothing(price: Decimal, rate: Decimal) -> None:
    assert split(price, 0, rate).rest == price
    assert split(price, 100, rate).rest == 0


@given(EVIDENCE)
def test_pay_stays_between_the_evidence_and_the_whole(evidence: Evidence) -> None:
    paid = paid_percent(evidence, Terms())
    assert 0 <= paid <= 100
    assert paid == 0 or evidence.percent > 0 or evidence.took_place
    assert not evidence.cut_short or paid == evidence.percent


@given(PERCENTS, PERCENTS, st.booleans())
def test_coming_more_often_never_pays_less(one: int, other: int, took_place: bool) -> None:
    fewer, more = sorted((one, other))
    assert paid_percent(Evidence(fewer, took_place=took_place), Terms()) <= paid_percent(
        Evidence(more, took_place=took_place), Terms()
    )
