"""A provider's first page: what wants doing, the figures, the way of the money, who enrolled."""

import uuid
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from flask import Response, render_template, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from marketplace import clock, db
from marketplace.enrolments import figures, provider_queries
from marketplace.payouts import outlook
from marketplace.providers import queries as providers
from marketplace.providers.models import BankAccount, BankAccountState
from marketplace.schemes import queries as schemes
from marketplace.web import live
from marketplace.web.banks import account_words
from marketplace.web.downloads import csv_file
from marketplace.web.formatting import number, percent, weekday_date
from marketplace.web.identity import current_provider
from marketplace.web.plots import daily_plot
from marketplace.web.provider import alerts, columns
from marketplace.web.provider.blueprint import pages
from marketplace.web.state_words import hold_words

_DAYS = 30
_BEFORE = 6
"""Days before the plot that its first averages need."""

_NEWEST = 8

Daily = list[tuple[date, int]]


@pages.get("")
def overview() -> str:
    """Notice, figures, flow, plot, the newest enrolments."""
    current = db.session()
    provider_id = current_provider().id
    now = clock.now(current)
    accounts = providers.list_bank_accounts(current, provider_id)
    daily = figures.enrolments_per_day(current, provider_id, now, _DAYS + _BEFORE)
    return render_template(
        "provider/overview.html",
        alert=alerts.first_alert(current, provider_id, accounts, now),
        finding=_finding(daily[-_DAYS:]),
        daily_rows=[[weekday_date(day, year=False), number(count)] for day, count in daily[-_DAYS:]],
        plot=daily_plot(dict(daily), daily[-1][0], _DAYS),
        live=live.Region(url_for("provider.overview_live"), live.version(current, provider_id)),
        **_moving(current, provider_id, accounts, now),
    )


@pages.get("/langsung")
def overview_live() -> Response:
    """What of it changes while somebody watches; 304 while nothing has."""
    current = db.session()
    provider_id = current_provider().id
    now = clock.now(current)

    def render() -> str:
        accounts = providers.list_bank_accounts(current, provider_id)
        return render_template("provider/_overview_live.html", **_moving(current, provider_id, accounts, now))

    return live.answer(live.version(current, provider_id), now, render)


def _moving(
    session: Session, provider_id: uuid.UUID, accounts: Sequence[BankAccount], now: datetime
) -> dict[str, Any]:
    """Figures, money and the newest rows: what a purchase changes."""
    found = figures.figures_for_provider(session, provider_id, now)
    newest = provider_queries.list_for_provider(session, provider_id, limit=_NEWEST)
    return {
        "now": now,
        "figures": found,
        "outlook": outlook.outlook(session, provider_id),
        "figure_words": figure_words(found, accounts),
        "hold_reasons": [hold_words(code) for code in found.hold_codes],
        "fee": _fee(session),
        "page": newest,
        "columns": columns.heads(columns.USUAL),
        "rows": columns.table_rows(columns.USUAL, newest.rows, now),
    }


@pages.get("/pendaftaran-per-hari.csv")
def daily_csv() -> Response:
    """The plot's figures as a file."""
    current = db.session()
    now = clock.now(current)
    daily = figures.enrolments_per_day(current, current_provider().id, now, _DAYS)
    name = f"pendaftaran-per-hari-{clock.local_date(now)}"
    return csv_file(name, [_("Tanggal"), _("Pendaftaran")], [[day, count] for day, count in daily])


def figure_words(found: figures.Figures, accounts: Sequence[BankAccount]) -> list[tuple[str, object, str]]:
    """Four figures, each beside what it is compared with."""
    share = 100 * found.seats_taken // found.seats if found.seats else None
    return [
        (_("Pendaftaran, 7 hari"), number(found.enrolments_this_week), _compared(found)),
        (
            _("Kursi terisi"),
            percent(share) if share is not None else "–",
            _(
                "%(taken)s dari %(seats)s, jadwal terbuka",
                taken=number(found.seats_taken),
                seats=number(found.seats),
            )
            if found.seats
            else _("belum ada jadwal terbuka"),
        ),
        (
            _("Kehadiran rata-rata"),
            percent(found.attendance_percent) if found.attendance_percent is not None else "–",
            _("kelas yang berjalan")
            if found.attendance_percent is not None
            else _("belum ada sesi berlangsung"),
        ),
        (_("Dibayar setelah disetujui"), found.matured.amount, _destination(found, accounts)),
    ]


def _compared(found: figures.Figures) -> str:
    difference = found.enrolments_this_week - found.enrolments_week_before
    if difference == 0:
        return _("sama dengan pekan lalu")
    if difference > 0:
        return _("%(number)s lebih banyak dari pekan lalu", number=number(difference))
    return _("%(number)s lebih sedikit dari pekan lalu", number=number(-difference))


def _destination(found: figures.Figures, accounts: Sequence[BankAccount]) -> str:
    account = alerts.account_in(accounts, BankAccountState.APPROVED)
    enrolments = found.matured.enrolments
    count = ngettext(
        "%(number)s pendaftaran", "%(number)s pendaftaran", enrolments, number=number(enrolments)
    )
    if account is None:
        return _("%(count)s, belum ada rekening", count=count)
    return _("%(count)s, ke %(account)s", count=count, account=account_words(account))


def _fee(session: Session) -> str | None:
    """The programme's cut where all schemes agree on it."""
    rates = {scheme.fee_rate for scheme in schemes.list_schemes(session)}
    return percent(rates.pop() * 100) if len(rates) == 1 else None


def _finding(daily: Daily) -> str:
    total = sum(count for _day, count in daily)
    if total == 0:
        return _("Belum ada pendaftaran dalam %(days)s hari terakhir.", days=_DAYS)
    day, most = max(daily, key=lambda each: each[1])
    return _(
        "%(total)s dalam %(days)s hari. Puncak %(most)s pada %(day)s.",
        total=number(total),
        days=_DAYS,
        most=number(most),
        day=weekday_date(day, year=False),
    )
