"""The bytes that are hashed, written a second time, so that whoever checks does not ask the database.

A field is its length in bytes, a colon and its text; an absent one is a minus sign and a colon. The first
writing is in schema.sql; a test compares the two.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
NO_PERSONAL_PART = sha256(b"").digest()


def field(value: str | None) -> str:
    """Write one field with its length in front."""
    return "-:" if value is None else f"{len(value.encode())}:{value}"


def microseconds(at: datetime | None) -> str | None:
    """Write an instant as whole microseconds since 1970 UTC."""
    return None if at is None else str((at - _EPOCH) // _MICROSECOND)


def line(debit: str, credit: str, currency: str, amount: Decimal) -> str:
    """Write one posting: both account codes, the currency, plain digits with two decimals."""
    return field(debit) + field(credit) + field(currency) + field(f"{amount:.2f}")


def content(
    kind: str,
    settles: UUID | None,
    reverses: UUID | None,
    reference: str | None,
    metadata: str | None,
    lines: Iterable[str],
) -> str:
    """Write what a request and its transaction have in common; ``metadata`` as PostgreSQL prints it."""
    originals = (str(each) if each else None for each in (settles, reverses))
    return "".join(map(field, (kind, *originals, reference, metadata))) + "".join(lines)


def request_hash(effective_at: datetime | None, shared: str) -> bytes:
    """Hash a request; ``effective_at`` only when the request named one."""
    text = field("bekal-request/1") + field(microseconds(effective_at)) + shared
    return sha256(text.encode()).digest()


def hold_hash(key: str, expires_at: datetime, shared: str) -> bytes:
    """Hash the request of a hold."""
    fields = ("bekal-hold/1", key, microseconds(expires_at))
    return sha256(("".join(map(field, fields)) + shared).encode()).digest()


def personal_digest(salt: UUID, personal: str) -> bytes:
    """Hash a personal part, as PostgreSQL prints it, behind its own salt."""
    return sha256(salt.bytes + personal.encode()).digest()


def commitment(
    salt: UUID,
    head: tuple[UUID, str, datetime, datetime],
    shared: str,
    personal: bytes | None,
) -> bytes:
    """Return H(H(salt, money), H(personal salt, personal)).

    ``head`` is id, key, effective_at and recorded_at.
    """
    transaction_id, key, effective_at, recorded_at = head
    fields = (
        "bekal-ledger/1",
        str(transaction_id),
        key,
        microseconds(effective_at),
        microseconds(recorded_at),
    )
    money = "".join(map(field, fields)) + shared
    inner = sha256(salt.bytes + money.encode()).digest()
    return sha256(inner + (NO_PERSONAL_PART if personal is None else personal)).digest()


def balance_entry(salt: bytes, account: str, currency: str, debits: Decimal, credits: Decimal) -> bytes:
    """Return what stands for one account in a tree of sealed balances."""
    fields = ("bekal-balance/1", account, currency, f"{debits:.2f}", f"{credits:.2f}")
    return sha256(salt + "".join(map(field, fields)).encode()).digest()
