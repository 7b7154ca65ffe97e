"""The NIK: what it says, what it refuses, and what other validators get wrong."""

import csv
import os
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.participants import nik
from marketplace.participants.nik import MalformedNik, Nik, Sex

TODAY = date(2026, 11, 23)
A_MAN = "3171011703950001"
A_WOMAN = "3171015703950001"
# Real tables are not part of the project; BEKAL_DATA names a folder that has them.
DATA = Path(os.environ.get("BEKAL_DATA", Path(__file__).parents[4] / "shared" / "data"))
REGIONS = DATA / "regions" / "wilayah_2025.csv"

births = st.dates(min_value=date(1927, 1, 1), max_value=TODAY)
serials = st.integers(min_value=1, max_value=9999)
regions = st.from_regex(r"[0-9]{6}", fullmatch=True)


def read(text: str) -> Nik:
    return nik.parse(text, today=TODAY)


def refusal(text: str) -> str:
    with pytest.raises(MalformedNik) as caught:
        read(text)
    assert caught.value.code == "nik_malformed"
    return str(caught.value)


def test_a_nik_tells_region_birth_date_sex_and_serial() -> None:
    parsed = read(A_MAN)
    assert (parsed.region, parsed.province, parsed.serial) == ("317101", "31", 1)
    assert (parsed.birth_date, parsed.sex) == (date(1995, 3, 17), Sex.MALE)


def test_forty_is_taken_from_the_day_of_a_womans_birth() -> None:
    parsed = read(A_WOMAN)
    assert (parsed.birth_date, parsed.sex) == (date(1995, 3, 17), Sex.FEMALE)


@pytest.mark.parametrize(
    ("day", "sex"), [("01", Sex.MALE), ("31", Sex.MALE), ("41", Sex.FEMALE), ("71", Sex.FEMALE)]
)
def test_the_first_and_last_days_of_each_sex_are_read(day: str, sex: Sex) -> None:
    assert read(f"317101{day}10900001").sex is sex


@pytest.mark.parametrize("day", ["00", "32", "40", "72", "99"])
def test_days_that_belong_to_neither_sex_are_refused(day: str) -> None:
    assert "bukan tanggal yang ada" in refusal(f"317101{day}10900001")


@given(regions, births, st.sampled_from(Sex), serials)
def test_what_a_registry_issues_is_read_back(region: str, born: date, sex: Sex, serial: int) -> None:
    issued = nik.compose(region, born, sex, serial)
    parsed = read(issued.digits)
    assert parsed == issued
    assert parsed.matches(born)
    assert (parsed.region, parsed.sex, parsed.serial) == (region, sex, serial)


@given(births, st.sampled_from(Sex))
def test_the_day_before_does_not_match(born: date, sex: Sex) -> None:
    assert not nik.compose("317101", born, sex, 1).matches(born - timedelta(days=1))


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    try:
        parsed = read(text)
    except MalformedNik as refused:
        assert str(refused)
    else:
        assert len(parsed.digits) == 16 and parsed.digits.isascii()


@pytest.mark.parametrize(
    ("year", "born"), [("00", 2000), ("03", 2003), ("08", 2008), ("26", 2026), ("27", 1927), ("62", 1962)]
)
def test_the_century_is_the_latest_that_is_not_in_the_future(year: str, born: int) -> None:
    assert read(f"31710101 01{year} 0001").birth_date == date(born, 1, 1)


def test_a_date_later_this_year_belongs_to_the_century_before() -> None:
    assert read("3171012311260001").birth_date == TODAY
    assert read("3171012411260001").birth_date == date(1926, 11, 24)


def test_somebody_of_a_hundred_still_matches_the_birth_date_they_state() -> None:
    assert read("3171010101200001").matches(date(1920, 1, 1))


@pytest.mark.parametrize(
    ("born", "year"), [("290200", 2000), ("690200", 2000), ("290204", 2004), ("290296", 1996)]
)
def test_the_29th_of_february_exists_in_leap_years(born: str, year: int) -> None:
    assert read(f"317101{born}0001").birth_date == date(year, 2, 29)


