"""What a provider is paid for one enrolment: pure arithmetic over the rules' table.

Nothing here reads a row or a clock, so that every line of the table can be tested by itself.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Protocol

_WHOLE = Decimal(1)


class PayTerms(Protocol):
    """The two thresholds of a scheme, in percent."""

    @property
    def full_pay_from_percent(self) -> int: ...

    @property
    def minimum_pay_percent(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Evidence:
    """What attendance says of one enrolment.

    `percent` is attended of promised. `took_place` means that another participant's coded check-in
    proves that the run was held. `cut_short` means that the provider cancelled it mid-way.
    """

    percent: int
    self_paced: bool = False
    took_place: bool = False
    cut_short: bool = False


@dataclass(frozen=True, slots=True)
class Split:
    """Where a price goes, in whole rupiah: gross = fee + net, and gross + rest = price."""

    gross: Decimal
    fee: Decimal
    net: Decimal
    rest: Decimal


def attended_percent(attended: int, promised: int) -> int:
    """floor(100 x attended / promised); 0 when nothing was promised. Raises ValueError for nonsense."""
    if not 0 <= attended <= promised:
        raise ValueError(f"{attended} of {promised} cannot have been attended")
    return 100 * attended // promised if promised else 0


def paid_percent(evidence: Evidence, terms: PayTerms) -> int:
    """The percent of the price that the provider earns, by the rules' table of attendance and pay."""
    if evidence.cut_short:
        return evidence.percent
    if evidence.percent >= terms.full_pay_from_percent:
        return 100
    if evidence.self_paced or evidence.percent >= terms.minimum_pay_percent:
        return evidence.percent
    return terms.minimum_pay_percent if evidence.took_place else 0


def split(price: Decimal, percent: int, fee_rate: Decimal) -> Split:
    """Divide a price: gross is rounded down, the programme's fee half up, both to whole rupiah.

    `fee_rate` is a fraction of gross. Raises ValueError for a negative or broken price, a percent
    outside 0 to 100, or a rate outside 0 to 1.
    """
    if price < 0 or price != price.to_integral_value():
        raise ValueError(f"not a price in whole rupiah: {price}")
    if not 0 <= percent <= 100 or not 0 <= fee_rate <= 1:
        raise ValueError(f"percent {percent} or fee rate {fee_rate} out of range")
    gross = (price * percent // 100).quantize(_WHOLE)
    fee = (gross * fee_rate).quantize(_WHOLE, ROUND_HALF_UP)
    return Split(gross=gross, fee=fee, net=gross - fee, rest=price - gross)
