"""People register, by the same three pages as anybody, and the worker credits their grants."""

from collections import Counter

from marketplace.dev.demo.people import Person, people
from marketplace.dev.demo.playground import Playground

_SEED = 2026
_LOOKS_EVERY = 10


def register_everybody(ground: Playground) -> None:
    """Sign in with a code from one's messages, register, and have the grant."""
    with ground.report.step("registrations") as step:
        before = ground.reader.value("SELECT count(*) FROM participant")
        # a larger number only adds people: a second demonstration in the same folder has new ones
        crowd = people(before + ground.size.participants, _SEED, today=ground.days.today)
        ground.people = crowd[before:]
        outcomes = Counter(
            ground.everybody(enumerate(ground.people), lambda each: _register(ground, *each), "registering")
        )
        step.add(", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common()))
    with ground.report.step("grants") as step:
        ground.reader.wait_for(
            "the grants' money",
            "SELECT count(*) >= %s FROM \"grant\" WHERE state = 'active'",
            outcomes["registered"],
        )
        count, amount = ground.reader.rows(
            "SELECT count(*), coalesce(sum(amount), 0) FROM \"grant\" WHERE state = 'active'"
        )[0]
        step.add(f"{count} credited in bulk by the worker, Rp{amount:,.0f}".replace(",", "."))


def _register(ground: Playground, number: int, person: Person) -> str:
    """Every tenth opens each page; the others fill in the three forms one after the other."""
    page = ground.arrive(person.email)
    visitor = ground.guests[person.email]
    looks = number % _LOOKS_EVERY == 0
    for address, answers in _answers(person):
        form = page.form(address) if looks else visitor.remember(address)
        sent = visitor.must(form, answers)
        if looks:
            page = visitor.open(sent.location)
    return "registered"


def _answers(person: Person) -> list[tuple[str, dict[str, str]]]:
    """What the three pages ask, by the address of each."""
    born = person.birth_date
    date_of_birth = {f"birth-{part}": str(getattr(born, part)) for part in ("day", "month", "year")}
    return [
        ("/daftar", {"full_name": person.name, **date_of_birth}),
        ("/daftar/nomor", {"nik": person.nik, "kk": person.kk}),
        ("/daftar/wilayah", {"province_code": person.province_code}),
    ]
