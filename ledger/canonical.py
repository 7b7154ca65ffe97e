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
    if value is None:
        return "-:"
    return f"{len(value) if value.isascii() else len(value.encode())}:{value}"


def fields(*values: str | None) -> str:
    """Write fields one after another."""
    return "".join(map(field, values))


def microseconds(at: datetime | None) -> str | None:
    """Write an instant as whole microseconds since 1970 UTC."""
    return None if at is None else str((at - _EPOCH) // _MICROSECOND)


def line(debit: str, credit: str, currency: str, amount: Decimal) -> str:
    """Write one posting: both account codes, the currency, plain digits with two decimals."""
    return fields(debit, credit, currency, f"{amount:.2f}")


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
    return fields(kind, *originals, reference, metadata) + "".join(lines)


def request_hash(effective_at: datetime | None, shared: str) -> bytes:
    """Hash a request; ``effective_at`` only when the request named one."""
    return request_hash_of(microseconds(effective_at), shared)


def request_hash_of(effective: str | None, shared: str) -> bytes:
    """Hash a request whose effective date is written already."""
    return sha256((fields("bekal-request/1", effective) + shared).encode()).digest()


def hold_hash(key: str, expires_at: datetime, shared: str) -> bytes:
    """Hash the request of a hold."""
    head = fields("bekal-hold/1", key, microseconds(expires_at))
    return sha256((head + shared).encode()).digest()


def personal_digest(salt: UUID, personal: str) -> bytes:
    """Hash a personal part, as PostgreSQL prints it, behind its own salt."""
    return salted(salt.bytes, personal)


def salted(salt: bytes, text: str) -> bytes:
    """Hash a text behind its salt."""
    return sha256(salt + text.encode()).digest()


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
    instants = (microseconds(effective_at), microseconds(recorded_at))
    return commitment_of(salt.bytes, (str(transaction_id), key, *instants), shared, personal)


def commitment_of(salt: bytes, head: tuple[str | None, ...], shared: str, personal: bytes | None) -> bytes:
    """The same, of values that are written already."""
    inner = salted(salt, fields("bekal-ledger/1", *head) + shared)
    return sha256(inner + (NO_PERSONAL_PART if personal is None else personal)).digest()


def balance_entry(salt: bytes, account: str, currency: str, debits: Decimal, credits: Decimal) -> bytes:
    """Return what stands for one account in a tree of sealed balances."""
    return salted(salt, fields("bekal-balance/1", account, currency, f"{debits:.2f}", f"{credits:.2f}"))
