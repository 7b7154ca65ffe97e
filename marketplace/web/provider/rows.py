"""Enrolments as a provider reads them: rows of a table, and lines of a file."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from flask import url_for
from flask_babel import gettext as _

from marketplace.catalogue.models import Run, RunKind
from marketplace.enrolments.models import CANCELLED, EarningState
from marketplace.enrolments.pay import Evidence, paid_percent, split
from marketplace.enrolments.progress import Progress
from marketplace.web.catalogue import mode_name
from marketplace.web.downloads import Cell
from marketplace.web.formatting import clock_time, date_range, long_date, rupiah, short_date, short_date_range
from marketplace.web.state_words import Tag, earning_tag, enrolment_tag

Row = list[Any]


def columns() -> list[tuple[str, ...]]:
    """The head of every table of enrolments, as the table macro takes it."""
    return [
        (_("Waktu"), "hide"),
        (_("Peserta"), "title"),
        (_("Kursus dan jadwal"), "detail"),
        (_("Status"), "state"),
        (_("Kehadiran"), "hide"),
        (_("Harga"), "hide", "right"),
        (_("Hak lembaga"), "amount", "right"),
    ]


def table_rows(found: Iterable[Progress], now: datetime) -> list[Row]:
    """One row for each enrolment."""
    return [_row(each, now) for each in found]


def _row(progress: Progress, now: datetime) -> Row:
    enrolment = progress.enrolment
    return [
        {"main": _unbroken(short_date(enrolment.purchased_at)), "sub": clock_time(enrolment.purchased_at)},
        {
            "main": enrolment.participant.full_name,
            "href": url_for("provider.enrolment", enrolment_id=enrolment.id),
            "bold": True,
        },
        {"main": enrolment.run.course.title, "sub": when_and_where(enrolment.run)},
        tag_cell(state_tag(progress, now)),
        attendance_cell(progress, now),
        rupiah(enrolment.price),
        share_cell(progress, now),
    ]


def _unbroken(text: str) -> str:
    return text.replace(" ", "\u00a0")


def when_and_where(run: Run) -> str:
    """`1–10 Des, Sleman`, short enough for a table."""
    place = run.place or mode_name(run.course.mode)
    when = short_date_range(run.starts_at, run.ends_at)
    if run.kind == RunKind.SELF_PACED:
        when = _("sampai %(last)s", last=short_date(run.ends_at))
    return f"{when}, {place}" if place else when


def tag_cell(tag: Tag) -> dict[str, str | None]:
    """A state as a cell."""
    text, tone, icon = tag
    return {"tag": text, "tone": tone, "icon": icon}


def state_tag(progress: Progress, now: datetime) -> Tag:
    """Where an enrolment stands; money that is held comes first, because it wants something done."""
    earning = progress.earning
    if earning is not None and earning.state == EarningState.HELD:
        return earning_tag(earning, now)
    return enrolment_tag(progress.enrolment, now)


def attendance_cell(progress: Progress, now: datetime) -> Any:
    """Sessions attended of promised, or that nothing has begun."""
    run, enrolment = progress.enrolment.run, progress.enrolment
    if progress.attended == 0 and (run.starts_at > now or enrolment.state in CANCELLED):
        return _("Belum mulai") if run.starts_at > now else "–"
    return {"done": progress.attended, "total": progress.promised}


def share_cell(progress: Progress, now: datetime, net: Decimal | None = None) -> dict[str, Any]:
    """What the provider gets of it, and how sure that is; `net` where the evidence has been read."""
    share = _share(progress, now) if net is None else net
    return {"main": rupiah(share), "sub": _share_words(progress, now), "bold": True}


def _share(progress: Progress, now: datetime) -> Decimal:
    """Earned, or what enough attendance would earn; once the run is over, what there was of it.

    A list does not read the others' check-ins, so it takes for granted that the class was held.
    """
    enrolment = progress.enrolment
    if not enrolment.is_live or enrolment.run.ends_at > now:
        return progress.provider_share
    self_paced = enrolment.run.kind == RunKind.SELF_PACED
    proven = Evidence(progress.percent, self_paced=self_paced, took_place=True)
    return split(enrolment.price, paid_percent(proven, enrolment.scheme), enrolment.fee_rate).net


def _share_words(progress: Progress, now: datetime) -> str:
    enrolment, earning = progress.enrolment, progress.earning
    if enrolment.is_awaiting:
        return _("bila dikonfirmasi")
    if enrolment.is_live:
        if enrolment.run.starts_at > now:
            return _("perkiraan")
        if enrolment.run.ends_at <= now:
            return _("menurut presensi")
        return _("bila hadir %(percent)s%%", percent=enrolment.scheme.full_pay_from_percent)
    if earning is None:
        return _("uang kembali") if enrolment.state in CANCELLED else _("tanpa presensi")
    if earning.state == EarningState.PAID:
        return _("dibayarkan")
    if earning.state == EarningState.HELD:
        return _("ditahan")
    return (
        _("siap dibayar")
        if earning.matures_at <= now
        else _("siap %(day)s", day=short_date(earning.matures_at))
    )


def file_head() -> list[str]:
    """The first line of the file."""
    return [
        _("Nomor bukti"), _("Dibeli"), _("Peserta"), _("Kursus"), _("Kelas mulai"), _("Kelas selesai"),
        _("Tempat"), _("Status"), _("Hadir"), _("Sesi"), _("Harga"), _("Persen dibayar"), _("Kotor"),
        _("Potongan"), _("Hak lembaga"), _("Keadaan hak"), _("Siap dibayar sejak"),
    ]  # fmt: skip


def file_rows(found: Iterable[Progress], now: datetime) -> Iterable[list[Cell]]:
    """The same enrolments with every figure."""
    return (_file_row(each, now) for each in found)


def _file_row(progress: Progress, now: datetime) -> list[Cell]:
    enrolment, earning, run = progress.enrolment, progress.earning, progress.enrolment.run
    row: list[Cell] = [
        enrolment.receipt_number, enrolment.purchased_at, enrolment.participant.full_name, run.course.title,
        run.starts_at, run.ends_at, run.place, enrolment_tag(enrolment, now)[0], progress.attended,
        progress.promised, enrolment.price, enrolment.paid_percent,
    ]  # fmt: skip
    if earning is None:
        return [*row, None, None, None, None, None]
    return [*row, earning.gross, earning.fee, earning.net, earning_tag(earning, now)[0], earning.matures_at]


def day_words(run: Run) -> str:
    """A run's days in full, with the year."""
    if run.kind == RunKind.SELF_PACED:
        return _("Kapan saja sampai %(last)s", last=long_date(run.ends_at))
    return date_range(run.starts_at, run.ends_at)
