"""A participant's first page: the balance, its deadline, what comes next, and every movement."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby

from flask import render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from marketplace import clock, db
from marketplace.batches import queries as grants
from marketplace.batches.models import Grant, GrantState
from marketplace.catalogue import queries as catalogue
from marketplace.catalogue.queries import Affordable, PriceList
from marketplace.enrolments import certificates, line_queries, queries
from marketplace.enrolments.bought import Bought, list_bought, next_to_attend, next_to_study
from marketplace.enrolments.history import EXPIRY, HOLD, RELEASE, HistoryRow, told
from marketplace.enrolments.models import CANCELLED, EnrolmentState
from marketplace.participants.eligibility import sentence
from marketplace.payouts import surveys
from marketplace.payouts.incentive_outlook import outlook
from marketplace.web.formatting import here, language, local, month, rupiah
from marketplace.web.identity import current_participant
from marketplace.web.kept import Kept, kept
from marketplace.web.participant.blueprint import pages
from marketplace.web.participant.incentive_words import outlook_words
from marketplace.web.shell import note_balance
from marketplace.web.state_words import kind_words

_CERTIFICATES, _NEWEST = 3, 20
_PRICES, _MOST_SCHEMES = "prices", 10


@dataclass(frozen=True, slots=True)
class Movement:
    """One row of the history, in words."""

    row: HistoryRow
    title: str
    words: str
    href: str
    icon: str
    tone: str


@pages.get("/beranda")
def home() -> str:
    """Balance and deadline, next step, history."""
    current = db.session()
    participant = current_participant()
    grant = grants.find_grant(current, participant.id)
    now = clock.now(current)
    passbook, mine = grants.passbook_of(current, participant.id), list_bought(current, participant.id)
    money = queries.money_of(grant, passbook.funds, mine)
    note_balance(money.available)
    may_buy = grant is not None and grant.state == GrantState.ACTIVE and money.available > 0
    # without a result there is no certificate, and without a certificate no incentive
    own = certificates.list_all_own(current, participant.id) if any(e.completed_at for e in mine) else []
    cash = surveys.overview(current, grant if own else None)
    coming = next_to_attend(mine)
    rows = told(current, passbook.lines, mine)
    waits = None if cash.earned else outlook(current, grant, own)
    return render_template(
        "participant/home.html",
        participant=participant,
        grant=grant,
        deadline=_deadline(grant),
        frozen_reason=sentence(grant.frozen_code, language()) if grant and grant.frozen_code else None,
        money=money,
        offered=line_queries.list_offers(current, participant.id),
        coming=coming,
        studying=None if coming else next_to_study(mine, now),
        affordable=_affordable(current, grant, money.available, now) if grant and may_buy else None,
        cash=cash,
        waits=outlook_words(waits) if waits else None,
        certificates=[each for each in own if each.revoked_at is None][:_CERTIFICATES],
        months=by_month(rows[:_NEWEST], grant),
        has_more=len(rows) > _NEWEST,
        now=now,
    )


def _affordable(session: Session, grant: Grant, available: Decimal, now: datetime) -> Affordable:
    """By prices that may be as old as any count of courses: they are the same for every balance."""
    prices: Kept[PriceList] = kept(_PRICES, _MOST_SCHEMES)
    least = grant.scheme.shortest_hours
    return prices.get(least, lambda: catalogue.list_prices(session, now, least)).covered_by(available)


def _deadline(grant: Grant | None) -> datetime | None:
    """The first purchase's deadline while nothing was bought, afterwards the scheme's last day."""
    if grant is None:
        return None
    unspent = grant.first_purchase_at is None and grant.first_purchase_by is not None
    return grant.first_purchase_by if unspent else grant.spend_by


def by_month(rows: list[HistoryRow], grant: Grant | None) -> list[tuple[str, list[Movement]]]:
    """Rows of the history in words, under the month of the reader's zone in which they were."""
    reader = here()
    grouped = groupby(rows, key=lambda row: local(row.at, reader).strftime("%Y-%m"))
    months = [[movement_of(row, grant) for row in found] for _month, found in grouped]
    return [(month(found[0].row.at, reader), found) for found in months]


