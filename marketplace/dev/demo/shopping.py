"""Buying and changing one's mind, by the review page and its one button."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from marketplace.dev.demo.people import Person
from marketplace.dev.demo.playground import Playground
from marketplace.dev.demo.visitors import Form, PageFault, Visitor, problem_of

_SEED = 7
_REPEATED_EVERY = 15
_CANCELLED_SHARE = 30  # one of so many
_REFUSALS = {
    "Kursi terakhir": "refused: no seats",
    "Kurang Rp": "refused: balance too low",
}

_ON_SALE = """
    SELECT r.id, r.seats FROM run r JOIN course c ON c.id = r.course_id
    WHERE r.state = 'open' AND r.seats_taken < r.seats
        AND (r.starts_at > ledger.now() OR r.kind = 'self_paced' AND r.ends_at > ledger.now())
    ORDER BY c.source_id"""
_CANCELLABLE = """
    SELECT e.id, u.email FROM enrolment e
    JOIN run r ON r.id = e.run_id JOIN participant p ON p.id = e.participant_id
    JOIN "user" u ON u.id = p.user_id
    WHERE e.state = 'purchased' AND e.price > 0 AND r.starts_at > ledger.now() ORDER BY e.id"""


_AWAITING = """
    SELECT e.id, (SELECT u.email FROM provider_staff f JOIN "user" u ON u.id = f.user_id
                  WHERE f.provider_id = e.provider_id ORDER BY f.added_at LIMIT 1)
    FROM enrolment e WHERE e.state = 'awaiting_confirmation' ORDER BY e.id"""


@dataclass(frozen=True, slots=True)
class _Wishes:
    """What one person opens in as many tabs; `repeats` sends the first form twice."""

    person: Person
    runs: list[Any]
    repeats: bool


def buy(ground: Playground) -> None:
    """Each person opens some review pages side by side, then presses the button on each."""
    with ground.report.step("purchases") as step:
        wishes = _wishes(ground)
        outcomes: Counter[str] = Counter()
        for found in ground.everybody(wishes, lambda each: _shop(ground, each), "buying"):
            outcomes.update(found)
        step.add(f"{sum(outcomes.values())} attempts")
        for outcome, count in sorted(outcomes.items()):
            step.add(f"{count} {outcome}")


def confirm_seats(ground: Playground) -> None:
    """Providers answer whoever waits for a seat: one is declined, the others get theirs."""
    with ground.report.step("confirmations") as step:
        asked: dict[str, list[object]] = defaultdict(list)
        for enrolment_id, staff in ground.reader.rows(_AWAITING):
            asked[staff].append(enrolment_id)
        if not asked:
            step.add("no seat waited")
            return
        ground.sign_in_all(asked)
        first = next(iter(asked))
        _decline(ground, first, asked[first].pop())
        ground.everybody(asked.items(), lambda each: _confirm(ground, *each), "confirming")
        confirmed = ground.reader.value(
            "SELECT count(*) FROM enrolment WHERE confirmed_at IS NOT NULL AND state = 'purchased'"
        )
        step.add(f"{confirmed} seats confirmed, 1 declined")


def change_minds(ground: Playground) -> None:
    """Some cancel in time: all of the money comes back."""
    with ground.report.step("cancellations") as step:
        guests = [row for row in ground.reader.rows(_CANCELLABLE) if row[1] in ground.guests]
        chosen = guests[::_CANCELLED_SHARE]
        ground.everybody(chosen, lambda row: _cancel(ground, *row), "cancelling")
        step.add(f"{len(chosen)} purchases cancelled and refunded")


def _wishes(ground: Playground) -> list[_Wishes]:
    """Small runs are wanted as much as large ones, so some people come too late."""
    random = Random(_SEED)  # noqa: S311 - the same wishes each time
    runs = [row[0] for row in ground.reader.rows(_ON_SALE)]
    each, more = divmod(ground.size.purchases, len(ground.people))
    return [
        _Wishes(
            person,
            random.sample(runs, min(len(runs), each + (number < more))),
            number % _REPEATED_EVERY == 0,
        )
        for number, person in enumerate(ground.people)
    ]


def _shop(ground: Playground, wishes: _Wishes) -> Counter[str]:
    visitor = ground.guests[wishes.person.email]
    outcomes: Counter[str] = Counter()
    reviews = [visitor.open(f"/beli/{run}").find_form("/beli/") for run in wishes.runs]
    for number, form in enumerate(reviews):
        if form is None:
            outcomes["not offered: dearer than the balance"] += 1
            continue
        if form.action.endswith("/tunggu"):
            outcomes["not offered: full, only a place in line"] += 1
            continue
        outcome = _press(visitor, form, twice=wishes.repeats and number == 0)
        outcomes[outcome] += 1
    return outcomes


def _press(visitor: Visitor, form: Form, *, twice: bool) -> str:
    answer = visitor.send(form)
    if twice and answer.is_redirect:
        again = visitor.send(form)
        if again.location != answer.location:
            raise PageFault(f"{form.action}: the same form got another answer: {again.location}")
        return "bought (button pressed twice: one receipt)"
    if answer.is_redirect:
        return "bought" if "/bukti/" in answer.location else "refused: has it already"
    problem = problem_of(answer)
    known = [words for mark, words in _REFUSALS.items() if mark in problem]
    if not known:
        raise PageFault(f"{form.action} answered {answer.status}: {problem}")
    return known[0]


def _confirm(ground: Playground, staff: str, enrolment_ids: Sequence[object]) -> None:
    visitor = ground.guests[staff]
    for enrolment_id in enrolment_ids:
        visitor.must(visitor.open(f"/lembaga/pendaftaran/{enrolment_id}").form("/konfirmasi"))


def _decline(ground: Playground, staff: str, enrolment_id: object) -> None:
    visitor = ground.guests[staff]
    page = visitor.open(f"/lembaga/pendaftaran/{enrolment_id}/tolak")
    visitor.must(page.form("/tolak"), {"reason": "Kelas ini untuk yang sudah pernah mencoba"})


def _cancel(ground: Playground, enrolment_id: object, email: str) -> None:
    visitor = ground.guests[email]
    visitor.must(visitor.open(f"/kursus-saya/{enrolment_id}/batal").form("/batal"))
