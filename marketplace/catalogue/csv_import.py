"""Reads a catalogue file in CSV: see course_rows for what comes out of it.

A file is read as a stream, so its size does not matter; what one row may hold is limited, so that a
forgotten quotation mark cannot swallow the rest of the file into memory.
"""

import csv
import io
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import TextIO

from marketplace.catalogue.course_rows import (
    COLUMNS,
    MAX_ROWS,
    PRICE_CEILING,
    CatalogueFileError,
    CourseRow,
    Problem,
    Record,
    RowProblem,
    Table,
    Terms,
    read_courses,
)

__all__ = [
    "COLUMNS", "MAX_ROWS", "PRICE_CEILING", "CatalogueFileError", "CourseRow", "Problem", "RowProblem",
    "csv_table", "read_catalogue",
]  # fmt: skip

MAX_ROW_CHARACTERS = (
    100_000  # below the csv module's own field limit (131.072), which another caller may raise
)
_FEWEST_COLUMNS = 8


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
            yield from read_courses(_table(stream), Terms(price_ceiling, provider, most_rows=MAX_ROWS))
    except OSError as error:
        raise CatalogueFileError("not_opened", f"berkas tidak dapat dibuka ({error.strerror})") from error


def csv_table(content: bytes) -> Table:
    """The header and the rows of a file that is in memory already. Raises CatalogueFileError."""
    stream = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", errors="surrogateescape", newline="")
    return _table(stream)


def _table(stream: TextIO) -> Table:
    lines = _Lines(stream)
    records = csv.reader(lines, strict=True)
    header = _read_header(records, lines)
    return header, iter(lambda: _next_record(records, lines), None)


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
            raise CatalogueFileError("endless_row", reason, self._start)
        return line


def _next_record(records: Iterator[list[str]], lines: _Lines) -> Record | None:
    """The next row with its first line, a Problem where its quotes are wrong, None at the end."""
    line = lines.start_row()
    try:
        return line, next(records)
    except StopIteration:
        return None
    except csv.Error as error:
        if "unexpected end" in str(error):
            words = "tanda kutip yang dibuka di sini tidak pernah ditutup"
            raise CatalogueFileError("quote_left_open", words, line) from error
        reason = 'tanda kutip salah tempat; apit sel dengan " dan tulis " di dalamnya dua kali'
        return line, Problem(line, "", "", "quotes", reason)


def _read_header(records: Iterator[list[str]], lines: _Lines) -> list[str]:
    """The file's columns in the file's order. Raises CatalogueFileError where it is no CSV of ours."""
    read = _next_record(records, lines)
    if read is None or isinstance(read[1], Problem):
        raise CatalogueFileError("no_csv", "berkas kosong atau bukan CSV")
    header = [cell.strip() for cell in read[1]]
    _refuse_other_formats("".join(header))
    return header


def _refuse_other_formats(header: str) -> None:
    """Name the usual mistakes, so that the operator knows what to do about them."""
    if header.startswith("PK\x03\x04"):
        raise CatalogueFileError("workbook", "ini buku kerja Excel; simpan sebagai “CSV UTF-8”")
    if "\0" in header or header.startswith(("\udcff\udcfe", "\udcfe\udcff")):
        raise CatalogueFileError("binary", "berkas UTF-16 atau biner; simpan ulang sebagai “CSV UTF-8”")
    if any("\ud800" <= character <= "\udfff" for character in header):
        raise CatalogueFileError("file_not_utf8", "berkas bukan UTF-8; simpan ulang sebagai “CSV UTF-8”")
    for separator, fault, called in ((";", "semicolons", "titik koma"), ("\t", "tabs", "tab")):
        if header.count(separator) >= _FEWEST_COLUMNS - 1:
            raise CatalogueFileError(fault, f"kolom dipisahkan {called}; gunakan koma")
