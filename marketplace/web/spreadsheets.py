"""Spreadsheets to keep: XLSX in which text stays text, and amounts and times are numbers and dates."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from typing import IO, Any

import xlsxwriter
from flask import Response

from marketplace.web.downloads import Cell, download
from marketplace.web.formatting import local

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_SHEET_NAME = 31
_NOT_IN_A_SHEET_NAME = str.maketrans(dict.fromkeys("[]:*?/\\'"))
_LONGEST_TEXT = 32_767
_WIDTHS = (10, 44)


def xlsx_file(
    name: str,
    title: str,
    head: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    foot: Sequence[Cell] | None = None,
) -> Response:
    """A download: one sheet with its head frozen, whole rupiah as numbers, the reader's times as dates."""
    page = BytesIO()
    write_xlsx(page, title, head, rows, foot)
    return download(f"{name}.xlsx", XLSX, page.getvalue())


def write_xlsx(
    to: IO[bytes],
    title: str,
    head: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    foot: Sequence[Cell] | None = None,
) -> None:
    """Write a sheet row by row, so that a long list never lies in memory as a whole."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(to, options) as book:
        sheet = book.add_worksheet(title.translate(_NOT_IN_A_SHEET_NAME)[:_SHEET_NAME])
        plain, bold = _formats(book), _formats(book, bold=True)
        for column, text in enumerate(head):
            sheet.set_column(column, column, min(max(len(text) + 2, _WIDTHS[0]), _WIDTHS[1]))
        sheet.freeze_panes(1, 0)
        _write(sheet, 0, head, bold)
        last = 0
        for last, row in enumerate(rows, 1):
            _write(sheet, last, row, plain)
        if foot is not None:
            _write(sheet, last + 1, foot, bold)


def _formats(book: Any, **more: Any) -> dict[str, Any]:
    """How each kind of cell looks. The quote prefix keeps text that starts like a formula text for ever:
    a program that opens the file does not take it for one, not even when somebody edits the cell."""
    return {
        "text": book.add_format({"quote_prefix": True, **more}),
        "number": book.add_format({"num_format": "#,##0", **more}),
        "moment": book.add_format({"num_format": "yyyy-mm-dd hh:mm", **more}),
        "day": book.add_format({"num_format": "yyyy-mm-dd", **more}),
    }


def _write(sheet: Any, row: int, cells: Sequence[Cell], formats: dict[str, Any]) -> None:
    for column, cell in enumerate(cells):
        if isinstance(cell, datetime):
            written = local(cell).replace(tzinfo=None, microsecond=0)
            sheet.write_datetime(row, column, written, formats["moment"])
        elif isinstance(cell, date):
            sheet.write_datetime(row, column, cell, formats["day"])
        elif isinstance(cell, int | Decimal):
            sheet.write_number(row, column, cell, formats["number"])
        elif cell:
            sheet.write_string(row, column, cell[:_LONGEST_TEXT], formats["text"])
