"""A participant's first page: the balance, its deadline, what comes next, and every movement."""

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from flask import render_template, url_for
from flask_babel import gettext as _

from marketplace import clock, db
from marketplace.batches import queries as grants
from marketplace.batches.models import Grant, GrantState
from marketplace.enrolments import queries
from marketplace.enrolments.models import CANCELLED
from marketplace.enrolments.queries import HistoryRow
from marketplace.participants.eligibility import sentence
from marketplace.web.formatting import language, local, month, rupiah
from marketplace.web.identity import current_participant
from marketplace.web.participant.blueprint import pages
from marketplace.web.shell import zone
from marketplace.web.state_words import kind_words


@dataclass(frozen=True, slots=True)
class Movement:
    """One row of the history, in words."""

    row: HistoryRow
    title: str
    words: str
    href: str | None
    icon: str
    tone: str


@pages.get("/beranda")
def home() -> str:
    """Balance and deadline, next step, history."""
    current = db.session()
    participant = current_participant()
    grant = grants.find_grant(current, participant.id)
    now = clock.now(current)
    return render_template(
        "participant/home.html",
        participant=participant,
        grant=grant,
        deadline=_deadline(grant),
        frozen_reason=sentence(grant.frozen_code, language()) if grant and grant.frozen_code else None,
        money=queries.money_of_participant(current, participant.id),
        coming=queries.find_next_meeting(current, participant.id, now),
        months=_months(queries.history(current, participant.id), grant),
        now=now,
    )


def _deadline(grant: Grant | None) -> datetime | None:
    """The first purchase's deadline while nothing was bought, afterwards the scheme's last day."""
    if grant is None:
        return None
    unspent = grant.first_purchase_at is None and grant.first_purchase_by is not None
    return grant.first_purchase_by if unspent else grant.spend_by


def _months(rows: list[HistoryRow], grant: Grant | None) -> list[tuple[str, list[Movement]]]:
    reader = zone()
    grouped = groupby(rows, key=lambda row: local(row.line.effective_at, reader).strftime("%Y-%m"))
    months = [[_movement(row, grant) for row in found] for _month, found in grouped]
    return [(month(found[0].row.line.effective_at, reader), found) for found in months]


def _movement(row: HistoryRow, grant: Grant | None) -> Movement:
    icon, tone = _SIGNS.get(row.line.kind, ("list", ""))
    if row.enrolment is None:
        kind = _kind(row, grant)
        return Movement(row, kind_words(kind), _words(row, kind), None, icon, tone)
    title = row.enrolment.run.course.title
    if row.line.kind == "cancellation":
        title = _("%(course)s dibatalkan", course=title)
    href = url_for("participant.receipt", enrolment_id=row.enrolment.id)
    return Movement(row, title, _words(row, row.line.kind), href, icon, tone)


def _kind(row: HistoryRow, grant: Grant | None) -> str:
    """The books call both a revocation; for its owner it matters which of the two it was."""
    has_lapsed = grant is not None and grant.state == GrantState.LAPSED
    return "lapse" if row.line.kind == "revocation" and has_lapsed else row.line.kind


_SIGNS = {
    "purchase": ("up", "kunyit"),
    "cancellation": ("back", "daun"),
    "completion": ("check", "daun"),
    "grant": ("down", "daun"),
    "revocation": ("up", "bata"),
}


def _words(row: HistoryRow, kind: str) -> str:
    if kind == "completion" and row.enrolment is not None:
        if row.enrolment.state in CANCELLED:
            return _("Dibatalkan lembaga di tengah jalan. Sisanya kembali ke saldo.")
        return _(
            "Selesai, hadir %(percent)s%%. Sisa %(amount)s kembali ke saldo.",
            percent=row.enrolment.percent,
            amount=rupiah(row.line.amount),
        )
    return {
        "purchase": _("Dititipkan di Bekal. Lembaga dibayar sesuai kehadiran Anda."),
        "cancellation": _("Kembali utuh ke saldo Anda."),
        "grant": _("Bantuan pelatihan masuk ke saldo Anda."),
        "revocation": _("Belum ada pembelian sampai batas waktunya, jadi bantuan kembali ke negara."),
        "lapse": _("Masa bantuan berakhir, jadi sisa saldo kembali ke negara."),
    }.get(kind, "")
