"""Files to keep: CSV that a spreadsheet opens without running anything that is written in it."""

import csv
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from io import StringIO

from flask import Response

from marketplace.web.formatting import WIB, local

Cell = str | int | Decimal | date | datetime | None

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""Full-width forms too: a spreadsheet may read them alike."""


def csv_file(name: str, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Response:
    """A download: UTF-8 with its mark, commas, whole rupiah, times as ISO 8601 in WIB."""
    page = StringIO()
    writer = csv.writer(page)
    writer.writerow([_written(each) for each in head])
    writer.writerows([_written(each) for each in row] for row in rows)
    return Response(
        page.getvalue().encode("utf-8-sig"),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


def _written(cell: Cell) -> str:
    if isinstance(cell, datetime):
        return local(cell, WIB).isoformat(timespec="seconds")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, Decimal):
        return f"{cell:f}".removesuffix(".00")
    return neutral(cell) if isinstance(cell, str) else "" if cell is None else str(cell)


def neutral(text: str) -> str:
    """Text that a spreadsheet would take for a formula gets an apostrophe, so that it stays text."""
    return "'" + text if text.startswith(_STARTS_A_FORMULA) else text
