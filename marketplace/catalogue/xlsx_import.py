"""Reads a catalogue file in XLSX: the first sheet, with the columns and the cells of the CSV.

A workbook is a ZIP of XML, so it is looked through before anything reads it: how many files, how large
they become, no document type (entities grow and reach outside), no password. Formulas are refused, since
what they come to was computed elsewhere; numbers and dates become the text that a CSV would hold.
"""

import io
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

from marketplace.catalogue.course_rows import CatalogueFileError, Record, Table, Unreadable

Cell = tuple[Any, str]
"""What a cell holds, and what kind of cell it says it is."""

MOST_BYTES = 30_000_000
MOST_FILES = 300
_MOST_LINES = 20_000
"""Also of empty ones: a sheet may claim a million of them in a few bytes."""
_MOST_COLUMNS = 60
_NOT_READ = (
    zipfile.BadZipFile, zlib.error, SyntaxError, KeyError, ValueError, TypeError,
    AttributeError, IndexError, OverflowError, OSError, EOFError, NotImplementedError,
)  # fmt: skip
"""What the libraries raise over files that are not what they say (SyntaxError: of XML). All of them mean
that nothing can be read here."""


def xlsx_table(content: bytes) -> Table:
    """The header and the rows of a workbook's first sheet. Raises CatalogueFileError."""
    try:
        check_package(content)
        rows = list(_rows(content))
    except _NOT_READ as error:
        reason = "buku kerja Excel ini rusak atau tidak bisa dibaca"
        raise CatalogueFileError("workbook_damaged", reason) from error
    records: Iterator[Record] = iter([(line, _texts(row)) for line, row in rows])
    first = next(records, None)
    if first is None or not isinstance(first[1], list):
        raise CatalogueFileError("sheet_empty", "lembar pertama kosong")
    header = [str(cell).strip() for cell in first[1]]
    return header, (_fitted(record, len(header)) for record in records)


def check_package(content: bytes) -> None:
    """Refuse what would grow, or reach outside. Raises CatalogueFileError, and BadZipFile."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        files = package.infolist()
        if len(files) > MOST_FILES or sum(file.file_size for file in files) > MOST_BYTES:
            reason = "buku kerja Excel ini terlalu besar setelah dibuka; bagi menjadi beberapa"
            raise CatalogueFileError("workbook_too_large", reason)
        if any(file.flag_bits & 1 for file in files):
            reason = "buku kerja Excel ini memakai kata sandi; simpan tanpa kata sandi"
            raise CatalogueFileError("workbook_locked", reason)
        for file in files:
            # what a file says of its size is held: more than that is not read, and its checksum is wrong
            text = package.read(file)
            if file.filename.endswith((".xml", ".rels")) and _has_document_type(text):
                reason = "buku kerja Excel ini berisi definisi XML yang tidak boleh dipakai"
                raise CatalogueFileError("workbook_definitions", reason)


def _has_document_type(text: bytes) -> bool:
    """Entities need one. Text that is not of one byte a letter is no XML that a spreadsheet writes."""
    return b"<!DOCTYPE" in text or b"<!ENTITY" in text or b"\0" in text[:200] or text[:2] == b"\xfe\xff"


def _rows(content: bytes) -> Iterator[tuple[int, list[Cell]]]:
    """The rows of the first sheet with their line, as the library gives them."""
    from openpyxl import load_workbook  # here: it would make every start of every process slower

    workbook = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
    try:
        sheet = workbook.worksheets[0]
        sheet.reset_dimensions()  # what the sheet says of its size may be anything
        for line, row in enumerate(sheet.iter_rows(max_col=_MOST_COLUMNS), start=1):
            if line > _MOST_LINES:
                reason = "terlalu banyak baris; bagi menjadi beberapa berkas"
                raise CatalogueFileError("too_many_lines", reason, line)
            cells = [(cell.value, getattr(cell, "data_type", "n")) for cell in row]
            while cells and cells[-1][0] is None:  # each row is filled up to the widest
                cells.pop()
            yield line, cells
    finally:
        workbook.close()


def _texts(row: list[Cell]) -> list[str]:
    """A row's cells without the empty ones at its end; an empty row has none."""
    cells = [_text(*cell) for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _fitted(record: Record, width: int) -> Record:
    """A sheet leaves out the empty cells at the end of a row."""
    line, cells = record
    if isinstance(cells, list) and cells:
        return line, [*cells, *[""] * (width - len(cells))]
    return record


def _text(value: Any, kind: str) -> str:
    """What a CSV would hold in this place."""
    if value is None:
        return ""
    if kind == "f":
        shown = str(getattr(value, "text", value) or "=")
        return Unreadable(shown, "formula_cell", "berisi rumus; tempel hasilnya sebagai nilai")
    if kind == "e":
        return Unreadable(str(value), "error_cell", "berisi galat dari Excel; tulis nilainya")
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime) and value.time() == time(0):
        return value.date().isoformat()
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value)
