"""Holds: a posting that is not made yet. Its amount is kept out of the balance until it is captured, in part
or whole, released, or past its instant, whichever comes first; there is no fourth end and no second one."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from ledger.calling import call, call_posting
from ledger.errors import InvalidExpiry, UnknownHold
from ledger.ids import uuid7
from ledger.money import require_amount
from ledger.records import JSON, Held, HoldRecord, HoldState, Posted, Posting, TransactionRequest
from ledger.requests import check_id, check_request, json_text

_HOLD = "SELECT id, replayed FROM ledger.hold(%s, %s, %s, %s, %s, %s, %s, %s)"
_CAPTURE = (
    "SELECT id, replayed, commitment, codes, balances FROM ledger.capture(%s, %s, %s, %s, %s, %s, %s::jsonb)"
)
_RELEASE = "SELECT ledger.release(%s)"
_READ = """
SELECT h.id, h.key, h.kind, d.code AS account, c.code AS credit, h.amount, h.expires_at, h.recorded_at,
    h.reference, coalesce(r.captured, 0) AS captured, r.transaction_id,
    coalesce(r.outcome, CASE WHEN h.expires_at <= ledger.now() THEN 'expired' ELSE 'live' END) AS state
FROM ledger.hold h JOIN ledger.account d ON d.id = h.account_id
JOIN ledger.account c ON c.id = h.credit_account
LEFT JOIN ledger.hold_resolution r ON r.hold_id = h.id
"""


def hold(
    session: Session,
    key: str,
    kind: str,
    posting: Posting,
    expires_at: datetime,
    *,
    reference: str | None = None,
) -> Held:
    """Keep an amount for a posting that may come before ``expires_at`` (programme time).

    The debited account must be guarded; the flow is tested now and again at the capture. A repeat with the
    same key and content answers ``replayed``, whatever became of the hold. Raises InsufficientBalance,
    IdempotencyConflict, UnknownAccount, AccountClosed, CurrencyMismatch, FlowNotAllowed, NotHoldable,
    InvalidExpiry, WrongIsolation, or another subclass of InvalidRequest.
    """
    check_request(TransactionRequest(key, kind, [posting], reference=reference))
    if not isinstance(expires_at, datetime) or expires_at.utcoffset() is None:
        raise InvalidExpiry("the end of a hold is a datetime with a time zone")
    amount = format(posting.amount, "f")
    legs = (posting.debit, posting.credit, amount)
    (row,) = call(session, _HOLD, (uuid7(), key, kind, *legs, expires_at, reference))
    return Held(row.id, row.replayed)


def capture(
    session: Session,
    key: str,
    hold_id: UUID,
    amount: Decimal | None = None,
    *,
    effective_at: datetime | None = None,
    reference: str | None = None,
    metadata: Mapping[str, JSON] | None = None,
) -> Posted:
    """Make the posting that was held, of the whole amount or less; what is left is released.

    ``key`` is the transaction's; a repeat answers ``replayed``. ``reference`` is the hold's unless given.
    Raises UnknownHold, HoldResolved, HoldExpired, ExceedsHold, and what post() raises.
    """
    held = get_hold(session, hold_id)
    captured = held.amount if amount is None else require_amount(amount)
    posting = Posting(held.account, held.credit, captured)
    check_request(
        TransactionRequest(
            key, held.kind, [posting], effective_at=effective_at, reference=reference, metadata=metadata
        )
    )
    content = (format(captured, "f"), effective_at, reference, json_text(metadata))
    (posted,) = call_posting(session, _CAPTURE, (uuid7(), key, hold_id, *content))
    return posted


def release(session: Session, hold_id: UUID) -> HoldRecord:
    """Give the whole amount free again and return the hold as it ended, ``released`` or ``expired``.

    A repeat changes nothing. Raises UnknownHold, HoldResolved where it was captured, WrongIsolation.
    """
    check_id(hold_id, "a hold")
    call(session, _RELEASE, (hold_id,))
    return get_hold(session, hold_id)


def get_hold(session: Session, hold_id: UUID) -> HoldRecord:
    """Return a hold and what became of it by now. Raises UnknownHold."""
    check_id(hold_id, "a hold")
    row = session.execute(text(f"{_READ} WHERE h.id = :id"), {"id": hold_id}).one_or_none()
    if row is None:
        raise UnknownHold("no such hold", str(hold_id))
    return HoldRecord(**{**row._mapping, "state": HoldState(row.state)})
