"""A provider's monthly statements: on a page, on paper, and as a spreadsheet."""

import re
from collections.abc import Iterable
from datetime import date
from typing import Any

from flask import Response, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from marketplace import clock, db
from marketplace.payouts import statements as reading
from marketplace.payouts.statements import Line, MonthStatement
from marketplace.web.downloads import Cell, download
from marketplace.web.formatting import WIB, rupiah, short_date, writing_for
from marketplace.web.formatting import month as month_words
from marketplace.web.identity import current_provider
from marketplace.web.provider import monthly_pdf as paper
from marketplace.web.provider.blueprint import pages
from marketplace.web.provider.lines import title_of
from marketplace.web.spreadsheets import xlsx_file
from marketplace.web.state_words import kind_words

_SHOWN = 100
"""Lines on one page; the files have all of them."""
_MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])", re.ASCII)


@pages.get("/laporan")
def monthly_reports() -> str | AnyResponse:
    """The months that have a statement; with none, what one will be."""
    current = db.session()
    months = reading.list_months(current, current_provider().id)
    if months:
        return redirect(url_for("provider.monthly_report", month=f"{months[0]:%Y-%m}"))
    return render_template("provider/monthly.html", statement=None, months=[], month=clock.today(current))


@pages.get("/laporan/<month>")
def monthly_report(month: str) -> str:
    """One month: opening balance, every line, closing balance."""
    current = db.session()
    found = _statement(month)
    typed = request.args.get("mulai", "")
    start = int(typed) - 1 if re.fullmatch(r"[1-9][0-9]{0,5}", typed, re.ASCII) else 0
    shown, end = found.lines[start : start + _SHOWN], start + _SHOWN
    return render_template(
        "provider/monthly.html",
        statement=found,
        months=reading.list_months(current, current_provider().id),
        month=found.month,
        rows=[_row(line) for line in shown],
        start=start,
        next_start=end + 1 if end < len(found.lines) else None,
        now=clock.now(current),
    )


@pages.get("/laporan/<month>.xlsx")
def monthly_xlsx(month: str) -> Response:
    """The same as a spreadsheet."""
    found = _statement(month)
    head = [
        _("Tanggal"), _("Uraian"), _("Peserta"), _("Nomor bukti"), _("Kursus"), _("Kotor"), _("Potongan"),
        _("Jumlah"), _("Saldo"), _("Catatan buku besar"),
    ]  # fmt: skip
    foot: list[Cell] = [_last_day(found), _("Saldo akhir"), *[None] * 6, found.closing, None]
    name, title = f"laporan-{found.month:%Y-%m}", month_words(found.month)
    with writing_for(WIB):  # its month is the programme's
        return xlsx_file(name, title, head, _file_rows(found), foot)


@pages.get("/laporan/<month>.pdf")
def monthly_pdf(month: str) -> Response:
    """The same on paper."""
    found = _statement(month)
    content = paper.draw(found, current_provider().name, clock.now(db.session()))
    return download(f"laporan-{found.month:%Y-%m}.pdf", "application/pdf", content)


def _statement(text: str) -> MonthStatement:
    """The month of an address; what is none, or still to come, is not there."""
    current = db.session()
    if not _MONTH.fullmatch(text):
        abort(404)
    month = date.fromisoformat(f"{text}-01")
    if month > clock.today(current):
        abort(404)
    return reading.month_statement(current, current_provider().id, month)


def _row(line: Line) -> list[Any]:
    return [
        short_date(line.at, WIB).replace(" ", "\u00a0"),
        _what(line),
        rupiah(line.earning.gross) if line.earning else "",
        rupiah(-line.earning.fee) if line.earning else "",
        {"main": rupiah(line.amount), "bold": True},
        rupiah(line.balance),
    ]


def _what(line: Line) -> dict[str, str]:
    if line.enrolment is not None:
        enrolment = line.enrolment
        href = url_for("provider.enrolment", enrolment_id=enrolment.id)
        return {"main": enrolment.participant.full_name, "sub": title_of(line), "href": href}
    if line.payout is not None:
        href = url_for("provider.payout", payout_id=line.payout.id)
        return {"main": kind_words(line.kind), "sub": line.payout.label, "href": href}
    return {"main": kind_words(line.kind), "sub": ""}


def _file_rows(found: MonthStatement) -> Iterable[list[Cell]]:
    yield [found.month, _("Saldo awal"), *[None] * 6, found.opening, None]
    for line in found.lines:
        yield [line.at, kind_words(line.kind), *_about(line), line.amount, line.balance, _label(line)]


def _about(line: Line) -> list[Cell]:
    if line.enrolment is None:
        return [None, line.payout.label if line.payout else None, None, None, None]
    enrolment, earning = line.enrolment, line.earning
    return [
        enrolment.participant.full_name, enrolment.receipt_number, enrolment.run.course.title,
        earning.gross if earning else None, earning.fee if earning else None,
    ]  # fmt: skip


def _label(line: Line) -> str:
    return f"txn_{line.transaction_id.hex}"


def _last_day(found: MonthStatement) -> date:
    """The month's last day, or today while it goes on."""
    last = clock.local_date(clock.start_of_day(reading.next_month(found.month)))
    today = clock.today(db.session())
    return min(date.fromordinal(last.toordinal() - 1), today)
