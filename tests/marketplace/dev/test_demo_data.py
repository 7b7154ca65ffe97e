"""The made-up people, providers and courses of the demonstration are believable and consistent."""

import csv
import os
import re
from collections import Counter
from datetime import date
from pathlib import Path

import phonenumbers
import pytest

from marketplace.dev.demo import people as demo
from marketplace.dev.demo.people import Person, people
from marketplace.dev.demo.regions import PROVINCES, REGENCIES
from marketplace.participants import nik

FOLDER = Path(demo.__file__).parent
TODAY = demo.REFERENCE_DAY
# A real register is not part of the project; BEKAL_DATA names a folder that has it.
DATA = Path(os.environ.get("BEKAL_DATA", Path(__file__).parents[4] / "shared" / "data"))
REGISTER = DATA / "providers" / "institutions_kemnaker.csv"


@pytest.fixture(scope="module")
def crowd() -> list[Person]:
    return people(3000, seed=1)


def rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def age(born: date, on: date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def test_the_same_seed_gives_the_same_people_and_more_only_adds(crowd: list[Person]) -> None:
    assert people(500, seed=1) == crowd[:500]
    assert people(500, seed=2) != crowd[:500]


def test_every_nik_is_valid_and_agrees_with_its_person(crowd: list[Person]) -> None:
    for person in crowd:
        parsed = nik.parse(person.nik, today=TODAY)
        assert (parsed.birth_date, parsed.sex) == (person.birth_date, person.sex)
        assert parsed.region_is_known
        assert parsed.region.startswith(person.regency.code)


def test_nothing_that_must_be_unique_is_repeated(crowd: list[Person]) -> None:
    for numbers in ({p.nik for p in crowd}, {p.email for p in crowd}, {p.phone for p in crowd}):
        assert len(numbers) == len(crowd)


def test_everybody_is_of_age_now_and_in_four_years(crowd: list[Person]) -> None:
    ages = [age(person.birth_date, TODAY) for person in crowd]
    assert (min(ages), max(ages)) >= (18, 40) and max(ages) <= 60
    assert people(50, 1, today=date(2031, 3, 1))[0].birth_date != crowd[0].birth_date


def test_a_family_card_has_one_or_two_people_of_one_place(crowd: list[Person]) -> None:
    assert {len(person.kk) for person in crowd} == {16}
    assert set(Counter(person.kk for person in crowd).values()) == {1, 2}
    places = {(person.kk, person.nik[:6]) for person in crowd}
    assert len(places) == len({person.kk for person in crowd})


def test_addresses_are_reserved_ones_and_numbers_are_indonesian_mobiles(crowd: list[Person]) -> None:
    assert all(re.fullmatch(r"[a-z0-9.]+@contoh\.example", person.email) for person in crowd)
    for person in crowd[:300]:
        number = phonenumbers.parse(person.phone)
        assert phonenumbers.is_valid_number(number)
        assert phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE


def test_names_come_from_all_over_the_country(crowd: list[Person]) -> None:
    assert {person.province_code for person in crowd} == set(PROVINCES) == nik.PROVINCES
    names = [person.name for person in crowd]
    assert any(" " not in name for name in names)
    assert any(re.match(r"(I|Ni) (Made|Nyoman|Ketut)", name) for name in names)
    assert all(name == " ".join(name.split()) and name[0].isupper() for name in names)


def test_personal_numbers_stay_out_of_what_is_printed(crowd: list[Person]) -> None:
    shown = repr(crowd[0])
    assert not any(secret in shown for secret in (crowd[0].nik, crowd[0].kk, crowd[0].phone))


def test_more_people_than_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="100000"):
        people(100_001, seed=1)


def test_regencies_lie_in_their_provinces_and_are_listed_once() -> None:
    assert len({regency.code for regency in REGENCIES}) == len(REGENCIES) >= 60
    assert all(regency.province for regency in REGENCIES)


def test_every_course_is_of_a_known_provider_and_every_provider_has_courses() -> None:
    providers = [row["name"] for row in rows("providers.csv")]
    assert len(set(providers)) == len(providers) >= 30
    assert {row["provider"] for row in rows("catalogue.csv")} == set(providers)


def test_courses_differ_and_straddle_the_training_balance() -> None:
    courses = rows("catalogue.csv")
    prices = [int(row["price_idr"]) for row in courses]
    assert len(courses) >= 150
    assert prices.count(0) >= 3 and 4 <= sum(price > 3_500_000 for price in prices) <= 8
    assert max(prices) <= 6_000_000
    assert any(int(row["hours"]) < 15 for row in courses)
    for column in ("source_id", "title", "description"):
        assert len({row[column] for row in courses}) == len(courses)


def test_bank_accounts_make_the_sandbox_reject_and_return_a_few() -> None:
    accounts = [row["account_number"] for row in rows("providers.csv")]
    assert all(re.fullmatch(r"[0-9]{10,13}", account) for account in accounts)
    magic = Counter(account[-4:] for account in accounts if account[-4:-2] == "99")
    assert magic == {"9901": 2, "9902": 1}
    assert len(set(accounts)) == len(accounts)


def test_providers_have_a_bank_a_place_and_a_person() -> None:
    for row in rows("providers.csv"):
        assert re.fullmatch(r"[A-Z]{4}ID[A-Z0-9]{2}", row["bank_code"])
        assert PROVINCES[row["province_code"]] == row["province"]
        assert row["staff_name"] and row["city"]


def plain(name: str) -> str:
    return re.sub(r"[^a-z]", "", re.sub(r"^(lpk|blk|balai latihan kerja|lkp) ", "", name.lower()))


@pytest.mark.skipif(not REGISTER.exists(), reason="data: a register of real institutions")
def test_no_provider_bears_a_real_institutions_name() -> None:
    with REGISTER.open(encoding="utf-8", newline="") as stream:
        real = {plain(row["name"]) for row in csv.DictReader(stream)}
    assert len(real) > 2000
    assert real.isdisjoint(plain(row["name"]) for row in rows("providers.csv"))
