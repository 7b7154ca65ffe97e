"""Made-up people with believable names, NIKs and family cards, the same for the same seed.

Nobody here exists. E-mail addresses are under the reserved top-level domain `.example` (RFC 2606).
Indonesia reserves no telephone numbers for fiction, so numbers carry three zeros after the
operator's prefix; they are well formed, and the demonstration never sends anything anywhere.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count as count_from
from random import Random

from marketplace.dev.demo.names import full_name, given_name
from marketplace.dev.demo.regions import REGENCIES, Regency
from marketplace.participants import nik
from marketplace.participants.nik import Sex

MOST = 100_000  # telephone numbers end in five digits
REFERENCE_DAY = date(2026, 11, 1)
_YOUNGEST, _OLDEST = 18, 60  # years on the day given; the oldest stay eligible for four years more
_SHARED_CARD = 0.2  # of the people share the family card of the person before; never three
_OPERATORS = ("811", "812", "813", "821", "822", "851", "852", "857", "858", "878", "881", "895", "896")
_WEIGHTS = [regency.weight for regency in REGENCIES]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who could register. NIK, KK and phone are left out of `repr()`."""

    name: str
    sex: Sex
    birth_date: date
    regency: Regency
    nik: str = field(repr=False)
    kk: str = field(repr=False)
    email: str
    phone: str = field(repr=False)

    @property
    def province_code(self) -> str:
        return self.regency.province_code


@dataclass(frozen=True, slots=True)
class _Household:
    """What the members of one family card have in common."""

    kk: str
    regency: Regency
    region: str
    tradition: str
    clan: str


def people(count: int, seed: int, *, today: date = REFERENCE_DAY) -> list[Person]:
    """`count` people, aged 18 to 60 on `today`, at most two to a family card.

    The same arguments give the same people; a larger count only adds to them. Raises ValueError
    above 100.000.
    """
    if not 0 <= count <= MOST:
        raise ValueError(f"between 0 and {MOST} people can be made up")
    crowd = _Crowd(seed, today)
    return [crowd.next_person(number) for number in range(count)]


class _Crowd:
    """Makes people up one after the other, none sharing a number or an address with another."""

    def __init__(self, seed: int, today: date) -> None:
        self._random = Random(seed)  # noqa: S311 - made-up people must be repeatable, not unguessable
        self._today = today
        self._taken: set[str] = set()
        self._household: _Household | None = None

    def next_person(self, number: int) -> Person:
        """The next one, alone or on the family card of the one before."""
        random = self._random
        sex = random.choice((Sex.FEMALE, Sex.MALE))
        shared = self._household if random.random() < _SHARED_CARD else None
        if shared:
            name, household = given_name(random, shared.tradition, sex, shared.clan), shared
        else:
            name, household = self._move_in(sex)
        self._household = None if shared else household
        return self._person(number, name, sex, household)

    def _move_in(self, sex: Sex) -> tuple[str, _Household]:
        """Somebody with a new family card, whose tradition is usually the regency's commonest."""
        random = self._random
        regency = random.choices(REGENCIES, _WEIGHTS)[0]
        common = random.random() < 0.6
        tradition = regency.traditions[0] if common else random.choice(regency.traditions)
        name, clan = full_name(random, tradition, sex)
        region = regency.code + random.choice(regency.districts)
        return name, _Household(self._family_card(region), regency, region, tradition, clan)

    def _person(self, number: int, name: str, sex: Sex, household: _Household) -> Person:
        birth_date = self._birth_date()
        return Person(
            name=name,
            sex=sex,
            birth_date=birth_date,
            regency=household.regency,
            nik=self._nik(household.region, birth_date, sex),
            kk=household.kk,
            email=self._email(name),
            phone=f"+62{self._random.choice(_OPERATORS)}000{number:05d}",
        )

    def _birth_date(self) -> date:
        """More young adults than old ones, as among real applicants."""
        years = self._random.triangular(_YOUNGEST, _OLDEST + 1, 25)
        return self._today - timedelta(days=min(int(years * 365.25) + 2, (_OLDEST + 1) * 365))

    def _nik(self, region: str, birth_date: date, sex: Sex) -> str:
        serial = self._random.randint(1, 9)
        return self._first_free(serial, lambda tried: nik.compose(region, birth_date, sex, tried).digits)

    def _family_card(self, region: str) -> str:
        """A card's number is made as a NIK is, with the day of its issue."""
        issued = self._today - timedelta(days=self._random.randint(30, 15 * 365))
        return self._first_free(
            self._random.randint(1, 60), lambda tried: f"{region}{issued:%d%m%y}{tried:04d}"
        )

    def _email(self, name: str) -> str:
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
        local = ".".join("".join(filter(str.isalnum, word)) for word in plain.split())
        return self._first_free(1, lambda tried: f"{local}{tried if tried > 1 else ''}@contoh.example")

    def _first_free(self, start: int, make: Callable[[int], str]) -> str:
        """The first of a series that nobody has yet, now taken."""
        found = next(text for text in map(make, count_from(start)) if text not in self._taken)
        self._taken.add(found)
        return found
