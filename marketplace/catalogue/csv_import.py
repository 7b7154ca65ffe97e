"""Reads a catalogue file: rows that are good, rows that are not and why, or a file of no use.

Nothing here knows the database. A file is read as a stream, so its size does not matter; what one
row may hold is limited, so that a forgotten quotation mark cannot swallow the rest of the file into
memory. A file is unusable (`CatalogueFileError`) when its rows cannot be told apart or its columns are
not ours; that can show on any line, so book nothing before the last row has been read, or roll back.
"""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import ClassVar, TextIO, TypeVar

from marketplace.catalogue import csv_cells as cells
from marketplace.errors import MarketplaceError

COLUMNS = (
    "source_id",
    "title",
    "provider",
    "category",
    "mode",
    "level",
    "hours",
    "price_idr",
    "rating",
    "rating_count",
    "description",
    "language",
)
# dearer than any course on offer: a price above it has lost its decimal point or gained zeros
PRICE_CEILING = Decimal(1_000_000_000)
MAX_ROW_CHARACTERS = (
    100_000  # below the csv module's own field limit (131.072), which another caller may raise
)
MAX_ROWS = 500_000  # bounds the memory that finding repeated ids and reporting refused rows needs
_TEXT_COLUMNS = ("title", "provider", "category", "description")

T = TypeVar("T")


class CatalogueFileError(MarketplaceError):
    """The file as a whole cannot be used. `details["line"]` is where that showed (1 is the header)."""

    code: ClassVar[str] = "catalogue_file_unusable"

    def __init__(self, reason: str, line: int = 1) -> None:
        super().__init__(f"baris {line}: {reason}", line=line, reason=reason)


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault: where, what stood there (shortened, printable) and why it will not do.

    `line` is the line of the file on which the row starts, counted from 1 as editors do. `column` is
    empty when the row as a whole is at fault. `code` is stable; `reason` is Indonesian.
    """

    line: int
    column: str
    value: str
    code: str
    reason: str

    def describe(self) -> str:
        """`baris 12, price_idr, “$1,575.00”: memakai lambang mata uang lain; …`"""
        place = f"baris {self.line}, {self.column}" if self.column else f"baris {self.line}"
        return f"{place}, “{self.value}”: {self.reason}" if self.value else f"{place}: {self.reason}"


@dataclass(frozen=True, slots=True)
class CourseRow:
    """A row that may be booked. Text is plain and must be escaped on output; blanks are "" or None.

    `notices` are for a person to look at (tags removed, text like a formula); they refuse nothing.
    """

    line: int
    source_id: str
    title: str
    provider: str
    category: str
    mode: str | None
    level: str | None
    hours: int | None
    price: Decimal
    rating: Decimal | None
    rating_count: int
    description: str
    language: str
    notices: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class RowProblem:
    """A row that is refused, with every fault found in it."""

    line: int
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Terms:
    """What the caller decided about the whole file."""

    price_ceiling: Decimal
    provider: str


def read_catalogue(
    path: Path, *, price_ceiling: Decimal = PRICE_CEILING, provider: str = ""
) -> Iterator[CourseRow | RowProblem]:
    """Yield each row of a catalogue file, good or refused, in the file's order.

    Prices are whole rupiah, at most `price_ceiling`. A blank provider is read as `provider`, or
    refused when that is blank too. Raises CatalogueFileError, at the first step
    for a file that cannot be opened or has other columns, later where the file loses its shape.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
            yield from _read(stream, _Terms(price_ceiling, provider))
    except OSError as error:
        raise CatalogueFileError(f"berkas tidak dapat dibuka ({error.strerror})") from error


def _read(stream: TextIO, terms: _Terms) -> Iterator[CourseRow | RowProblem]:
    lines = _Lines(stream)
    records = csv.reader(lines, strict=True)
    header = _read_header(records, lines)
    first_seen: dict[str, int] = {}
    rows = 0
    while (read := _next_record(records, lines)) is not None:
        line, record = read
        rows += bool(record)
        if isinstance(record, Problem):
            yield RowProblem(line, (record,))
        elif record:
            yield _read_record(line, dict(zip(header, record, strict=False)), len(record), first_seen, terms)
        if rows > MAX_ROWS:
            raise CatalogueFileError(f"lebih dari {MAX_ROWS} baris data; bagi menjadi beberapa berkas", line)


