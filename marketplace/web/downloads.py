"""Files to keep: CSV that a spreadsheet opens without running anything that is written in it."""

import csv
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO, TextIOWrapper
from typing import IO

from flask import Response

from marketplace.web.formatting import local

CSV = "text/csv"

Cell = str | int | Decimal | date | datetime | None

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""Full-width forms too: a spreadsheet may read them alike."""


def csv_file(name: str, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Response:
    """A download: UTF-8 with its mark, commas, whole rupiah, times as ISO 8601 with the reader's offset."""
    page = BytesIO()
    write_csv(page, head, rows)
    return download(f"{name}.csv", CSV, page.getvalue())


def write_csv(to: IO[bytes], head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """The same, line by line, into something open; it stays open."""
    text = TextIOWrapper(to, "utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow([_written(each) for each in head])
    writer.writerows([_written(each) for each in row] for row in rows)
    text.detach()


def download(name: str, mimetype: str, content: bytes) -> Response:
    """A file to keep, under a name of ours."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, mimetype=mimetype, headers=headers)


def _written(cell: Cell) -> str:
    if isinstance(cell, datetime):
        return local(cell).isoformat(timespec="seconds")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, Decimal):
        return f"{cell:f}".removesuffix(".00")
    return neutral(cell) if isinstance(cell, str) else "" if cell is None else str(cell)


def neutral(text: str) -> str:
    """Text that a spreadsheet would take for a formula gets an apostrophe, so that it stays text."""
    return "'" + text if text.startswith(_STARTS_A_FORMULA) else text
