"""A signed attendance list as a CSV file: read, and each row found in the run or refused with its reason.

Nothing is recorded here. A list has a head with `Nomor bukti` and perhaps `Hadir`; without the latter
everybody named was there. Other columns are for people.
"""

import csv
import io
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from marketplace.enrolments.models import Enrolment

RECEIPT, PRESENT = "nomor bukti", "hadir"
_RECEIPT_NAMES = {RECEIPT, "receipt", "receipt number"}
_PRESENT_NAMES = {PRESENT, "present", "attended"}
_YES = {"ya", "y", "x", "1", "v", "✓", "hadir", "yes", "true"}
_NO = {"", "tidak", "t", "0", "-", "–", "no", "false"}
_DELIMITERS = ",;\t"
MOST_ROWS = 2_000
_SHOWN = 60


class Fault(StrEnum):
    """What is wrong with a file or with one of its rows."""

    NOT_TEXT = "not_text"
    EMPTY = "empty"
    NO_RECEIPTS = "no_receipts"
    TOO_LONG = "too_long"
    UNKNOWN_RECEIPT = "unknown_receipt"
    DOUBLED = "doubled"
    ENDED = "ended"
    UNCLEAR = "unclear"
    RAGGED = "ragged"


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault with its place: line as a text editor counts, the column's head, and what stands there."""

    fault: Fault
    line: int = 0
    column: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class SignedList:
    """Who was there according to the file, and everything that was refused."""

    present: Sequence[uuid.UUID] = ()
    problems: Sequence[Problem] = ()


@dataclass(slots=True)
class _Reading:
    present: list[uuid.UUID] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)


def read_signed_list(content: bytes, enrolments: Sequence[Enrolment]) -> SignedList:
    """Who of these enrolments a file names as present. Never raises for anything that a file can hold."""
    text = _text(content)
    if text is None:
        return _refused(Fault.NOT_TEXT)
    rows = _rows(text)
    head = [cell.strip().lower() for cell in next(rows, (0, []))[1]]
    if not any(head):
        return _refused(Fault.EMPTY)
    places = {name: place for place, name in enumerate(head)}
    receipt_at = next((places[name] for name in _RECEIPT_NAMES if name in places), None)
    if receipt_at is None:
        return _refused(Fault.NO_RECEIPTS)
    present_at = next((places[name] for name in _PRESENT_NAMES if name in places), None)
    known = {each.receipt_number.upper(): each for each in enrolments}
    reading = _Reading()
    for number, (line, cells) in enumerate(rows, 1):
        if number > MOST_ROWS:
            reading.problems.append(Problem(Fault.TOO_LONG, line))
            break
        if any(cell.strip() for cell in cells):
            _take(reading, known, line, cells, (receipt_at, present_at))
    return SignedList(reading.present, reading.problems)


def _take(
    reading: _Reading,
    known: Mapping[str, Enrolment],
    line: int,
    cells: Sequence[str],
    places: tuple[int, int | None],
) -> None:
    receipt_at, present_at = places
    if max(receipt_at, present_at or 0) >= len(cells):
        reading.problems.append(Problem(Fault.RAGGED, line))
        return
    receipt = cells[receipt_at].strip().lstrip("'").upper()
    enrolment = known.get(receipt)
    mark = "ya" if present_at is None else cells[present_at].strip().lower()
    if enrolment is None:
        reading.problems.append(Problem(Fault.UNKNOWN_RECEIPT, line, RECEIPT, receipt[:_SHOWN]))
    elif receipt in reading.seen:
        reading.problems.append(Problem(Fault.DOUBLED, line, RECEIPT, receipt))
    elif mark not in _YES | _NO:
        reading.problems.append(Problem(Fault.UNCLEAR, line, PRESENT, mark[:_SHOWN]))
    elif mark in _YES and not enrolment.is_live:
        reading.problems.append(Problem(Fault.ENDED, line, RECEIPT, receipt))
    elif mark in _YES:
        reading.present.append(enrolment.id)
    reading.seen.add(receipt)


def _refused(fault: Fault) -> SignedList:
    return SignedList((), (Problem(fault),))


def _text(content: bytes) -> str | None:
    """As UTF-8, with or without its mark; a spreadsheet, a picture and other encodings are no text."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return None if "\x00" in text else text


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line on which it ends. A quote that is never closed swallows the rest as one cell."""
    first = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error:
        yield reader.line_num, ["\ufffd"]