class _Lines:
    """The physical lines of a file, with a limit on how much one row may take."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._left = MAX_ROW_CHARACTERS
        self._start = 1
        self._read = 0

    def start_row(self) -> int:
        """Begin a row; returns the number of its first line."""
        self._left = MAX_ROW_CHARACTERS
        self._start = self._read + 1
        return self._start

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._stream.readline(self._left + 1)
        if not line:
            raise StopIteration
        self._read += 1
        self._left -= len(line)
        if self._left < 0:
            limit = f"{MAX_ROW_CHARACTERS:,}".replace(",", ".")
            reason = f"satu baris data lebih dari {limit} karakter; tanda kutip belum ditutup?"
            raise CatalogueFileError(reason, self._start)
        return line


def _next_record(records: Iterator[list[str]], lines: _Lines) -> tuple[int, list[str] | Problem] | None:
    """The next row with its first line, a Problem where its quotes are wrong, None at the end."""
    line = lines.start_row()
    try:
        return line, next(records)
    except StopIteration:
        return None
    except csv.Error as error:
        if "unexpected end" in str(error):
            raise CatalogueFileError("tanda kutip yang dibuka di sini tidak pernah ditutup", line) from error
        reason = 'tanda kutip salah tempat; apit sel dengan " dan tulis " di dalamnya dua kali'
        return line, Problem(line, "", "", "quotes", reason)


def _read_header(records: Iterator[list[str]], lines: _Lines) -> list[str]:
    """The file's columns in the file's order. Raises CatalogueFileError unless they are ours."""
    read = _next_record(records, lines)
    if read is None or isinstance(read[1], Problem):
        raise CatalogueFileError("berkas kosong atau bukan CSV")
    header = [cell.strip() for cell in read[1]]
    _refuse_other_formats("".join(header))
    if sorted(header) != sorted(COLUMNS):
        raise CatalogueFileError(_header_fault(header))
    return header


def _refuse_other_formats(header: str) -> None:
    """Name the usual mistakes, so that the operator knows what to do about them."""
    if header.startswith("PK\x03\x04"):
        raise CatalogueFileError("ini buku kerja Excel; simpan sebagai “CSV UTF-8”")
    if "\0" in header or header.startswith(("\udcff\udcfe", "\udcfe\udcff")):
        raise CatalogueFileError("berkas UTF-16 atau biner; simpan ulang sebagai “CSV UTF-8”")
    if any("\ud800" <= character <= "\udfff" for character in header):
        raise CatalogueFileError("berkas bukan UTF-8; simpan ulang sebagai “CSV UTF-8”")
    for separator, called in ((";", "titik koma"), ("\t", "tab")):
        if header.count(separator) >= len(COLUMNS) - 1:
            raise CatalogueFileError(f"kolom dipisahkan {called}; gunakan koma")


def _header_fault(header: list[str]) -> str:
    """What differs from the columns that a catalogue has."""
    faults = {
        "tidak ada": [column for column in COLUMNS if column not in header],
        "tidak dikenal": sorted({cells.shown(column) for column in header if column not in COLUMNS}),
        "berulang": sorted({column for column in header if column in COLUMNS and header.count(column) > 1}),
    }
    found = "; ".join(f"{words}: {', '.join(columns[:20])}" for words, columns in faults.items() if columns)
    return f"kolom tidak sesuai ({found}). Yang diharapkan: {','.join(COLUMNS)}"


def _read_record(
    line: int, record: dict[str, str], width: int, first_seen: dict[str, int], terms: _Terms
) -> CourseRow | RowProblem:
    if width != len(COLUMNS):
        reason = f"berisi {width} sel, seharusnya {len(COLUMNS)}; periksa koma dan tanda kutip"
        return RowProblem(line, (Problem(line, "", "", "ragged_row", reason),))
    row = _Row(line, record)
    course = _read_course(row, terms)
    if course.source_id and (first := first_seen.setdefault(course.source_id, line)) != line:
        row.refuse("source_id", "duplicate_id", f"sudah dipakai di baris {first}")
    return RowProblem(line, tuple(row.problems)) if row.problems else course


def _read_course(row: "_Row", terms: _Terms) -> CourseRow:
    """Read every cell, so that all of a row's faults are reported at once."""
    _notice_oddities(row)
    return CourseRow(
        line=row.line,
        source_id=row.read("source_id", cells.identifier, ""),
        title=row.read("title", cells.name(200), ""),
        provider=row.read("provider", cells.name(200, required=not terms.provider), "") or terms.provider,
        category=row.read("category", cells.name(120, required=False), ""),
        mode=row.read("mode", cells.choice(cells.MODES), None),
        level=row.read("level", cells.choice(cells.LEVELS), None),
        hours=row.read("hours", cells.hours, None),
        price=row.read("price_idr", cells.price(terms.price_ceiling), Decimal(0)),
        rating=row.read("rating", cells.rating, None),
        rating_count=row.read("rating_count", cells.rating_count, 0),
        description=row.read("description", cells.description(10_000), ""),
        language=row.read("language", cells.language, "id"),
        notices=tuple(row.notices),
    )


def _notice_oddities(row: "_Row") -> None:
    for column in _TEXT_COLUMNS:
        if cells.looks_like_formula(row.text(column)):
            row.notice(column, "formula", "diawali = + - atau @; disimpan sebagai teks biasa")
    if cells.has_html(row.text("description")):
        row.notice("description", "html_removed", "tag HTML dibuang; hanya teksnya yang disimpan")


class _Row:
    """The cells of one row, and what was found wrong with them."""

    def __init__(self, line: int, record: dict[str, str]) -> None:
        self.line = line
        self.problems: list[Problem] = []
        self.notices: list[Problem] = []
        self._record = record

    def text(self, column: str) -> str:
        return self._record[column].strip()

    def read(self, column: str, parse: Callable[[str], T], otherwise: T) -> T:
        """The cell's value; `otherwise` when it is refused, which `problems` then says."""
        try:
            cells.check_characters(self._record[column])
            return parse(self.text(column))
        except cells.CellError as error:
            self.refuse(column, error.code, error.reason)
            return otherwise

    def refuse(self, column: str, code: str, reason: str) -> None:
        self.problems.append(self._problem(column, code, reason))

    def notice(self, column: str, code: str, reason: str) -> None:
        self.notices.append(self._problem(column, code, reason))

    def _problem(self, column: str, code: str, reason: str) -> Problem:
        return Problem(self.line, column, cells.shown(self._record[column]), code, reason)
