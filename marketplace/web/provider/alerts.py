"""What a provider's first page says first: the one thing that wants doing, by when or why, and where."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.catalogue.models import RunState
from marketplace.enrolments import provider_queries, run_list
from marketplace.enrolments.progress import Progress
from marketplace.enrolments.run_list import RunRow
from marketplace.payouts import queries as payouts
from marketplace.payouts.models import PayoutState
from marketplace.providers import statements
from marketplace.providers.models import BankAccount, BankAccountState
from marketplace.schemes import calendar
from marketplace.schemes import queries as schemes
from marketplace.web.banks import account_words
from marketplace.web.formatting import moment, rupiah
from marketplace.web.identity import signed_in_user
from marketplace.web.provider.blueprint import staff_may_open


@dataclass(frozen=True, slots=True)
class Alert:
    """The one thing that comes first: what, by when or why, and where to do it."""

    strong: str
    rest: str
    href: str
    link: str


def first_alert(
    session: Session, provider_id: uuid.UUID, accounts: Sequence[BankAccount], now: datetime
) -> Alert | None:
    """Classes first, because time runs out; then whatever keeps money from arriving. To each part its own."""
    teaches = staff_may_open(url_for("provider.runs"), "POST")
    is_paid = staff_may_open(url_for("provider.bank_account"))
    first = _about_classes(session, provider_id, now) if teaches else None
    first = first or (_about_money(session, provider_id, accounts, now) if is_paid else None)
    return first or _about_statement(session, provider_id, now)


def _about_classes(session: Session, provider_id: uuid.UUID, now: datetime) -> Alert | None:
    rows = run_list.list_runs_of_provider(session, provider_id, now, limit=100).rows
    over = [row for row in rows if row.run.state == RunState.OPEN and row.run.ends_at <= now]
    if over:
        return _undeclared(session, over)
    awaiting = provider_queries.list_awaiting(session, provider_id, limit=1)
    return _unconfirmed(session, awaiting[0]) if awaiting else None


def _about_money(
    session: Session, provider_id: uuid.UUID, accounts: Sequence[BankAccount], now: datetime
) -> Alert | None:
    latest = payouts.list_for_provider(session, provider_id, limit=1)
    if latest and latest[0].state in (PayoutState.FAILED, PayoutState.RETURNED):
        return Alert(
            _("Bank tidak meneruskan pembayaran %(amount)s.", amount=rupiah(latest[0].amount)),
            _("Uangnya tetap hak lembaga Anda dan menunggu dibayar lagi."),
            url_for("provider.payout", payout_id=latest[0].id),
            _("Lihat alasan bank"),
        )
    return _about_account(accounts, now)


def account_in(accounts: Sequence[BankAccount], state: BankAccountState) -> BankAccount | None:
    """The newest account in this state, or None; at most one is approved."""
    return next((each for each in accounts if each.state == state), None)


def obstacle_words(accounts: Sequence[BankAccount]) -> str:
    """Why nothing can be paid: an account waits for its second person, is refused by the bank, or missing."""
    proposed = account_in(accounts, BankAccountState.PROPOSED)
    if proposed is not None:
        return _("Rekening %(account)s menunggu orang kedua.", account=account_words(proposed))
    refused = account_in(accounts, BankAccountState.APPROVED)
    if refused is not None:
        return _("Bank menolak rekening %(account)s.", account=account_words(refused))
    return _("Belum ada rekening bank.")


def declared_until(session: Session, ended_at: datetime) -> datetime:
    """When Bekal declares a run itself: the longest period of all schemes, because a run may hold several."""
    days = max(scheme.declaration_working_days for scheme in schemes.list_schemes(session))
    return calendar.end_of_working_days(session, ended_at, days)


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


def _unconfirmed(session: Session, first: Progress) -> Alert:
    until = first.enrolment.confirm_by
    assert until is not None  # a CHECK of the table
    count = max(1, provider_queries.count_awaiting(session, first.enrolment.provider_id))
    return Alert(
        ngettext(
            "%(num)s pendaftaran menunggu konfirmasi Anda.",
            "%(num)s pendaftaran menunggu konfirmasi Anda.",
            count,
        ),
        _("Yang pertama dilepas setelah %(until)s.", until=moment(until)),
        url_for("provider.enrolments", state="awaiting"),
        _("Konfirmasi sekarang"),
    )


def _about_account(accounts: Sequence[BankAccount], now: datetime) -> Alert | None:
    """What keeps money from being paid; while another account is looked at there is nothing to do."""
    used = account_in(accounts, BankAccountState.APPROVED)
    href, look = url_for("provider.bank_account"), _("Lihat rekening")
    if used is not None and not used.blocked_code:
        if used.usable_from is None or used.usable_from <= now:
            return None
        words = _("Rekening baru %(account)s belum dipakai.", account=account_words(used))
        rest = _("Pembayaran ke sana mulai %(when)s.", when=moment(used.usable_from))
        return Alert(words, rest, href, look)
    if account_in(accounts, BankAccountState.PROPOSED) is not None:
        rest = _("Sesudah kantor program menyetujuinya, hak lembaga dibayarkan ke sana.")
        return Alert(obstacle_words(accounts), rest, href, look)
    rest = _("Ajukan rekening lain sebagai gantinya.") if used else _("Hak lembaga menunggu sampai ada.")
    return Alert(obstacle_words(accounts), rest, href, _("Ajukan rekening"))


def _about_statement(session: Session, provider_id: uuid.UUID, now: datetime) -> Alert | None:
    year = clock.local_date(now).year
    if signed_in_user().id in statements.latest_of(session, provider_id, year):
        return None
    words = _("Anda belum membuat pernyataan benturan kepentingan %(year)s.", year=year)
    rest = _("Setiap staf membuatnya sekali setahun.")
    return Alert(words, rest, url_for("provider.statement"), _("Buat pernyataan"))
