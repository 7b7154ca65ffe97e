"""The door: what a request must look like before the database is asked. Nothing is converted or guessed."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from ledger.errors import (
    InvalidAccountCode,
    InvalidEffectiveAt,
    InvalidKey,
    InvalidKind,
    InvalidMetadata,
    InvalidPostings,
    InvalidReference,
    InvalidRequest,
    SameAccount,
)
from ledger.money import require_amount
from ledger.records import JSON, Posting, TransactionRequest

MAX_POSTINGS = 1000
_MAX_TEXT_BYTES = 200
_MAX_JSON_BYTES = 16384
_KIND = re.compile(r"[a-z][a-z_]{0,39}")
_CODE = re.compile(r"[a-z][a-z_]{0,29}:[a-z0-9][a-z0-9_.-]{0,79}")
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
# an escaped NUL, but not a backslash followed by the letters u0000
_ESCAPED_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def check_request(request: TransactionRequest) -> None:
    """Raise the subclass of InvalidRequest that says what is wrong; return if nothing is."""
    check_text(request.key, InvalidKey)
    if not isinstance(request.kind, str) or not _KIND.fullmatch(request.kind):
        raise InvalidKind("a kind is 1 to 40 lower-case letters and underscores")
    if request.reference is not None:
        check_text(request.reference, InvalidReference)
    _check_postings(request.postings)
    _check_originals(request.settles, request.reverses)
    _check_effective_at(request.effective_at)


def check_code(code: object) -> str:
    """Return an account code, or raise InvalidAccountCode."""
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        raise InvalidAccountCode("an account code is family:name in lower case", str(code)[:100])
    return code


def json_text(value: Mapping[str, JSON] | None) -> str | None:
    """Return metadata as JSON text; raise InvalidMetadata if it is no object, too large or not storable."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise InvalidMetadata("metadata is a JSON object")
    try:
        # json would write a number that is a key as text, and two keys as one
        if not _keys_are_text(value):
            raise InvalidMetadata("the keys of metadata are text")
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidMetadata(f"metadata is not JSON: {error}") from error
    if size > _MAX_JSON_BYTES:
        raise InvalidMetadata(f"metadata takes {size} bytes, more than {_MAX_JSON_BYTES}")
    if _ESCAPED_NUL.search(text):
        raise InvalidMetadata("metadata holds a NUL character")
    return text


def check_text(value: object, refusal: type[InvalidRequest]) -> None:
    """Raise the refusal unless this is 1 to 200 bytes of printable text."""
    if not isinstance(value, str) or not value.isprintable():
        raise refusal("printable text is needed")
    if not 1 <= len(value.encode()) <= _MAX_TEXT_BYTES:
        raise refusal(f"1 to {_MAX_TEXT_BYTES} bytes are needed", value[:50])


def check_id(value: object, name: str) -> None:
    """Raise InvalidRequest unless this is a UUID; ``name`` says of what."""
    if not isinstance(value, UUID):
        raise InvalidRequest(f"{name} is named by its UUID")


def check_instant(value: object, name: str) -> None:
    """Raise InvalidEffectiveAt unless this is a datetime with a time zone; ``name`` says which."""
    if not isinstance(value, datetime) or value.utcoffset() is None:
        raise InvalidEffectiveAt(f"{name} is a datetime with a time zone")


def _keys_are_text(value: object) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _keys_are_text(inner) for key, inner in value.items())
    return not isinstance(value, list | tuple) or all(map(_keys_are_text, value))


def _check_postings(postings: Sequence[Posting]) -> None:
    if not isinstance(postings, Sequence) or not all(isinstance(each, Posting) for each in postings):
        raise InvalidPostings("postings are a list of Posting")
    if not 1 <= len(postings) <= MAX_POSTINGS:
        raise InvalidPostings(f"a transaction has 1 to {MAX_POSTINGS} postings, not {len(postings)}")
    for each in postings:
        require_amount(each.amount)
        if check_code(each.debit) == check_code(each.credit):
            raise SameAccount("a posting debits and credits two different accounts", each.debit)


def _check_originals(settles: object, reverses: object) -> None:
    if settles is not None and reverses is not None:
        raise InvalidRequest("a transaction settles or reverses, not both")
    for each in (settles, reverses):
        if each is not None:
            check_id(each, "the transaction to settle or reverse")


def _check_effective_at(at: datetime | None) -> None:
    if at is None:
        return
    check_instant(at, "an effective date")
    if at < _EARLIEST:
        raise InvalidEffectiveAt("an effective date is not before 2000", at.isoformat())
