"""Plots of the last weeks, each with its finding, its table and its file."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from flask import Response, abort, render_template
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy.orm import Session

from marketplace import clock, db
from marketplace.enrolments import trends
from marketplace.enrolments.trends import Money, Rated, Share
from marketplace.web.downloads import Cell, csv_file
from marketplace.web.formatting import decimal, number, percent, rupiah, short_date
from marketplace.web.identity import current_provider
from marketplace.web.plots import Bar, weekly_plot
from marketplace.web.provider.blueprint import pages


@dataclass(frozen=True, slots=True)
class Report:
    """One plot: what it shows, what it finds, its drawing, and its figures for the table and the file."""

    key: str
    title: str
    finding: str
    plot: Markup
    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    shown: Sequence[Sequence[str]]
    legend: Sequence[tuple[str, str]]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to plot yet."""
        return not any(cell for row in self.rows for cell in row[1:])

    @property
    def columns(self) -> list[tuple[str, ...]]:
        """The head of its table, as the table macro takes it."""
        first, *rest = self.head
        return [(first, "title"), *((name, "more", "right") for name in rest)]


@pages.get("/grafik")
def reports() -> str:
    """Every plot."""
    current = db.session()
    now = clock.now(current)
    return render_template("provider/reports.html", reports=[make(current, now) for make in _MADE.values()])


@pages.get("/grafik/<report>.csv")
def report_csv(report: str) -> Response:
    """One plot's figures as a file."""
    current = db.session()
    make = _MADE.get(report) or abort(404)
    now = clock.now(current)
    made = make(current, now)
    return csv_file(f"{made.key}-{clock.local_date(now)}", made.head, made.rows)


def _seats(session: Session, now: datetime) -> Report:
    found = trends.seats_filled(session, current_provider().id, now)
    names = (_("Kursi terisi"), _("Terisi"), _("Ditawarkan"))
    return _of_shares("kursi", names, found, _("Belum ada kelas yang mulai dalam %(weeks)s pekan terakhir."))


def _completed(session: Session, now: datetime) -> Report:
    found = trends.completed(session, current_provider().id, now)
    names = (_("Hadir cukup sampai selesai"), _("Hadir cukup"), _("Dinyatakan"))
    return _of_shares(
        "selesai", names, found, _("Belum ada kelas yang dinyatakan selesai dalam %(weeks)s pekan terakhir.")
    )


def _of_shares(key: str, names: tuple[str, str, str], found: Sequence[Share], none: str) -> Report:
    title, part, whole = names
    bars = [Bar(each.percent or 0, short_date(each.week)) for each in found]
    return Report(
        key=key,
        title=title,
        finding=_share_finding(found, none),
        plot=weekly_plot(bars, top=100),
        head=[_("Pekan mulai"), part, whole, _("Persen")],
        rows=[[each.week, each.part, each.whole, each.percent] for each in found],
        shown=[
            [short_date(each.week), number(each.part), number(each.whole), _percent(each.percent)]
            for each in found
        ],
        legend=[("", _("Persen setiap pekan"))],
    )


def _share_finding(found: Sequence[Share], none: str) -> str:
    part, whole = sum(each.part for each in found), sum(each.whole for each in found)
    if not whole:
        return none % {"weeks": len(found)}
    best = max((each for each in found if each.whole), key=lambda each: (each.percent or 0, each.week))
    return _(
        "%(part)s dari %(whole)s, %(percent)s dalam %(weeks)s pekan. Tertinggi %(most)s pada pekan %(week)s.",
        part=number(part),
        whole=number(whole),
        percent=percent(100 * part // whole),
        weeks=len(found),
        most=_percent(best.percent),
        week=short_date(best.week),
    )


def _ratings(session: Session, now: datetime) -> Report:
    found = trends.rated(session, current_provider().id, now)
    return Report(
        key="nilai",
        title=_("Nilai dari peserta"),
        finding=_rating_finding(found),
        plot=weekly_plot([Bar(float(each.average or 0), short_date(each.week)) for each in found], top=5),
        head=[_("Pekan mulai"), _("Nilai rata-rata"), _("Ulasan"), _("Satu atau dua bintang")],
        rows=[[each.week, each.average, each.reviews, each.low] for each in found],
        shown=[
            [
                short_date(each.week),
                "–" if each.average is None else decimal(each.average),
                number(each.reviews),
                number(each.low),
            ]
            for each in found
        ],
        legend=[("", _("Nilai rata-rata setiap pekan, dari 5"))],
    )


def _rating_finding(found: Sequence[Rated]) -> str:
    reviews = sum(each.reviews for each in found)
    average = trends.average_of(sum(each.stars for each in found), reviews)
    if average is None:
        return _("Belum ada ulasan dalam %(weeks)s pekan terakhir.", weeks=len(found))
    return _(
        "Rata-rata %(average)s dari %(reviews)s ulasan dalam %(weeks)s pekan."
        " Satu atau dua bintang: %(low)s.",
        average=decimal(average),
        reviews=number(reviews),
        weeks=len(found),
        low=number(sum(each.low for each in found)),
    )


def _money(session: Session, now: datetime) -> Report:
    found = trends.money_by_week(session, current_provider().id, now)
    legend = [("recognised", _("Diakui")), ("ready", _("Melewati masa keberatan")), ("paid", _("Dibayarkan"))]
    return Report(
        key="uang",
        title=_("Uang: diakui, siap, dibayarkan"),
        finding=_money_finding(found),
        plot=weekly_plot([bar for each in found for bar in _money_bars(each)], groups=3, money=True),
        head=[_("Pekan mulai"), *(words for _kind, words in legend)],
        rows=[[each.week, each.accrued, each.matured, each.paid] for each in found],
        shown=[
            [short_date(each.week), *map(rupiah, (each.accrued, each.matured, each.paid))] for each in found
        ],
        legend=legend,
    )


def _money_bars(money: Money) -> Iterable[Bar]:
    amounts = {"recognised": money.accrued, "ready": money.matured, "paid": money.paid}
    for place, (kind, amount) in enumerate(amounts.items()):
        yield Bar(int(amount), "" if place else short_date(money.week), kind=kind)


def _money_finding(found: Sequence[Money]) -> str:
    columns = zip(*((each.accrued, each.matured, each.paid) for each in found), strict=True)
    sums = [sum(column, Decimal(0)) for column in columns]
    if not any(sums):
        return _("Belum ada hak lembaga dalam %(weeks)s pekan terakhir.", weeks=len(found))
    return _(
        "%(accrued)s diakui, %(matured)s melewati masa keberatan, %(paid)s dibayarkan dalam %(weeks)s pekan.",
        accrued=rupiah(sums[0]),
        matured=rupiah(sums[1]),
        paid=rupiah(sums[2]),
        weeks=len(found),
    )


def _percent(value: int | None) -> str:
    return "–" if value is None else percent(value)


_MADE: dict[str, Callable[[Session, datetime], Report]] = {
    "kursi": _seats,
    "selesai": _completed,
    "nilai": _ratings,
    "uang": _money,
}
