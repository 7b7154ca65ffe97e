"""The NIK, Indonesia's sixteen-digit population number, read without help from a library.

    317101 570305 0001
    region ddmmyy serial        40 is added to the day of a woman's birth

Rules: Minister of Home Affairs regulation on population administration (region codes are
Kemendagri's, never the statistics office's, whose codes differ). Two things are deliberate:

* A two-digit year says no century. The latest date that is not in the future is taken, which
  covers ages 0 to 99. Whether a birth date that a person states agrees with the number is asked
  with `Nik.matches`, which compares what the number really holds and so is right at any age.
* A region that is unknown or abolished is a warning for an officer, never a refusal: people keep
  the code of the place that registered them, and provinces are split more often than software is.

A NIK is personal data and never a credential: `str()` and `repr()` of a Nik are masked, and no
message of this module contains more of the number than one wrong character.
"""

import unicodedata
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import ClassVar

from marketplace.errors import MarketplaceError

LENGTH = 16
_WOMEN = 40  # added to the day of birth

# Province codes of Kepmendagri 300.2.2-2430/2025: 38 provinces. 65 is North Kalimantan (2012), 92 to
# 96 are the Papuan provinces; validators older than those refuse people who live there.
_PROVINCE_RANGES = ((11, 19), (21, 21), (31, 36), (51, 53), (61, 65), (71, 76), (81, 82), (91, 96))
PROVINCES = frozenset(str(code) for first, last in _PROVINCE_RANGES for code in range(first, last + 1))


class Sex(StrEnum):
    """As the number states it."""

    FEMALE = "female"
    MALE = "male"


class MalformedNik(MarketplaceError):
    """What was typed cannot be a NIK.

    `template` is the Indonesian sentence before its figures are filled in (the key of its
    translation); `details` holds the figures; `str()` is the finished Indonesian sentence.
    """

    code: ClassVar[str] = "nik_malformed"

    def __init__(self, template: str, **details: object) -> None:
        super().__init__(template % details if details else template, **details)
        self.template = template


@dataclass(frozen=True, slots=True, repr=False)
class Nik:
    """A well-formed NIK. Whether such a person exists is for the civil registry to say."""

    digits: str = field(repr=False)
    birth_date: date
    sex: Sex

    @property
    def region(self) -> str:
        """Six digits: province, regency, district of first registration."""
        return self.digits[:6]

    @property
    def province(self) -> str:
        """The first two digits."""
        return self.digits[:2]

    @property
    def serial(self) -> int:
        """1 to 9999, in order of registration on that day."""
        return int(self.digits[12:])

    @property
    def region_is_known(self) -> bool:
        """False is a warning for an officer, never a reason to refuse anyone."""
        return self.province in PROVINCES

    def matches(self, birth_date: date) -> bool:
        """Does a stated birth date agree with day, month and two-digit year in the number?

        False is reason code `nik_birth_date_mismatch`. The century is not compared: the number
        does not hold one.
        """
        return self.digits[6:12] == _birth_digits(birth_date, self.sex)

    def __str__(self) -> str:
        return mask(self.digits)

    def __repr__(self) -> str:
        return f"Nik({mask(self.digits)})"


def mask(text: str) -> str:
    """`3171••••••••0001`: the only form in which pages, logs and exports show a NIK."""
    return f"{text[:4]}{'•' * 8}{text[-4:]}" if len(text) == LENGTH else "•" * LENGTH


def parse(text: str, *, today: date) -> Nik:
    """Read a NIK as people type it: spaces, dots and dashes between the digits are dropped.

    Decimal digits of other scripts (full width, Arabic) become ASCII ones, since their value is
    beyond doubt and a phone's keyboard is not the person's fault. `today` is the programme's date,
    which decides the century. Raises MalformedNik.
    """
    digits = normalise(text)
    if len(digits) != LENGTH:
        raise MalformedNik("NIK terdiri dari 16 angka; Anda mengetik %(typed)d.", typed=len(digits))
    if digits[12:] == "0000":
        raise MalformedNik("Empat angka terakhir NIK tidak pernah 0000. Periksa kembali di KTP Anda.")
    sex = Sex.FEMALE if int(digits[6:8]) > _WOMEN else Sex.MALE
    return Nik(digits, _birth_date(digits, sex, today), sex)


def compose(region: str, birth_date: date, sex: Sex, serial: int) -> Nik:
    """The NIK that a region (6 digits) would issue. For made-up people and tests."""
    if len(region) != 6 or not 1 <= serial <= 9999:
        raise ValueError("a region has six digits, a serial is 1 to 9999")
    return Nik(f"{region}{_birth_digits(birth_date, sex)}{serial:04d}", birth_date, sex)


def normalise(text: str) -> str:
    """Only the digits, in ASCII. Raises MalformedNik for anything but digits and separators."""
    digits = "".join(_digit(character) for character in text)
    if not digits:
        raise MalformedNik("Isi NIK: 16 angka yang tertulis di KTP Anda.")
    return digits


def _digit(character: str) -> str:
    """One character's digit, or nothing for a separator that people put between groups."""
    value = unicodedata.decimal(character, None)
    if value is not None:
        return str(value)
    if character in ".-_/" or character.isspace() or unicodedata.category(character) in {"Pd", "Cf"}:
        return ""
    if not character.isprintable():
        raise MalformedNik("NIK hanya berisi angka; ada karakter yang tidak terlihat. Ketik ulang NIK Anda.")
    raise MalformedNik("NIK hanya berisi angka; Anda mengetik “%(character)s”.", character=character)


def _birth_digits(birth_date: date, sex: Sex) -> str:
    day = birth_date.day + (_WOMEN if sex is Sex.FEMALE else 0)
    return f"{day:02d}{birth_date.month:02d}{birth_date.year % 100:02d}"


def _birth_date(digits: str, sex: Sex, today: date) -> date:
    """The latest real date, not in the future, that the six digits can mean."""
    day = int(digits[6:8]) - (_WOMEN if sex is Sex.FEMALE else 0)
    month, year = int(digits[8:10]), int(digits[10:12])
    century = today.year // 100 * 100
    for candidate in (century + year, century - 100 + year):
        born = _real_date(candidate, month, day)
        if born is not None and born <= today:
            return born
    raise MalformedNik(
        "Angka ke-7 sampai ke-12 NIK adalah tanggal lahir (perempuan: tanggal ditambah 40); "
        "yang Anda ketik bukan tanggal yang ada."
    )


def _real_date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
