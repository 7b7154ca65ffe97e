"""Where the part of a price went that nobody earned: back to the training balance, or to the state.

Read from the postings: until when a balance could be spent says nothing of what was posted then.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from ledger import TransactionRecord
from marketplace import chart
from marketplace.enrolments.correction_plan import Plan
from marketplace.enrolments.models import Enrolment

_NONE = Decimal(0)


@dataclass(frozen=True, slots=True)
class Returned:
    """Rupiah of one purchase that are back in the buyer's balance, and in the fund of the scheme."""

    home: Decimal = _NONE
    state: Decimal = _NONE


def returned(trail: Iterable[TransactionRecord], enrolment: Enrolment) -> Returned:
    """By every transaction of an enrolment; what a correction drew back is not counted."""
    benefit, fund = chart.benefit(enrolment.participant_id), chart.fund(enrolment.scheme_code)
    sums = {benefit: _NONE, fund: _NONE}
    for record in trail:
        for posting in record.postings:
            if posting.credit in sums:
                sums[posting.credit] += posting.amount
            elif record.reverses is not None and posting.debit in sums:
                sums[posting.debit] -= posting.amount
    return Returned(sums[benefit], sums[fund])


def after(plan: Plan, before: Returned) -> Returned:
    """The same once a correction is posted."""
    benefit, fund = chart.benefit(plan.enrolment.participant_id), chart.fund(plan.enrolment.scheme_code)
    sums = {benefit: before.home, fund: before.state}
    for step in plan.steps:
        for account in step.drawn.keys() & sums.keys():
            sums[account] -= step.drawn[account]
        for posting in step.postings:
            if posting.credit in sums:
                sums[posting.credit] += posting.amount
    return Returned(sums[benefit], sums[fund])
