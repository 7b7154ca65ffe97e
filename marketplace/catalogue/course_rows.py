"""The rows of a catalogue file, whatever kind of file it is: good, or refused and why.

Nothing here knows the database. A file is unusable (`CatalogueFileError`) when its rows cannot be told
apart or its columns are not ours; that can show on any line, so book nothing before the last row has been
read, or roll back.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, TypeAlias, TypeVar

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
MAX_ROWS = 500_000  # bounds the memory that finding repeated ids and reporting refused rows needs
_TEXT_COLUMNS = ("title", "provider", "category", "description")

T = TypeVar("T")


class CatalogueFileError(MarketplaceError):
    """The file as a whole cannot be used. `details["line"]` is where that showed (1 is the header).

    `details["fault"]` is stable and has English words in csv_words; `details["reason"]` is Indonesian.
    """

    code: ClassVar[str] = "catalogue_file_unusable"

    def __init__(self, fault: str, reason: str, line: int = 1) -> None:
        super().__init__(f"baris {line}: {reason}", line=line, fault=fault, reason=reason)


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
class Terms:
    """What the caller decided about the whole file: prices are whole rupiah, at most `price_ceiling`; a blank
    provider is read as `provider`, or refused when that is blank too; `optional` columns may be missing."""

    price_ceiling: Decimal = PRICE_CEILING
    provider: str = ""
    optional: frozenset[str] = frozenset()
    most_rows: int = MAX_ROWS


class Unreadable(str):
    """A cell without a value of its own (a formula, an error): refused, whatever its column takes."""

    code: str
    reason: str

    def __new__(cls, shown: str, code: str, reason: str) -> "Unreadable":
        made = super().__new__(cls, shown)
        made.code, made.reason = code, reason
        return made


Record: TypeAlias = tuple[int, list[str] | Problem]
"""The line on which a row starts, and its cells (none: an empty line) or what is wrong with all of it."""


Table: TypeAlias = tuple[list[str], Iterator[Record]]
"""The header of a file, and what is below it."""


def read_courses(table: Table, terms: Terms) -> Iterator[CourseRow | RowProblem]:
    """Each row below the header, in the file's order. Raises CatalogueFileError."""
    check_header(table[0], COLUMNS, terms.optional)
    first_seen: dict[str, int] = {}
    for row in read_rows(table, terms.optional, terms.most_rows):
        if isinstance(row, RowProblem):
            yield row
            continue
        course = _read_course(row, terms)
        if course.source_id and (first := first_seen.setdefault(course.source_id, row.line)) != row.line:
            row.refuse("source_id", "duplicate_id", f"sudah dipakai di baris {first}")
        yield RowProblem(row.line, tuple(row.problems)) if row.problems else course


def read_rows(table: Table, optional: Collection[str], most_rows: int) -> Iterator["Row | RowProblem"]:
    """The cells of each row that is not empty, or why it is none. Raises CatalogueFileError for too many."""
    header, records = table
    rows = 0
    for line, record in records:
        rows += bool(record)
        if isinstance(record, Problem):
            yield RowProblem(line, (record,))
        elif record and len(record) != len(header):
            reason = f"berisi {len(record)} sel, seharusnya {len(header)}; periksa koma dan tanda kutip"
            yield RowProblem(line, (Problem(line, "", "", "ragged_row", reason),))
        elif record:
            yield Row(line, dict.fromkeys(optional, "") | dict(zip(header, record, strict=True)))
        if rows > most_rows:
            reason = f"lebih dari {most_rows} baris data; bagi menjadi beberapa berkas"
            raise CatalogueFileError("too_many_rows", reason, line)


def check_header(header: list[str], columns: Sequence[str], optional: Collection[str]) -> None:
    """Raise CatalogueFileError unless these are the columns, in any order; optional ones may be missing."""
    wanted = set(columns) - set(optional)
    if not wanted <= set(header) <= set(columns) or len(set(header)) != len(header):
        raise CatalogueFileError("columns", _header_fault(header, columns, optional))


def _header_fault(header: list[str], columns: Sequence[str], optional: Collection[str]) -> str:
    """What differs from the columns that such a file has."""
    faults = {
        "tidak ada": [column for column in columns if column not in {*header, *optional}],
        "tidak dikenal": sorted({cells.shown(column) for column in header if column not in columns}),
        "berulang": sorted({column for column in header if column in columns and header.count(column) > 1}),
    }
    found = "; ".join(f"{words}: {', '.join(names[:20])}" for words, names in faults.items() if names)
    return f"kolom tidak sesuai ({found}). Yang diharapkan: {','.join(columns)}"


def _read_course(row: "Row", terms: Terms) -> CourseRow:
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


def _notice_oddities(row: "Row") -> None:
    for column in _TEXT_COLUMNS:
        if cells.looks_like_formula(row.text(column)):
            row.notice(column, "formula", "diawali = + - atau @; disimpan sebagai teks biasa")
    if cells.has_html(row.text("description")):
        row.notice("description", "html_removed", "tag HTML dibuang; hanya teksnya yang disimpan")


class Row:
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
        cell = self._record[column]
        if isinstance(cell, Unreadable):
            self.refuse(column, cell.code, cell.reason)
            return otherwise
        try:
            cells.check_characters(cell)
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
