"""Amounts: exact decimals in the currency of their account, never floats."""

from decimal import Context, Decimal

from ledger.errors import InvalidAmount

MAX_AMOUNT = Decimal("999999999999999999.99")
_SMALLEST_UNIT = Decimal("0.01")
# whatever precision a caller computes with, an amount is what it is
_EXACT = Context(prec=40)


def require_amount(value: object) -> Decimal:
    """Return ``value`` if it may be posted: a finite Decimal above zero with at most two decimals.

    Raises InvalidAmount for everything else; floats, ints, bools and strings are refused, not converted.
    """
    if not isinstance(value, Decimal):
        raise InvalidAmount(f"an amount must be a Decimal, not {type(value).__name__}")
    if not value.is_finite():
        raise InvalidAmount("an amount must be finite")
    if not 0 < value <= MAX_AMOUNT:
        raise InvalidAmount("an amount must be above zero and below 10**18")
    if value != value.quantize(_SMALLEST_UNIT, context=_EXACT):
        raise InvalidAmount("an amount has at most two decimals")
    return value


def canonical_amount(value: Decimal) -> str:
    """Write an amount as the ledger hashes it: plain digits and two decimals."""
    return f"{value:.2f}"
