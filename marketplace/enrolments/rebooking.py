"""What a corrected result posts: the old settlement taken back as far as needed, and the money given anew.

The provider's part and the fee are reversed whole and credited whole, so that each earning stands for one
credit. Of what went back to the participant only as much is asked for as a higher result costs: nobody's
balance is drawn on deeper than that, not even for a moment. Source: docs/decisions/0033.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy.orm import Session

import ledger
from ledger import TransactionRecord, find_transactions
from marketplace import chart
from marketplace.enrolments.models import Enrolment
from marketplace.enrolments.pay import Split

_NONE = Decimal(0)


@dataclass(frozen=True, slots=True)
class Step:
    """One earlier settlement: how much of each of its postings is reversed, and what that becomes."""

    original: TransactionRecord
    amounts: Sequence[Decimal]
    postings: Sequence[ledger.Posting]

    @property
    def drawn(self) -> dict[str, Decimal]:
        """What is taken back from each account, in rupiah."""
        pairs = zip(self.original.postings, self.amounts, strict=True)
        return {posting.credit: amount for posting, amount in pairs if amount}


def plan(
    trail: Sequence[TransactionRecord], enrolment: Enrolment, old: Split, new: Split, home: str
) -> list[Step]:
    """The steps from one division of the price to another, newest settlement first. Posts nothing.

    `trail` has every transaction of the enrolment, oldest first; `home` is where money goes back to.
    """
    own = (chart.payable(enrolment.provider_id), chart.fees(enrolment.scheme_code))
    source = chart.escrow(enrolment.provider_id)
    asked = max(new.gross - old.gross, _NONE)
    given = {own[0]: new.net, own[1]: new.fee, home: max(old.gross - new.gross, _NONE)}
    steps = []
    for original in (each for each in reversed(trail) if each.settles is not None):
        amounts = []
        for posting, left in zip(original.postings, _remaining(original, trail), strict=True):
            amount = left if posting.credit in own else min(left, asked)
            asked -= _NONE if posting.credit in own else amount
            amounts.append(amount)
        if any(amounts):
            postings = [ledger.Posting(source, *leg) for leg in _fill(given, sum(amounts, _NONE))]
            steps.append(Step(original, amounts, postings))
    return steps


def drawn_from_home(steps: Sequence[Step], enrolment: Enrolment) -> dict[str, Decimal]:
    """What is asked back of accounts that can run dry: the participant's balance, or the fund."""
    homes = {chart.benefit(enrolment.participant_id), chart.fund(enrolment.scheme_code)}
    found: dict[str, Decimal] = {}
    for step in steps:
        for account in step.drawn.keys() & homes:
            found[account] = found.get(account, _NONE) + step.drawn[account]
    return found


def post(session: Session, enrolment: Enrolment, sequence: int, steps: Sequence[Step]) -> list[uuid.UUID]:
    """Post the steps; the ids of a reversal and a correction for each. Raises what the ledger does."""
    reference, written = reference_of(enrolment), []
    for number, step in enumerate(steps, 1):
        place = f"{enrolment.id}:{sequence}:{number}"
        taken = ledger.reverse(
            session, f"reverse:{place}", step.original.id, amounts=step.amounts, reference=reference
        )
        key = f"correct:{place}"
        given = ledger.post(session, key, "correction", step.postings, settles=taken.id, reference=reference)
        written += [taken.id, given.id]
    return written


def read_trail(session: Session, enrolment: Enrolment) -> list[TransactionRecord]:
    """Every transaction of an enrolment, oldest first."""
    return find_transactions(session, reference=reference_of(enrolment))


def reference_of(enrolment: Enrolment) -> str:
    """What the ledger's transactions of an enrolment name."""
    return f"enrolment:{enrolment.id}"


def _remaining(original: TransactionRecord, trail: Sequence[TransactionRecord]) -> list[Decimal]:
    """What of each posting has not been reversed yet."""
    reversed_by: dict[str, Decimal] = {}
    for each in trail:
        if each.reverses == original.id:
            for posting in each.postings:
                reversed_by[posting.debit] = reversed_by.get(posting.debit, _NONE) + posting.amount
    return [each.amount - reversed_by.get(each.credit, _NONE) for each in original.postings]


def _fill(given: dict[str, Decimal], total: Decimal) -> list[tuple[str, Decimal]]:
    """Legs that add up to `total`, taken off what is still to be given, in its order."""
    legs = []
    for account, left in given.items():
        amount = min(left, total)
        if amount > 0:
            legs.append((account, amount))
            given[account], total = left - amount, total - amount
    return legs
