"""camt.053: what really happened on the treasury account, by the bank's own books."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from marketplace.payouts.iso20022.elements import (
    Element,
    open_message,
    read_amount,
    read_date,
    read_instant,
)

_UNKNOWN = "NOTPROVIDED"
_OPENING = ("OPBD", "PRCD")
_CLOSING = ("CLBD",)
_MOST_DIGITS = 18


@dataclass(frozen=True, slots=True)
class StatementEntry:
    """One line. `amount` is signed: positive came in, negative went out.

    `reference` is the bank's own and the same whenever the bank repeats the line; a bank that gives
    none gets one made of the statement's id and the line's place. `return_reason` is set when
    the bank gives a payment back (`end_to_end_id` is then that payment's). `repeats` marks a line that
    stands in this statement a second time: it did not move money again.
    """

    line: int
    reference: str
    amount: Decimal
    booked_on: date
    end_to_end_id: str | None
    return_reason: str | None
    is_reversal: bool
    remittance: str
    repeats: bool = False

    @property
    def is_return(self) -> bool:
        return self.return_reason is not None and self.amount > 0


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of one account; balances are signed, and opening + lines = closing has been checked."""

    file: str
    id: str
    number: int | None
    account: str
    start: date
    end: date
    opening: Decimal
    closing: Decimal
    entries: tuple[StatementEntry, ...]


def read_statements(
    content: bytes, file: str, *, currency: str = "IDR", decimals: int = 0
) -> list[Statement]:
    """All statements of a camt.053 document, in its order.

    `decimals` is the precision that amounts may have: whole rupiah for the programme. Raises
    BankFileError, naming file and element, also when a statement's lines do not lead from its
    opening to its closing balance: then nothing of the file may be booked.
    """
    message = open_message(content, file, "BkToCstmrStmt")
    reader = _Reader(currency, decimals)
    statements = [reader.statement(element) for element in message.each("Stmt")]
    if not statements:
        raise message.error("no statement (Stmt) in the file")
    return statements


@dataclass(frozen=True, slots=True)
class _Reader:
    currency: str
    decimals: int

    def statement(self, element: Element) -> Statement:
        identifier = element.text("Id")
        opening, opened_on = self._balance(element, _OPENING)
        closing, closed_on = self._balance(element, _CLOSING)
        start, end = _period(element, opened_on, closed_on)
        entries = tuple(_mark_repeats(self._lines(element, identifier)))
        statement = Statement(
            file=element.file,
            id=identifier,
            number=_number(element),
            account=element.text("Acct/Id/IBAN", "Acct/Id/Othr/Id"),
            start=start,
            end=end,
            opening=opening,
            closing=closing,
            entries=entries,
        )
        _check_sums(element, statement)
        return statement

    def _balance(self, statement: Element, codes: tuple[str, ...]) -> tuple[Decimal, date]:
        balances = {element.find_text("Tp/CdOrPrtry/Cd"): element for element in statement.each("Bal")}
        for code in codes:
            if element := balances.get(code):
                return self._signed(element), read_date(element, "Dt")
        raise statement.error(f"no balance {' or '.join(codes)}")

    def _lines(self, statement: Element, identifier: str) -> Iterator[StatementEntry]:
        line = 0
        for entry in statement.each("Ntry"):
            for parsed in self._entry(entry):
                line += 1
                yield replace(parsed, line=line, reference=parsed.reference or f"{identifier}#{line}")

    def _entry(self, entry: Element) -> list[StatementEntry]:
        """One line, or one per payment when the bank booked several as a batch."""
        status = entry.find_text("Sts/Cd", "Sts")
        if status != "BOOK":
            raise entry.error(f"entry status {status}: a statement holds booked entries only")
        amount = self._signed(entry)
        details = [detail for group in entry.each("NtryDtls") for detail in group.each("TxDtls")]
        if len(details) < 2:
            return [self._line(entry, details[0] if details else None, amount)]
        amounts = [self._signed(detail, entry) for detail in details]
        if sum(amounts) != amount:
            raise entry.error(f"its payments add up to {sum(amounts)}, not to {amount}")
        return [
            self._line(entry, detail, part, f"/{number}")
            for number, (detail, part) in enumerate(zip(details, amounts, strict=True), start=1)
        ]

    def _line(
        self, entry: Element, detail: Element | None, amount: Decimal, suffix: str = ""
    ) -> StatementEntry:
        own = entry.find_text("AcctSvcrRef", "NtryRef")
        return StatementEntry(
            line=0,
            reference=f"{own}{suffix}" if own else (_find(detail, "Refs/AcctSvcrRef") or ""),
            amount=amount,
            booked_on=read_date(entry, "BookgDt"),
            end_to_end_id=_end_to_end_id(detail),
            return_reason=_return_reason(detail),
            is_reversal=entry.find_text("RvslInd") in ("true", "1"),
            remittance=_remittance(entry, detail),
        )

    def _signed(self, element: Element, fallback: Element | None = None) -> Decimal:
        amount = read_amount(element, "Amt", self.currency, self.decimals)
        direction = element.find_text("CdtDbtInd") or (fallback and fallback.find_text("CdtDbtInd"))
        if direction not in ("CRDT", "DBIT"):
            raise element.error(f"CdtDbtInd {direction!r} is neither CRDT nor DBIT")
        return amount if direction == "CRDT" else -amount


def _number(statement: Element) -> int | None:
    text = statement.find_text("ElctrncSeqNb", "LglSeqNb")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise statement.error(f"statement number {text!r} is not a number of at most {_MOST_DIGITS} digits")
    return int(text)


def _period(statement: Element, opened_on: date, closed_on: date) -> tuple[date, date]:
    """From-to as stated, else the days of the two balances."""
    period = statement.find("FrToDt")
    if period is None:
        return opened_on, closed_on
    start, end = read_instant(period, "FrDtTm").date(), read_instant(period, "ToDtTm").date()
    if end < start:
        raise period.error(f"the period ends {end}, before it starts {start}")
    return start, end


def _mark_repeats(entries: Iterable[StatementEntry]) -> Iterator[StatementEntry]:
    seen: dict[str, StatementEntry] = {}
    for entry in entries:
        first = seen.setdefault(entry.reference, entry)
        same = replace(entry, line=first.line) == first
        yield replace(entry, repeats=entry is not first and same)


def _check_sums(element: Element, statement: Statement) -> None:
    moved = sum((entry.amount for entry in statement.entries if not entry.repeats), Decimal(0))
    expected = statement.opening + moved
    if expected != statement.closing:
        raise element.error(
            f"opening {statement.opening} and lines {moved} make {expected}, "
            f"but the closing balance is {statement.closing}: {statement.closing - expected} unexplained"
        )


def _find(detail: Element | None, *paths: str) -> str | None:
    return detail.find_text(*paths) if detail is not None else None


def _end_to_end_id(detail: Element | None) -> str | None:
    found = _find(detail, "Refs/EndToEndId")
    return None if found == _UNKNOWN else found


def _return_reason(detail: Element | None) -> str | None:
    if detail is None or detail.find("RtrInf") is None:
        return None
    return detail.find_text("RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry") or "NARR"


def _remittance(entry: Element, detail: Element | None) -> str:
    """The payer's words: the unstructured lines, else the creditor's reference, else the bank's note."""
    information = detail.find("RmtInf") if detail is not None else None
    if information is not None:
        lines = [line.bounded((line.node.text or "").strip()) for line in information.each("Ustrd")]
        text = " ".join(filter(None, lines)) or information.find_text("Strd/CdtrRefInf/Ref")
        if text:
            return text
    return _find(detail, "AddtlTxInf") or entry.find_text("AddtlNtryInf") or ""
