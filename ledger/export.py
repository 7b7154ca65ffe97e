"""The books in forms that other programs read: beancount, hledger, CSV.

Each begins with opening balances and ends with an assertion of every closing balance, which the database
sums by itself: `bean-check` and `hledger check --strict` find a line that is missing. Read inside one
REPEATABLE READ transaction, or what is written meanwhile will not fit. Amounts as debits positive.
"""

import csv
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from io import StringIO
from itertools import groupby
from typing import Any, TypeAlias

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

_BATCH = 2000
_DAY = timedelta(days=1)
_ROOTS = {
    "asset": "Assets",
    "liability": "Liabilities",
    "equity": "Equity",
    "income": "Income",
    "expense": "Expenses",
}
# a spreadsheet would take these for the beginning of a formula
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_ACCOUNTS = """
SELECT a.code, a.kind, a.currency, coalesce(sum(m.amount), 0)::numeric(20, 2) AS closing,
    coalesce(sum(m.amount) FILTER (WHERE m.is_before), 0)::numeric(20, 2) AS opening
FROM ledger.account a LEFT JOIN (
    SELECT s.account_id, s.amount,
        t.effective_at < coalesce(CAST(:start AS timestamptz), '-infinity') AS is_before
    FROM (
        SELECT transaction_id, debit_account AS account_id, amount FROM ledger.posting
        UNION ALL SELECT transaction_id, credit_account, -amount FROM ledger.posting
    ) s JOIN ledger.transaction t ON t.id = s.transaction_id
    WHERE t.effective_at < coalesce(CAST(:end AS timestamptz), 'infinity')
) m ON m.account_id = a.id
GROUP BY a.id ORDER BY a.code
"""
_SPAN = """
SELECT min(t.effective_at) AS first, max(t.effective_at) AS last, count(*) AS transactions
FROM ledger.transaction t
WHERE t.effective_at >= coalesce(CAST(:start AS timestamptz), '-infinity')
    AND t.effective_at < coalesce(CAST(:end AS timestamptz), 'infinity')
"""
_LINES = """
SELECT t.id, t.kind, t.key, t.reference, t.effective_at, p.seq, p.amount, d.currency,
    d.code AS debit, d.kind AS debit_kind, c.code AS credit, c.kind AS credit_kind
FROM ledger.transaction t JOIN ledger.posting p ON p.transaction_id = t.id
JOIN ledger.account d ON d.id = p.debit_account JOIN ledger.account c ON c.id = p.credit_account
WHERE t.effective_at >= coalesce(CAST(:start AS timestamptz), '-infinity')
    AND t.effective_at < coalesce(CAST(:end AS timestamptz), 'infinity')
ORDER BY t.effective_at, t.id, p.seq
"""

Legs: TypeAlias = Sequence[Row[Any]]


@dataclass(frozen=True, slots=True)
class Books:
    """What an export is made of: its first and last day, every account, and the transactions in order."""

    first: date
    last: date
    zone: tzinfo
    accounts: Sequence[Row[Any]]
    transactions: Iterator[Legs]

    def day(self, at: datetime) -> date:
        """The day of an instant where the books are kept."""
        return at.astimezone(self.zone).date()


