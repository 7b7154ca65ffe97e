"""Receipt numbers: readable, and a slip of the pen is noticed."""

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.enrolments.receipts import is_valid, new_number

DAY = date(2026, 11, 23)
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def test_a_number_names_its_month_and_checks_itself() -> None:
    number = new_number(DAY)
    assert re.fullmatch(r"BKL-2611-[0-9A-HJKMNP-TV-Z]{6}-\d{2}", number)
    assert is_valid(number)


def test_numbers_differ() -> None:
    assert len({new_number(DAY) for _ in range(1000)}) == 1000


@given(st.integers(0, 5), st.sampled_from(ALPHABET))
def test_any_one_wrong_character_is_noticed(place: int, other: str) -> None:
    number = new_number(DAY)
    body = number[9:15]
    changed = body[:place] + other + body[place + 1 :]
    assert is_valid(number.replace(body, changed)) == (changed == body)


@given(st.integers(0, 4))
def test_two_neighbours_swapped_are_noticed(place: int) -> None:
    number = new_number(DAY)
    body = number[9:15]
    swapped = body[:place] + body[place + 1] + body[place] + body[place + 2 :]
    assert is_valid(number.replace(body, swapped)) == (swapped == body)


@pytest.mark.parametrize("text", ["", "BKL", "BKL-2611-7F3K-20", "bkl-2611-000000-00", "BKL-2611-00000O-00"])
def test_what_is_not_a_receipt_number_is_not_valid(text: str) -> None:
    assert not is_valid(text)
