"""The rows of a file of runs: each is one session, and rows with the same word in `run` are one run.

Nothing here knows the database. A row of another shape than the header makes the whole file unusable:
nobody can tell which run would lack a session.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from marketplace.catalogue import csv_cells as cells
from marketplace.catalogue.course_rows import (
    CatalogueFileError,
    Problem,
    Row,
    RowProblem,
    Table,
    check_header,
    read_rows,
)
from marketplace.catalogue.service import MOST_SEATS

COLUMNS = ("course", "run", "date", "start", "end", "topic", "place", "seats", "confirmation")
OPTIONAL = frozenset({"run", "topic", "place", "confirmation"})
MOST_ROWS = 1000
_YES, _NO = ("ya", "yes"), ("tidak", "no")
_ISO = re.compile(r"(2[01]\d\d)-(\d{1,2})-(\d{1,2})")
_WRITTEN = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](2[01]\d\d)")
_CLOCK = re.compile(r"(\d{1,2})[:.](\d{2})(?::00)?")


@dataclass(frozen=True, slots=True)
class MeetingRow:
    """One session. `run` is the file's own word for the run, empty for a run of this session alone; what a
    later row of a run leaves empty is that of its first. Without times where `problems` say why."""

    line: int
    course: str
    run: str
    starts_at: datetime | None
    ends_at: datetime | None
    topic: str
    place: str
    seats: int | None
    confirmation: bool | None
    problems: tuple[Problem, ...]


def read_meetings(table: Table, zone: ZoneInfo) -> Iterator[MeetingRow]:
    """Each row below the header, in the file's order; its hours are of `zone`. Raises CatalogueFileError."""
    check_header(table[0], COLUMNS, OPTIONAL)
    for row in read_rows(table, OPTIONAL, MOST_ROWS):
        if isinstance(row, RowProblem):
            raise CatalogueFileError(row.problems[0].code, row.problems[0].reason, row.line)
        yield _read_meeting(row, zone)


def _read_meeting(row: Row, zone: ZoneInfo) -> MeetingRow:
    day = row.read("date", _day, None)
    start, end = row.read("start", _time, None), row.read("end", _time, None)
    starts_at = datetime.combine(day, start, zone) if day and start else None
    ends_at = datetime.combine(day, end, zone) if day and end else None
    if starts_at and ends_at and starts_at >= ends_at:
        row.refuse("end", "end_before_start", "selesainya harus sesudah mulainya")
    return MeetingRow(
        line=row.line,
        course=row.read("course", cells.name(200), ""),
        run=row.read("run", cells.name(64, required=False), ""),
        starts_at=starts_at,
        ends_at=ends_at,
        topic=row.read("topic", cells.name(120, required=False), ""),
        place=row.read("place", cells.name(120, required=False), ""),
        seats=row.read("seats", _seats, None),
        confirmation=row.read("confirmation", _yes_or_no, None),
        problems=tuple(row.problems),
    )


def _day(text: str) -> date | None:
    """A day as spreadsheets and people write it: 2027-08-27, 27-8-2027, 27/8/2027."""
    if found := _ISO.fullmatch(text.removesuffix("T00:00:00")):
        year, month, day = map(int, found.groups())
    elif found := _WRITTEN.fullmatch(text):
        day, month, year = map(int, found.groups())
    else:
        raise cells.CellError("date", "tulis tanggal, misalnya 2027-08-27 atau 27-8-2027")
    try:
        return date(year, month, day)
    except ValueError as error:
        raise cells.CellError("no_such_day", "tidak ada di kalender") from error


def _time(text: str) -> time | None:
    found = _CLOCK.fullmatch(text)
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:
        raise cells.CellError("time", "tulis jam dan menit, misalnya 09:00")
    return time(int(found[1]), int(found[2]))


def _seats(text: str) -> int | None:
    if text and (not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= MOST_SEATS):
        raise cells.CellError("seats", "harus jumlah kursi dari 1 sampai 100.000")
    return int(text) if text else None


def _yes_or_no(text: str) -> bool | None:
    read: Callable[[str], str | None] = cells.choice((*_YES, *_NO))
    word = read(text.casefold())
    return word in _YES if word else None
