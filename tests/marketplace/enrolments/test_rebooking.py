"""Any chain of corrections ends where one settlement would have, and takes no more back than it must."""

import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import Posting, TransactionRecord, uuid7
from marketplace import chart
from marketplace.enrolments import rebooking
from marketplace.enrolments.pay import Split, split

AT = datetime(2026, 11, 26, tzinfo=UTC)
SOLD: Any = SimpleNamespace(provider_id=uuid.UUID(int=1), participant_id=uuid.UUID(int=2), scheme_code="2023")
ESCROW, PAYABLE, FEES = chart.escrow(SOLD.provider_id), chart.payable(SOLD.provider_id), chart.fees("2023")
HOMES = (chart.benefit(SOLD.participant_id), chart.fund("2023"))


def record(postings: Sequence[Posting], **original: uuid.UUID) -> TransactionRecord:
    links = {"settles": None, "reverses": None} | original
    return TransactionRecord(
        uuid7(), "", "", AT, AT, postings, reference=None, metadata=None, commitment=b"", **links
    )


def settled(parts: Split, home: str) -> TransactionRecord:
    legs = ((PAYABLE, parts.net), (FEES, parts.fee), (home, parts.rest))
    return record([Posting(ESCROW, *leg) for leg in legs if leg[1]], settles=uuid7())


def balances(trail: Sequence[TransactionRecord]) -> Counter[str]:
    found: Counter[str] = Counter()
    for posting in (each for one in trail for each in one.postings):
        found[posting.credit] += int(posting.amount)
        found[posting.debit] -= int(posting.amount)
    return found


def follow(trail: list[TransactionRecord], step: rebooking.Step) -> None:
    """What the ledger would write, and what it would refuse."""
    pairs = [pair for pair in zip(step.original.postings, step.amounts, strict=True) if pair[1]]
    back = record(
        [Posting(each.credit, each.debit, amount) for each, amount in pairs], reverses=step.original.id
    )
    trail.append(back)
    for posting in step.original.postings:
        mirrored = [each for one in trail if one.reverses == step.original.id for each in one.postings]
        assert sum(each.amount for each in mirrored if each.debit == posting.credit) <= posting.amount
    assert sum(each.amount for each in step.postings) == sum(each.amount for each in back.postings) > 0
    trail.append(record(step.postings, settles=back.id))


@settings(max_examples=150)
@given(
    st.lists(st.tuples(st.integers(0, 100), st.sampled_from(HOMES)), min_size=2, max_size=7),
    st.integers(1, 3_500_000).map(Decimal),
    st.sampled_from(("0", "0.1", "0.15")).map(Decimal),
)
def test_any_chain_ends_where_one_settlement_would(
    results: list[tuple[int, str]], price: Decimal, rate: Decimal
) -> None:
    percent, home = results[0]
    old = split(price, percent, rate)
    trail = [settled(old, home)]
    for percent, home in results[1:]:
        new, before = split(price, percent, rate), balances(trail)
        steps = rebooking.plan(trail, SOLD, old, new, home)
        drawn = rebooking.drawn_from_home(steps, SOLD)
        assert sum(drawn.values()) == max(new.gross - old.gross, 0)  # and nothing for a moment
        assert all(amount <= before[account] for account, amount in drawn.items())
        for step in steps:
            follow(trail, step)
        after = balances(trail)
        assert (after[PAYABLE], after[FEES], after[ESCROW]) == (new.net, new.fee, -price)
        assert sum(after[each] for each in HOMES) == new.rest
        old = new


def test_the_common_correction_is_one_reversal_and_one_credit() -> None:
    old, new = (split(Decimal(750_000), percent, Decimal("0.1")) for percent in (100, 50))
    [step] = rebooking.plan([settled(old, HOMES[0])], SOLD, old, new, HOMES[0])
    assert step.amounts == [Decimal(675_000), Decimal(75_000)]
    given_back = {each.credit: int(each.amount) for each in step.postings}
    assert given_back == {PAYABLE: 337_500, FEES: 37_500, HOMES[0]: 375_000}
