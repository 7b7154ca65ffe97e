"""The only writers of the ledger. Each is one call to one database function, which keeps the rules."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy.orm import Session

from ledger.balances import get_transaction
from ledger.calling import call, call_posting
from ledger.errors import InvalidPostings, InvalidRequest
from ledger.ids import uuid7
from ledger.records import JSON, Posted, Posting, TransactionRequest
from ledger.requests import check_code, check_id, check_instant, check_request, check_text, json_text

_POST = (
    "SELECT id, replayed, commitment, codes, balances"
    " FROM ledger.post(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
_POST_MANY = "SELECT id, replayed, commitment, codes, balances FROM ledger.post_many(%s)"


def open_accounts(session: Session, codes: Iterable[str]) -> None:
    """Open those of these accounts that are not open yet; what they are comes from their family.

    Raises InvalidAccountCode and UnknownFamily.
    """
    call(session, "SELECT ledger.open_accounts(%s)", [[check_code(code) for code in codes]])


def close_account(session: Session, code: str) -> None:
    """Close an account for ever; it takes no further postings. Raises UnknownAccount, AccountNotEmpty."""
    call(session, "SELECT ledger.close_account(%s)", [check_code(code)])


def post(
    session: Session,
    key: str,
    kind: str,
    postings: Sequence[Posting],
    *,
    settles: UUID | None = None,
    reverses: UUID | None = None,
    effective_at: datetime | None = None,
    reference: str | None = None,
    metadata: Mapping[str, JSON] | None = None,
    personal: Mapping[str, JSON] | None = None,
    dry_run: bool = False,
) -> Posted:
    """Write one transaction, in one round trip; amounts are in the currency of the accounts.

    A repeat with the same key and content answers ``replayed`` before any balance is looked at.
    ``effective_at`` is programme time now unless given. With ``dry_run`` everything is tested and nothing
    stays. Raises the LedgerError that says why not: InsufficientBalance, IdempotencyConflict,
    UnknownAccount, AccountClosed, CurrencyMismatch, FlowNotAllowed, ExceedsOriginal, UnknownTransaction,
    PeriodClosed, WrongIsolation, or a subclass of InvalidRequest.
    """
    request = TransactionRequest(
        key, kind, postings, settles, reverses, effective_at, reference, metadata, personal
    )
    check_request(request)
    if not dry_run:
        return _post(session, request)
    savepoint = session.begin_nested()
    try:
        return _post(session, request)
    finally:
        savepoint.rollback()


def post_many(session: Session, requests: Sequence[TransactionRequest]) -> list[Posted]:
    """Write thousands of transactions in one round trip, all or none; answers come in the requests' order.

    Raises what post() raises, for the first request found wanting.
    """
    for request in requests:
        check_request(request)
    if not requests:
        return []
    batch = json.dumps([_as_json(request) for request in requests], ensure_ascii=False)
    return call_posting(session, _POST_MANY, (batch,))


def reverse(
    session: Session,
    key: str,
    transaction_id: UUID,
    *,
    amounts: Sequence[Decimal] | None = None,
    reference: str | None = None,
    metadata: Mapping[str, JSON] | None = None,
) -> Posted:
    """Write the mirror image of a transaction, of the kind ``reversal``, in whole or in part.

    ``amounts`` says how much of each posting goes back, in the order of the original; zero leaves one out.
    Raises UnknownTransaction, ExceedsOriginal where more would be settled and reversed than there was,
    FlowNotAllowed for the reversal of a reversal, InvalidPostings for amounts that do not fit, and what
    post() raises.
    """
    check_id(transaction_id, "a transaction")
    original = get_transaction(session, transaction_id)
    mirrored = [Posting(each.credit, each.debit, each.amount) for each in original.postings]
    if amounts is not None:
        mirrored = _in_part(mirrored, amounts)
    return post(
        session, key, "reversal", mirrored, reverses=original.id, reference=reference, metadata=metadata
    )


def close_period(session: Session, until: datetime) -> None:
    """Refuse effective dates before ``until`` from now on, for ever; only the owner's role may.

    A repeat changes nothing. Raises InvalidPeriod where the period is not over or lies before a closed one,
    InvalidEffectiveAt.
    """
    check_instant(until, "the end of a period")
    call(session, "SELECT ledger.close_period(%s)", (until,))


def erase(session: Session, transaction_id: UUID, reason: str) -> None:
    """Delete the personal part of a transaction for ever and log why; every proof stays valid.

    Raises UnknownTransaction where there is none with a personal part. A repeat changes nothing.
    """
    check_id(transaction_id, "a transaction")
    check_text(reason, InvalidRequest)
    call(session, "SELECT ledger.erase(%s, %s)", [transaction_id, reason])


def _in_part(mirrored: Sequence[Posting], amounts: Sequence[Decimal]) -> list[Posting]:
    if len(amounts) != len(mirrored):
        raise InvalidPostings(f"the original has {len(mirrored)} postings, not {len(amounts)}")
    parts = zip(mirrored, amounts, strict=True)
    # whatever is not exactly zero is tested as an amount like any other
    return [
        Posting(each.debit, each.credit, amount)
        for each, amount in parts
        if not isinstance(amount, Decimal) or amount.is_nan() or amount != 0
    ]


def _post(session: Session, request: TransactionRequest) -> Posted:
    postings = request.postings
    # check_code() let nothing through that would need quoting inside an array
    (posted,) = call_posting(
        session,
        _POST,
        (
            uuid7(),
            request.key,
            request.kind,
            f"{{{','.join([each.debit for each in postings])}}}",
            f"{{{','.join([each.credit for each in postings])}}}",
            f"{{{','.join([format(each.amount, 'f') for each in postings])}}}",
            request.settles,
            request.reverses,
            request.effective_at,
            request.reference,
            json_text(request.metadata),
            json_text(request.personal),
        ),
    )
    return posted


def _as_json(request: TransactionRequest) -> dict[str, object]:
    full = {
        "id": str(uuid7()),
        "key": request.key,
        "kind": request.kind,
        "debits": [each.debit for each in request.postings],
        "credits": [each.credit for each in request.postings],
        "amounts": [format(each.amount, "f") for each in request.postings],
        "settles": request.settles and str(request.settles),
        "reverses": request.reverses and str(request.reverses),
        "effective_at": request.effective_at and request.effective_at.isoformat(),
        "reference": request.reference,
        "metadata": _as_object(request.metadata),
        "personal": _as_object(request.personal),
    }
    return {name: value for name, value in full.items() if value is not None}


def _as_object(value: Mapping[str, JSON] | None) -> object:
    text = json_text(value)
    return None if text is None else json.loads(text)
