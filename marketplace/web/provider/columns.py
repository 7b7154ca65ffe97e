"""The columns of a list of enrolments: what the page shows of a fact, and what a file holds of it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for
from flask_babel import lazy_gettext as _l

from marketplace.enrolments.models import SEATED, Earning
from marketplace.enrolments.progress import Progress
from marketplace.enrolments.provider_queries import Page
from marketplace.web.downloads import Cell
from marketplace.web.formatting import clock_time, rupiah, short_date
from marketplace.web.provider.rows import (
    Row,
    attendance_cell,
    share_cell,
    share_of,
    state_tag,
    tag_cell,
    when_and_where,
)
from marketplace.web.state_words import earning_tag, enrolment_tag, hold_words

Shown = Callable[[Progress, datetime], Any]
Fields = tuple[tuple[object, Callable[[Progress, datetime], Cell]], ...]


@dataclass(frozen=True, slots=True)
class Column:
    """`place` is where a phone shows it; `fields` are its columns in a file, each with its head."""

    key: str
    title: object
    place: str
    shown: Shown
    fields: Fields
    right: bool = False
    usual: bool = True
    total: str = ""
    """The name of its sum in a Page, if it has one."""

    @property
    def head(self) -> tuple[str, ...]:
        """As the table macro takes it."""
        return (str(self.title), self.place, "right") if self.right else (str(self.title), self.place)


def _when(progress: Progress, now: datetime) -> dict[str, str]:
    at = progress.enrolment.purchased_at
    return {"main": short_date(at).replace(" ", "\u00a0"), "sub": clock_time(at)}


def _who(progress: Progress, now: datetime) -> dict[str, Any]:
    href = url_for("provider.enrolment", enrolment_id=progress.enrolment.id)
    return {"main": progress.enrolment.participant.full_name, "href": href, "bold": True}


def _course(progress: Progress, now: datetime) -> dict[str, str]:
    run = progress.enrolment.run
    return {"main": run.course.title, "sub": when_and_where(run)}


def _percent(value: int | None) -> str:
    return "–" if value is None else f"{value}%"


def _earned(read: Callable[[Earning], Any]) -> Callable[[Progress, datetime], Any]:
    """Something of the earning; nothing while there is none."""
    return lambda progress, now: None if progress.earning is None else read(progress.earning)


def _amount(read: Callable[[Earning], Any]) -> Shown:
    return lambda progress, now: "–" if progress.earning is None else rupiah(read(progress.earning))


def _hold(progress: Progress) -> str | None:
    earning = progress.earning
    return hold_words(earning.hold_code) if earning is not None and earning.hold_code else None


def _earning(progress: Progress, now: datetime) -> dict[str, Any]:
    return tag_cell(earning_tag(progress.earning, now)) | {"sub": _hold(progress)}


def _estimate(progress: Progress, now: datetime) -> Cell:
    return share_of(progress, now) if progress.enrolment.state in SEATED else None


COLUMNS: tuple[Column, ...] = (
    Column(
        "receipt", _l("Nomor bukti"), "more", lambda p, now: p.enrolment.receipt_number,
        ((_l("Nomor bukti"), lambda p, now: p.enrolment.receipt_number),), usual=False,
    ),
    Column("when", _l("Waktu"), "hide", _when, ((_l("Dibeli"), lambda p, now: p.enrolment.purchased_at),)),
    Column(
        "who", _l("Peserta"), "title", _who,
        ((_l("Peserta"), lambda p, now: p.enrolment.participant.full_name),),
    ),
    Column(
        "course", _l("Kursus dan jadwal"), "detail", _course,
        (
            (_l("Kursus"), lambda p, now: p.enrolment.run.course.title),
            (_l("Kelas mulai"), lambda p, now: p.enrolment.run.starts_at),
            (_l("Kelas selesai"), lambda p, now: p.enrolment.run.ends_at),
            (_l("Tempat"), lambda p, now: p.enrolment.run.place),
        ),
    ),
    Column(
        "state", _l("Status"), "state", lambda p, now: tag_cell(state_tag(p, now)),
        ((_l("Status"), lambda p, now: enrolment_tag(p.enrolment, now)[0]),),
    ),
    Column(
        "attendance", _l("Kehadiran"), "hide", attendance_cell,
        ((_l("Hadir"), lambda p, now: p.attended), (_l("Sesi"), lambda p, now: p.promised)),
    ),
    Column(
        "price", _l("Harga"), "hide", lambda p, now: rupiah(p.enrolment.price),
        ((_l("Harga"), lambda p, now: p.enrolment.price),), right=True, total="price",
    ),
    Column(
        "paid", _l("Persen dibayar"), "more", lambda p, now: _percent(p.enrolment.paid_percent),
        ((_l("Persen dibayar"), lambda p, now: p.enrolment.paid_percent),), right=True, usual=False,
    ),
    Column(
        "gross", _l("Bagian kotor"), "more", _amount(lambda e: e.gross),
        ((_l("Kotor"), _earned(lambda e: e.gross)),), right=True, usual=False, total="gross",
    ),
    Column(
        "fee", _l("Potongan"), "more", _amount(lambda e: -e.fee),
        ((_l("Potongan"), _earned(lambda e: e.fee)),), right=True, usual=False, total="fee",
    ),
    Column(
        "share", _l("Hak lembaga"), "amount", share_cell,
        ((_l("Hak lembaga"), _earned(lambda e: e.net)), (_l("Perkiraan hak"), _estimate)),
        right=True, total="earned",
    ),
    Column(
        "earning", _l("Keadaan hak"), "more", _earning,
        (
            (_l("Keadaan hak"), lambda p, now: earning_tag(p.earning, now)[0] if p.earning else None),
            (_l("Alasan ditahan"), lambda p, now: _hold(p)),
        ),
        usual=False,
    ),
    Column(
        "matures", _l("Siap dibayar sejak"), "more",
        lambda p, now: short_date(p.earning.matures_at) if p.earning else "–",
        ((_l("Siap dibayar sejak"), _earned(lambda e: e.matures_at)),), usual=False,
    ),
)  # fmt: skip

_ALWAYS = "who"
USUAL = tuple(column for column in COLUMNS if column.usual)


def chosen(keys: Iterable[str]) -> tuple[str, ...]:
    """The keys that mean a column, in the order of the columns; without any choice none."""
    wanted = set(keys)
    return tuple(column.key for column in COLUMNS if column.key in wanted)


def on_page(keys: Sequence[str]) -> tuple[Column, ...]:
    """The columns that somebody chose, else the usual ones; who it is about is always among them."""
    return _among(keys) if keys else USUAL


def in_file(keys: Sequence[str]) -> tuple[Column, ...]:
    """The columns that somebody chose, else every one."""
    return _among(keys) if keys else COLUMNS


def _among(keys: Sequence[str]) -> tuple[Column, ...]:
    return tuple(column for column in COLUMNS if column.key in {*keys, _ALWAYS})


def heads(columns: Iterable[Column]) -> list[tuple[str, ...]]:
    """The head of a table on a page."""
    return [column.head for column in columns]


def table_rows(columns: Sequence[Column], found: Iterable[Progress], now: datetime) -> list[Row]:
    """One row of the page for each enrolment."""
    return [[column.shown(each, now) for column in columns] for each in found]


def foot(columns: Iterable[Column], page: Page, label: str) -> list[str]:
    """The line of sums under a table, of everything that matches and not of this page alone."""
    sums = [rupiah(_sum_of(page, column.total)) if column.total else "" for column in columns]
    return [label if column.key == _ALWAYS else text for column, text in zip(columns, sums, strict=True)]


def _sum_of(page: Page, name: str) -> Any:
    return -page.fee if name == "fee" else getattr(page, name)


def file_head(columns: Iterable[Column]) -> list[str]:
    """The first line of a file."""
    return [str(head) for column in columns for head, _read in column.fields]


def file_rows(columns: Sequence[Column], found: Iterable[Progress], now: datetime) -> Iterable[list[Cell]]:
    """The same enrolments with every figure."""
    fields = [read for column in columns for _head, read in column.fields]
    return ([read(each, now) for read in fields] for each in found)


def file_foot(columns: Iterable[Column], page: Page, label: str) -> list[Cell]:
    """The sums under a spreadsheet, each below the first field of its column."""
    cells: list[Cell] = []
    for column in columns:
        first: Cell = label if column.key == _ALWAYS else None
        if column.total:
            first = getattr(page, column.total)
        cells += [first, *[None] * (len(column.fields) - 1)]
    return cells
