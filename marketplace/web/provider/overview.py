"""A provider's first page: what wants doing, the figures, the way of the money, who enrolled."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import Response, render_template, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from marketplace import clock, db
from marketplace.catalogue.models import RunState
from marketplace.enrolments import figures, provider_queries
from marketplace.enrolments.progress import Progress
from marketplace.enrolments.provider_queries import RunRow
from marketplace.payouts import outlook
from marketplace.payouts import queries as payouts
from marketplace.payouts.models import PayoutState
from marketplace.providers import queries as providers
from marketplace.providers.models import BankAccount, BankAccountState
from marketplace.schemes import calendar
from marketplace.schemes import queries as schemes
from marketplace.web import live
from marketplace.web.banks import account_words
from marketplace.web.downloads import csv_file
from marketplace.web.formatting import moment, number, percent, rupiah, weekday_date
from marketplace.web.identity import current_provider
from marketplace.web.plots import daily_plot
from marketplace.web.provider import columns
from marketplace.web.provider.blueprint import pages
from marketplace.web.state_words import hold_words

_DAYS = 30
_BEFORE = 6
"""Days before the plot that its first averages need."""

_NEWEST = 8

Daily = list[tuple[date, int]]


@dataclass(frozen=True, slots=True)
class Alert:
    """The one thing that comes first: what, by when or why, and where to do it."""

    strong: str
    rest: str
    href: str
    link: str


@pages.get("")
def overview() -> str:
    """Notice, figures, flow, plot, the newest enrolments."""
    current = db.session()
    provider_id = current_provider().id
    now = clock.now(current)
    account = _account(providers.list_bank_accounts(current, provider_id))
    daily = figures.enrolments_per_day(current, provider_id, now, _DAYS + _BEFORE)
    return render_template(
        "provider/overview.html",
        alert=_alert(current, provider_id, account, now),
        finding=_finding(daily[-_DAYS:]),
        daily_rows=[[weekday_date(day, year=False), number(count)] for day, count in daily[-_DAYS:]],
        plot=daily_plot(dict(daily), daily[-1][0], _DAYS),
        live=live.Region(url_for("provider.overview_live"), live.version(current, provider_id)),
        **_moving(current, provider_id, account, now),
    )


@pages.get("/langsung")
def overview_live() -> Response:
    """What of it changes while somebody watches; 304 while nothing has."""
    current = db.session()
    provider_id = current_provider().id
    now = clock.now(current)

    def render() -> str:
        account = _account(providers.list_bank_accounts(current, provider_id))
        return render_template("provider/_overview_live.html", **_moving(current, provider_id, account, now))

    return live.answer(live.version(current, provider_id), now, render)


def _moving(
    session: Session, provider_id: uuid.UUID, account: BankAccount | None, now: datetime
) -> dict[str, Any]:
    """Figures, money and the newest rows: what a purchase changes."""
    found = figures.figures_for_provider(session, provider_id, now)
    newest = provider_queries.list_for_provider(session, provider_id, limit=_NEWEST)
    return {
        "now": now,
        "figures": found,
        "outlook": outlook.outlook(session, provider_id),
        "figure_words": figure_words(found, account),
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


def figure_words(found: figures.Figures, account: BankAccount | None) -> list[tuple[str, object, str]]:
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
        (_("Dibayar setelah disetujui"), found.matured.amount, _destination(found, account)),
    ]


def _compared(found: figures.Figures) -> str:
    difference = found.enrolments_this_week - found.enrolments_week_before
    if difference == 0:
        return _("sama dengan pekan lalu")
    if difference > 0:
        return _("%(number)s lebih banyak dari pekan lalu", number=number(difference))
    return _("%(number)s lebih sedikit dari pekan lalu", number=number(-difference))


def _destination(found: figures.Figures, account: BankAccount | None) -> str:
    enrolments = found.matured.enrolments
    count = ngettext(
        "%(number)s pendaftaran", "%(number)s pendaftaran", enrolments, number=number(enrolments)
    )
    if account is None:
        return _("%(count)s, belum ada rekening", count=count)
    return _("%(count)s, ke %(account)s", count=count, account=account_words(account))


def _account(found: Sequence[BankAccount]) -> BankAccount | None:
    return next((each for each in found if each.state == BankAccountState.APPROVED), None)


def _alert(
    session: Session, provider_id: uuid.UUID, account: BankAccount | None, now: datetime
) -> Alert | None:
    """Declarations first, because they run out; then whatever keeps money from arriving."""
    rows = provider_queries.list_runs_of_provider(session, provider_id, now, limit=100)
    over = [row for row in rows if row.run.state == RunState.OPEN and row.run.ends_at <= now]
    if over:
        return _undeclared(session, over)
    awaiting = provider_queries.list_awaiting(session, provider_id)
    if awaiting:
        return _unconfirmed(awaiting)
    latest = payouts.list_for_provider(session, provider_id, limit=1)
    if latest and latest[0].state in (PayoutState.FAILED, PayoutState.RETURNED):
        return Alert(
            _("Bank tidak meneruskan pembayaran %(amount)s.", amount=rupiah(latest[0].amount)),
            _("Uangnya tetap hak lembaga Anda dan menunggu dibayar lagi."),
            url_for("provider.payout", payout_id=latest[0].id),
            _("Lihat alasan bank"),
        )
    return _account_alert(account, now)


def _undeclared(session: Session, over: Sequence[RunRow]) -> Alert:
    first = min(over, key=lambda row: row.run.ends_at).run
    until = declared_until(session, first.ends_at)
    return Alert(
        ngettext(
            "%(num)s kelas sudah selesai dan menunggu pernyataan Anda.",
            "%(num)s kelas sudah selesai dan menunggu pernyataan Anda.",
            len(over),
        ),
        _("Yang pertama dinyatakan otomatis oleh Bekal setelah %(until)s.", until=moment(until)),
        url_for("provider.run", run_id=first.id) if len(over) == 1 else url_for("provider.runs"),
        _("Nyatakan sekarang"),
    )


def _unconfirmed(awaiting: Sequence[Progress]) -> Alert:
    first = awaiting[0].enrolment.confirm_by
    assert first is not None  # a CHECK of the table
    return Alert(
        ngettext(
            "%(num)s pendaftaran menunggu konfirmasi Anda.",
            "%(num)s pendaftaran menunggu konfirmasi Anda.",
            len(awaiting),
        ),
        _("Yang pertama dilepas setelah %(until)s.", until=moment(first)),
        url_for("provider.enrolments", state="awaiting"),
        _("Konfirmasi sekarang"),
    )


def declared_until(session: Session, ended_at: datetime) -> datetime:
    """When Bekal declares a run itself: the longest period of all schemes, because a run may hold several."""
    days = max(scheme.declaration_working_days for scheme in schemes.list_schemes(session))
    return calendar.end_of_working_days(session, ended_at, days)


def _account_alert(account: BankAccount | None, now: datetime) -> Alert | None:
    href, link = url_for("provider.payouts"), _("Lihat pembayaran")
    if account is None:
        return Alert(
            _("Belum ada rekening bank."), _("Hubungi kantor program untuk mendaftarkannya."), href, link
        )
    if account.blocked_code:
        words = _("Bank menolak rekening %(account)s.", account=account_words(account))
        return Alert(words, _("Hubungi kantor program untuk menggantinya."), href, link)
    if account.usable_from is not None and account.usable_from > now:
        words = _("Rekening baru %(account)s belum dipakai.", account=account_words(account))
        return Alert(
            words, _("Pembayaran ke sana mulai %(when)s.", when=moment(account.usable_from)), href, link
        )
    return None


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