def export_books(
    session: Session,
    form: str,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    zone: tzinfo = UTC,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[str]:
    """Yield the lines of an export with effective dates in [start, end): ``beancount``, ``hledger``, ``csv``.

    Days are those of ``zone``; start and end are midnights there. ``progress`` is told now and then how many
    transactions are written, and of how many. Raises KeyError for another form.
    """
    write = _WRITERS[form]
    span = {"start": start, "end": end}
    moments = session.execute(text(_SPAN), span).one()
    first = start or moments.first or datetime.now(zone)
    last = end - _DAY if end else moments.last or first
    accounts = session.execute(text(_ACCOUNTS), span).all()
    with session.execute(text(_LINES), span, execution_options={"yield_per": _BATCH}) as rows:
        grouped = (list(group) for _, group in groupby(rows, key=lambda row: row.id))
        if progress is not None:
            grouped = _told(grouped, progress, moments.transactions)
        days = first.astimezone(zone).date(), last.astimezone(zone).date()
        yield from write(Books(*days, zone, accounts, grouped))


def _told(
    transactions: Iterator[list[Row[Any]]], progress: Callable[[int, int], None], total: int
) -> Generator[list[Row[Any]], None, None]:
    for number, legs in enumerate(transactions, start=1):
        yield legs
        if number % _BATCH == 0:
            progress(number, total)


def _beancount(books: Books) -> Iterator[str]:
    before, after = books.first - _DAY, books.last + _DAY
    for each in books.accounts:
        yield f"{before} open {_beancount_name(each.code, each.kind)} {each.currency}\n"
        yield f'  code: "{each.code}"\n'
    yield from _beancount_openings(books, before)
    for each in books.accounts:
        yield _beancount_assertion(books.first, each, each.opening)
    for legs in books.transactions:
        yield from _beancount_transaction(books.day(legs[0].effective_at), legs)
    for each in books.accounts:
        yield _beancount_assertion(after, each, each.closing)


def _beancount_openings(books: Books, day: date) -> Iterator[str]:
    opened = [each for each in books.accounts if each.opening]
    if opened:
        yield f'\n{day} * "opening balances"\n'
    for each in opened:
        yield f"  {_beancount_name(each.code, each.kind)}  {each.opening} {each.currency}\n"


def _beancount_transaction(day: date, legs: Legs) -> Iterator[str]:
    head = legs[0]
    yield f'\n{day} * "{head.kind}"\n  id: "{head.id}"\n  key: "{_quoted(head.key)}"\n'
    if head.reference is not None:
        yield f'  reference: "{_quoted(head.reference)}"\n'
    for leg in legs:
        yield f"  {_beancount_name(leg.debit, leg.debit_kind)}  {leg.amount} {leg.currency}\n"
        yield f"  {_beancount_name(leg.credit, leg.credit_kind)}  {-leg.amount} {leg.currency}\n"


def _beancount_assertion(day: date, account: Row[Any], amount: Decimal) -> str:
    """Exact: by itself beancount would let a difference of one hundredth pass."""
    name = _beancount_name(account.code, account.kind)
    return f"{day} balance {name}  {amount} ~ 0.00 {account.currency}\n"


def _beancount_name(code: str, kind: str) -> str:
    """An account's name: each part begins with a capital, and no two codes have the same one."""
    parts = (each.replace("-", "--").replace("_", "-u").replace(".", "-d") for each in code.split(":"))
    return ":".join([_ROOTS[kind], *(each[0].upper() + each[1:] for each in parts)])


def _quoted(words: str) -> str:
    return words.replace("\\", "\\\\").replace('"', '\\"')


def _hledger(books: Books) -> Iterator[str]:
    for currency in sorted({each.currency for each in books.accounts}):
        yield f"commodity {currency} 1000.00\n"
    for each in books.accounts:
        yield f"account {_hledger_name(each.code, each.kind)}\n"
    yield f"\n{books.first} * opening balances\n"
    for each in books.accounts:
        yield _hledger_line(each.code, each.kind, each.currency, each.opening, each.opening)
    for legs in books.transactions:
        # a key may hold a semicolon, which begins a comment, so only ids stand here
        yield f"\n{books.day(legs[0].effective_at)} * ({legs[0].id}) {legs[0].kind}\n"
        for leg in legs:
            yield _hledger_line(leg.debit, leg.debit_kind, leg.currency, leg.amount)
            yield _hledger_line(leg.credit, leg.credit_kind, leg.currency, -leg.amount)
    yield f"\n{books.last} * closing balances\n"
    for each in books.accounts:
        yield _hledger_line(each.code, each.kind, each.currency, Decimal("0.00"), each.closing)


def _hledger_line(
    code: str, kind: str, currency: str, amount: Decimal, asserted: Decimal | None = None
) -> str:
    assertion = "" if asserted is None else f" = {currency} {asserted}"
    return f"    {_hledger_name(code, kind)}  {currency} {amount}{assertion}\n"


def _hledger_name(code: str, kind: str) -> str:
    return f"{_ROOTS[kind].lower()}:{code}"


def _csv(books: Books) -> Iterator[str]:
    yield _csv_line(
        "record", "date", "transaction", "kind", "key", "reference", "debit", "credit", "amount", "currency"
    )
    for each in books.accounts:
        yield _csv_balance("opening", books.first, each, each.opening)
    for legs in books.transactions:
        day = books.day(legs[0].effective_at)
        for leg in legs:
            head = (day, leg.id, leg.kind, _harmless(leg.key), _harmless(leg.reference or ""))
            yield _csv_line("posting", *head, leg.debit, leg.credit, leg.amount, leg.currency)
    for each in books.accounts:
        yield _csv_balance("closing", books.last, each, each.closing)


def _csv_balance(record: str, day: date, account: Row[Any], amount: Decimal) -> str:
    """A balance stands on its side: a credit balance under credit, as a positive amount."""
    sides = (account.code, "") if amount >= 0 else ("", account.code)
    return _csv_line(record, day, "", "", "", "", *sides, abs(amount), account.currency)


def _csv_line(*cells: object) -> str:
    line = StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


def _harmless(words: str) -> str:
    return "'" + words if words.startswith(_FORMULA) else words


_WRITERS: dict[str, Callable[[Books], Iterator[str]]] = {
    "beancount": _beancount,
    "hledger": _hledger,
    "csv": _csv,
}
EXPORT_FORMS = tuple(_WRITERS)