@pytest.mark.parametrize("born", ["290201", "690203", "300200", "310495", "150095", "151395"])
def test_dates_that_do_not_exist_are_refused(born: str) -> None:
    assert "bukan tanggal yang ada" in refusal(f"317101{born}0001")


def test_births_of_2003_are_not_dated_to_1903() -> None:
    """A common library reads every year as 19xx, and so calls an applicant 123 years old."""
    assert read("3171011703030001").birth_date == date(2003, 3, 17)


@pytest.mark.parametrize("province", ["65", "91", "92", "93", "94", "95", "96"])
def test_young_provinces_are_known(province: str) -> None:
    """A common library refuses North Kalimantan and the newer provinces of Papua."""
    assert read(f"{province}0101{A_MAN[6:]}").region_is_known


@pytest.mark.parametrize("region", ["000000", "540101", "990101"])
def test_an_unknown_or_abolished_region_is_a_warning_and_no_refusal(region: str) -> None:
    assert not read(f"{region}{A_MAN[6:]}").region_is_known


@pytest.mark.parametrize(
    "typed",
    [
        " 3171011703950001 ",
        "3171 0117 0395 0001",
        "3171.01.170395.0001",
        "317101-170395-0001",
        "3171\u00a00117\u20110395\u200b0001",
        "３１７１０１１７０３９５０００１",
        "٣١٧١٠١١٧٠٣٩٥٠٠٠١",
    ],
)
def test_separators_and_other_scripts_digits_are_normalised(typed: str) -> None:
    assert read(typed).digits == A_MAN


def test_the_refusal_counts_what_was_typed() -> None:
    assert refusal("317101170395001") == "NIK terdiri dari 16 angka; Anda mengetik 15."
    assert refusal("31710117039500011") == "NIK terdiri dari 16 angka; Anda mengetik 17."


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Isi NIK"),
        ("  ", "Isi NIK"),
        ("31710117O3950001", "Anda mengetik “O”"),
        ("317101170395000²", "Anda mengetik “²”"),
        ("317101170395000Ⅷ", "Anda mengetik “Ⅷ”"),
        ("3171011703950001\x00", "tidak terlihat"),
        ("3171011703950001\ud800", "tidak terlihat"),
        ("3171011703950000", "tidak pernah 0000"),
    ],
)
def test_each_refusal_has_its_own_words(typed: str, words: str) -> None:
    assert words in refusal(typed)


@pytest.mark.parametrize("typed", [A_MAN[:15], A_MAN[:12] + "0000", "317101310295" + "0001", A_MAN + "X"])
def test_no_refusal_repeats_the_number(typed: str) -> None:
    assert typed[:6] not in refusal(typed)
    assert typed[6:12] not in refusal(typed)


def test_a_nik_is_masked_wherever_it_is_printed() -> None:
    parsed = read(A_MAN)
    assert str(parsed) == f"{parsed:}" == nik.mask(A_MAN) == "3171••••••••0001"
    assert A_MAN not in repr(parsed)
    assert nik.mask("123") == "•" * 16


def test_a_registry_issues_neither_serial_zero_nor_a_short_region() -> None:
    with pytest.raises(ValueError, match="serial"):
        nik.compose("317101", TODAY, Sex.MALE, 0)
    with pytest.raises(ValueError, match="six digits"):
        nik.compose("3171", TODAY, Sex.MALE, 1)


@pytest.mark.skipif(not REGIONS.exists(), reason="data: table of regions")
def test_every_province_and_district_in_the_official_table_is_known() -> None:
    with REGIONS.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["kode_digits"] for row in rows if row["level"] == "provinsi"} == nik.PROVINCES
    districts = [row["kode_digits"] for row in rows if row["level"] == "kecamatan"]
    assert len(districts) > 7000
    assert all(read(f"{district}{A_MAN[6:]}").region_is_known for district in districts)
