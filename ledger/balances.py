"""The only readers of the ledger. A balance is positive on the natural side of its account."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, and_, bindparam, case, func, or_, select, true
from sqlalchemy.orm import Session, aliased

from ledger.as_of import check_as_of, sums
from ledger.errors import UnknownAccount, UnknownTransaction
from ledger.models import Account, Entry, Transaction
from ledger.records import (
    FamilyTotal,
    Funds,
    Passbook,
    Posting,
    Statement,
    StatementLine,
    TransactionRecord,
    TrialBalance,
    TrialBalanceRow,
)
from ledger.requests import check_instant

DEBIT_KINDS = ("asset", "expense")
_ZERO = Decimal("0.00")


def balance(
    session: Session, code: str, *, as_of: datetime | None = None, known_at: int | None = None
) -> Decimal:
    """Return the balance of an account now, or in the past as balances() does."""
    return balances(session, [code], as_of=as_of, known_at=known_at)[code]


def balances(
    session: Session, codes: Iterable[str], *, as_of: datetime | None = None, known_at: int | None = None
) -> dict[str, Decimal]:
    """Return the balances of several accounts at one instant, in the order asked.

    With ``as_of`` only what was effective before that instant counts; with ``known_at`` only what was written
    below that position, which known_position() gives, or the ``through`` of a seal. Raises UnknownAccount,
    InvalidEffectiveAt, InvalidPosition.
    """
    check_as_of(session, as_of, known_at)
    wanted = list(dict.fromkeys(codes))
    rows = session.execute(_sums(as_of, known_at).where(Account.code == func.any(wanted))).all()
    found = {row.code: _natural(row.kind, row.debits, row.credits) for row in rows}
    return {code: _known(found, code) for code in wanted}


def available(session: Session, code: str) -> Decimal:
    """Return the balance of an account less what is held of it at this instant. Raises UnknownAccount."""
    return funds(session, code).available


def funds(session: Session, code: str) -> Funds:
    """Return the balance of an account and what is held of it, at one instant. Raises UnknownAccount."""
    row = session.execute(_FUNDS, {"code": code}).one_or_none()
    if row is None:
        raise UnknownAccount("no such account", code)
    return Funds(_natural(row.kind, row.debits, row.credits), row.held)


def statement(
    session: Session,
    code: str,
    start: datetime | None = None,
    end: datetime | None = None,
    *,
    known_at: int | None = None,
) -> Statement:
    """Return the lines of an account with effective dates in [start, end), oldest first.

    With ``known_at`` as it was known below that position. All in one statement of SQL, so opening, lines and
    closing belong together. Raises UnknownAccount, InvalidPosition, InvalidEffectiveAt.
    """
    for each in (start, end):
        if each is not None:
            check_instant(each, "the beginning or end of a statement")
    check_as_of(session, None, known_at)
    account = session.scalars(select(Account).where(Account.code == code)).one_or_none()
    if account is None:
        raise UnknownAccount("no such account", code)
    rows = session.execute(_statement(account, start, end, known_at)).all()
    opening: Decimal = rows[0].opening
    lines = _lines(opening, [row for row in rows if row.transaction_id is not None])
    return Statement(code, opening, lines, lines[-1].balance if lines else opening)


def passbook(session: Session, code: str) -> Passbook:
    """Return the funds of an account and every line that led to them, oldest first, all at one instant.

    For accounts whose lines are few, as a person's are. Raises UnknownAccount.
    """
    rows = session.execute(_PASSBOOK, {"code": code}).all()
    if not rows:
        raise UnknownAccount("no such account", code)
    lines = _lines(_ZERO, [row for row in rows if row.transaction_id is not None])
    return Passbook(Funds(lines[-1].balance if lines else _ZERO, rows[0].held), lines)


def trial_balance(
    session: Session, *, as_of: datetime | None = None, known_at: int | None = None
) -> TrialBalance:
    """Return every account at one instant, the totals by family, and both grand totals.

    With ``as_of`` or ``known_at`` as balances() reads them, and only accounts that were used by then.
    Raises InvalidEffectiveAt, InvalidPosition.
    """
    check_as_of(session, as_of, known_at)
    query = _sums(as_of, known_at).order_by(Account.family, Account.code)
    rows = [
        TrialBalanceRow(
            row.code,
            row.family,
            row.kind,
            row.debits,
            row.credits,
            _natural(row.kind, row.debits, row.credits),
        )
        for row in session.execute(query)
        if (as_of is None and known_at is None) or row.debits or row.credits
    ]
    families = [_total(list(group)) for _, group in groupby(rows, key=lambda row: row.family)]
    debits = sum((each.debits for each in families), _ZERO)
    return TrialBalance(rows, families, debits, sum((each.credits for each in families), _ZERO))


def get_transaction(session: Session, transaction_id: UUID) -> TransactionRecord:
    """Return a transaction as it was written. Raises UnknownTransaction."""
    found = _records(session, _ONE, id=transaction_id)
    if not found:
        raise UnknownTransaction("no such transaction", str(transaction_id))
    return found[0]


def find_transactions(session: Session, *, reference: str) -> list[TransactionRecord]:
    """Return the transactions with this reference, oldest first; none is an empty list."""
    return _records(session, _OF_REFERENCE, reference=reference)


def _sums(as_of: datetime | None = None, known_at: int | None = None) -> Select[Any]:
    """Every account with its debits and credits, exact for folded ones too: roll-up and tail in one go."""
    sides = sums(as_of, known_at)
    return select(Account.code, Account.family, Account.kind, sides.c.debits, sides.c.credits).join(
        sides, true()
    )


_FUNDS = (
    _sums()
    .add_columns(func.ledger.live_holds(Account.id).label("held"))
    .where(Account.code == bindparam("code"))
)


def _natural(kind: str, debits: Decimal, credits: Decimal) -> Decimal:
    return debits - credits if kind in DEBIT_KINDS else credits - debits


def _known(found: dict[str, Decimal], code: str) -> Decimal:
    if code not in found:
        raise UnknownAccount("no such account", code)
    return found[code]


def _statement(
    account: Account, start: datetime | None, end: datetime | None, known_at: int | None
) -> Select[Any]:
    """One row per line beside the opening balance; a single row without a line where there is none."""
    counterpart = aliased(Account)
    is_debit = Entry.debit_account == account.id
    raises = is_debit if account.kind in DEBIT_KINDS else ~is_debit
    amount = case((raises, Entry.amount), else_=-Entry.amount)
    touching = or_(is_debit, Entry.credit_account == account.id)
    if known_at is not None:
        touching = and_(touching, Entry.position < known_at)
    moved = (
        select(Transaction.id.label("transaction_id"), Transaction.kind, Transaction.effective_at)
        .add_columns(Transaction.reference, counterpart.code.label("counterpart"), amount.label("amount"))
        .add_columns(Entry.seq)
        .join(Entry, Entry.transaction_id == Transaction.id)
        .join(
            counterpart, counterpart.id == case((is_debit, Entry.credit_account), else_=Entry.debit_account)
        )
        .where(touching)
    )
    before = select(func.coalesce(func.sum(amount), _ZERO).label("opening")).join(
        Transaction, Entry.transaction_id == Transaction.id
    )
    before = before.where(touching, Transaction.effective_at < start if start else ~true())
    if start:
        moved = moved.where(Transaction.effective_at >= start)
    if end:
        moved = moved.where(Transaction.effective_at < end)
    lines, opening = moved.subquery(), before.subquery()
    order = (lines.c.effective_at, lines.c.transaction_id, lines.c.seq)
    return select(opening.c.opening, lines).join_from(opening, lines, true(), isouter=True).order_by(*order)


def _passbook() -> Select[Any]:
    """One row per line beside what is held; a single row without a line where there is none."""
    counterpart = aliased(Account)
    is_debit = Entry.debit_account == Account.id
    raises = is_debit == Account.kind.in_(DEBIT_KINDS)
    return (
        select(func.ledger.live_holds(Account.id).label("held"), Transaction.id.label("transaction_id"))
        .add_columns(Transaction.kind, Transaction.effective_at, Transaction.reference)
        .add_columns(counterpart.code.label("counterpart"))
        .add_columns(case((raises, Entry.amount), else_=-Entry.amount).label("amount"))
        .select_from(Account)
        .outerjoin(Entry, or_(is_debit, Entry.credit_account == Account.id))
        .outerjoin(Transaction, Transaction.id == Entry.transaction_id)
        .outerjoin(
            counterpart, counterpart.id == case((is_debit, Entry.credit_account), else_=Entry.debit_account)
        )
        .where(Account.code == bindparam("code"))
        .order_by(Transaction.effective_at, Transaction.id, Entry.seq)
    )


_PASSBOOK = _passbook()


def _lines(opening: Decimal, rows: Sequence[Row[Any]]) -> list[StatementLine]:
    lines, running = [], opening
    for row in rows:
        running += row.amount
        lines.append(
            StatementLine(
                row.transaction_id,
                row.kind,
                row.effective_at,
                row.reference,
                row.counterpart,
                row.amount,
                running,
            )
        )
    return lines


def _total(rows: Sequence[TrialBalanceRow]) -> FamilyTotal:
    debits = sum((row.debits for row in rows), _ZERO)
    credits = sum((row.credits for row in rows), _ZERO)
    kind = rows[0].kind
    return FamilyTotal(rows[0].family, kind, debits, credits, _natural(kind, debits, credits))


_ONE = select(Transaction).where(Transaction.id == bindparam("id"))
_OF_REFERENCE = (
    select(Transaction).where(Transaction.reference == bindparam("reference")).order_by(Transaction.id)
)


def _records(session: Session, query: Select[Transaction], **values: object) -> list[TransactionRecord]:
    transactions = session.scalars(query, values).all()
    postings = _postings(session, [each.id for each in transactions])
    return [_record(each, postings[each.id]) for each in transactions]


_DEBIT, _CREDIT = aliased(Account), aliased(Account)
_POSTINGS = (
    select(Entry.transaction_id, _DEBIT.code, _CREDIT.code, Entry.amount)
    .join(_DEBIT, _DEBIT.id == Entry.debit_account)
    .join(_CREDIT, _CREDIT.id == Entry.credit_account)
    .where(Entry.transaction_id.in_(bindparam("ids", expanding=True)))
    .order_by(Entry.transaction_id, Entry.seq)
)


def _postings(session: Session, ids: Sequence[UUID]) -> dict[UUID, list[Posting]]:
    found: dict[UUID, list[Posting]] = {}
    for transaction_id, debited, credited, amount in session.execute(_POSTINGS, {"ids": ids}):
        found.setdefault(transaction_id, []).append(Posting(debited, credited, amount))
    return found


def _record(row: Transaction, postings: Sequence[Posting]) -> TransactionRecord:
    return TransactionRecord(
        id=row.id,
        kind=row.kind,
        key=row.key,
        effective_at=row.effective_at,
        recorded_at=row.recorded_at,
        postings=postings,
        settles=row.settles,
        reverses=row.reverses,
        reference=row.reference,
        metadata=row.metadata_,
        commitment=row.commitment,
    )
