"""Receiving the state's money for a scheme."""

from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

import ledger
from marketplace import chart, clock
from marketplace.identity import audit
from marketplace.identity.audit import Actor
from marketplace.schemes import queries
from marketplace.schemes.errors import AmountInvalid, AppropriationConflict
from marketplace.schemes.models import Appropriation

_LARGEST = Decimal(10) ** 16


def appropriate(
    session: Session, scheme_code: str, amount: Decimal, reference: str, actor: Actor = None
) -> Appropriation:
    """Book state money into a scheme's fund: whole rupiah. The same reference has one effect.

    Raises SchemeNotFound, AmountInvalid, and AppropriationConflict when the reference was used for
    something else.
    """
    scheme = queries.get_scheme(session, scheme_code)
    _check(amount, reference)
    open_scheme_accounts(session, scheme.code)
    try:
        posted = ledger.post(
            session,
            f"appropriation:{reference}",
            "appropriation",
            [ledger.Posting(chart.BANK_TREASURY, chart.fund(scheme.code), amount)],
            reference=reference,
        )
    except ledger.IdempotencyConflict as error:
        raise AppropriationConflict(f"{reference!r} was used for another appropriation") from error
    if not posted.replayed:
        session.add(_row(scheme.code, amount, reference, posted))
        audit.record(session, actor, "scheme.appropriated", f"scheme:{scheme.code}", amount=amount)
    return session.scalars(select(Appropriation).where(Appropriation.reference == reference)).one()


def open_scheme_accounts(session: Session, scheme_code: str) -> None:
    """The accounts of a scheme and of the programme. Opening them again changes nothing."""
    ledger.open_accounts(
        session,
        [
            chart.BANK_TREASURY,
            chart.TRANSIT_PAYOUTS,
            chart.SUSPENSE_BANK,
            chart.fund(scheme_code),
            chart.reserve(scheme_code),
            chart.fees(scheme_code),
        ],
    )


def _check(amount: Decimal, reference: str) -> None:
    if not isinstance(amount, Decimal) or not amount.is_finite() or not 0 < amount < _LARGEST:
        raise AmountInvalid("an amount is a Decimal above zero", amount=str(amount))
    if amount != amount.to_integral_value():
        raise AmountInvalid("an amount with sen is refused", amount=str(amount))
    if not reference.strip() or not reference.isprintable() or len(reference.encode()) > 150:
        raise AmountInvalid("a reference is one line of up to 150 bytes")


def _row(scheme_code: str, amount: Decimal, reference: str, posted: ledger.Posted) -> Appropriation:
    return Appropriation(
        scheme_code=scheme_code,
        reference=reference,
        amount=amount,
        transaction_id=posted.id,
        recorded_at=clock.wall_now(),
    )