def movement_of(row: HistoryRow, grant: Grant | None) -> Movement:
    """A row of the history in words, with the page that proves it."""
    icon, tone = _SIGNS.get(row.kind, ("list", ""))
    if row.enrolment is None:
        kind = _kind(row, grant)
        href = url_for("participant.movement", transaction_id=row.transaction_id)
        title = _("Bantuan dicabut") if kind == "revocation" else kind_words(kind)
        return Movement(row, title, _words(row, kind), href, icon, tone)
    title = row.enrolment.course_title
    if row.kind in ("cancellation", RELEASE, EXPIRY):
        title = _("%(course)s dibatalkan", course=title)
    elif row.kind in CORRECTED:
        title = _("%(course)s dikoreksi", course=title)
    href = url_for("participant.receipt", enrolment_id=row.enrolment.id)
    return Movement(row, title, _words(row, row.kind), href, icon, tone)


def _kind(row: HistoryRow, grant: Grant | None) -> str:
    """The books call both a revocation; for its owner it matters which of the two it was."""
    has_lapsed = grant is not None and grant.state == GrantState.LAPSED
    return "lapse" if row.kind == "revocation" and has_lapsed else row.kind


CORRECTED = ("reversal", "correction")
"""Kinds of transactions that a corrected result leaves: what is taken back, and what is given anew."""

_SIGNS = {
    "purchase": ("up", "kunyit"),
    "cancellation": ("back", "daun"),
    "completion": ("check", "daun"),
    "grant": ("down", "daun"),
    "revocation": ("up", "bata"),
    "reversal": ("up", "kunyit"),
    "correction": ("back", "daun"),
    HOLD: ("clock", "kunyit"),
    RELEASE: ("back", "daun"),
    EXPIRY: ("back", "daun"),
    "incentive": ("down", "daun"),
    "survey": ("down", "daun"),
}


def _words(row: HistoryRow, kind: str) -> str:
    if kind == "completion" and row.enrolment is not None:
        if row.enrolment.state in CANCELLED:
            return _("Dibatalkan lembaga di tengah jalan. Sisanya kembali ke saldo.")
        if not row.percent:
            return _("Tidak datang. Sisa %(amount)s kembali ke saldo.", amount=rupiah(row.amount))
        return _(
            "Selesai, hadir %(percent)s%%. Sisa %(amount)s kembali ke saldo.",
            percent=row.percent,
            amount=rupiah(row.amount),
        )
    if kind in CORRECTED:
        return _words_of_correction(row, kind)
    if row.enrolment is not None and row.enrolment.hold_id is not None and kind != "cancellation":
        return _words_of_wait(row.enrolment, kind)
    return str(_SAID.get(kind, ""))


_SAID = {
    "purchase": _l("Dititipkan di Bekal. Lembaga dibayar sesuai kehadiran Anda."),
    "cancellation": _l("Kembali utuh ke saldo Anda."),
    "grant": _l("Bantuan pelatihan masuk ke saldo Anda."),
    "revocation": _l("Belum ada pembelian sampai batas waktunya, jadi bantuan kembali ke negara."),
    "lapse": _l("Masa bantuan berakhir, jadi sisa saldo kembali ke negara."),
    "incentive": _l("Sertifikat Anda sudah tetap. Jumlah ini hak Anda sendiri."),
    "survey": _l("Terima kasih sudah menjawab. Jumlah ini hak Anda sendiri."),
}


def _words_of_correction(row: HistoryRow, kind: str) -> str:
    values = {"percent": row.percent, "amount": rupiah(abs(row.amount))}
    if kind == "reversal":
        return _("Hasil dikoreksi menjadi %(percent)s%%. %(amount)s menjadi bagian lembaga.", **values)
    return _("Hasil dikoreksi menjadi %(percent)s%%. %(amount)s lagi kembali ke saldo.", **values)


def _words_of_wait(enrolment: Bought, kind: str) -> str:
    """What was set aside until a provider confirms the seat, and how that ended."""
    if kind == HOLD:
        return _("Menunggu konfirmasi lembaga. Disisihkan dari saldo, belum dibayarkan.")
    if kind == EXPIRY:
        return _("Lembaga tidak menjawab sampai batasnya. Yang disisihkan kembali utuh.")
    if kind != RELEASE:
        return _("Lembaga mengonfirmasi kursi Anda. Yang disisihkan kini dititipkan di Bekal.")
    if enrolment.state == EnrolmentState.CANCELLED_BY_PARTICIPANT:
        return _("Anda batalkan sebelum dikonfirmasi. Yang disisihkan kembali utuh.")
    return _("Lembaga tidak memberi kursi. Yang disisihkan kembali utuh.")
