"""The status page: what works now, in plain words, and what was announced. It looks at the real things.

It answers without the broker, and without the database says that much.
"""

from dataclasses import dataclass

import structlog
from flask import Blueprint, current_app, g, render_template
from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError

from marketplace import clock, db
from marketplace.oversight import announcements
from marketplace.oversight.wellbeing import Signs, read_signs
from marketplace.web import announcement_words, health
from marketplace.web.formatting import duration, long_date, moment
from marketplace.web.language import current_language

log = structlog.get_logger(__name__)

pages = Blueprint("status", __name__)


@dataclass(frozen=True, slots=True)
class Line:
    """One part of the service: whether it works, and what there is to know."""

    name: str
    works: bool
    words: str


@pages.get("/status")
def status() -> tuple[str, int]:
    """What works and what does not."""
    broker = health.broker_answers(current_app.extensions["settings"])
    try:
        if health.database_state() == health.OK:
            return _page(_lines(read_signs(db.session()), broker), 200)
    except SQLAlchemyError as error:
        log.error("status_without_database", error=type(error).__name__)
    # who asks is in the database too: without it everybody is a stranger
    g.user = g.participant = g.provider = None
    return _page(_without_database(), 503)


def _lines(signs: Signs, broker: bool) -> list[Line]:
    late = signs.messages_are_late
    waits = duration(signs.now - signs.oldest_message) if signs.oldest_message else ""
    return [
        Line(
            _("Masuk dan pesan"),
            broker and signs.can_write and not late,
            _("Kode dan pesan terlambat: yang tertua menunggu %(length)s.", length=waits)
            if late
            else _("Kode dan pesan dikirim dalam beberapa detik.")
            if broker
            else _("Kode dan pesan bisa terlambat. Yang ditulis sekarang dikirim nanti."),
        ),
        Line(_("Katalog"), True, _("Kursus bisa dicari dan dibaca.")),
        Line(
            _("Pembelian"),
            signs.can_write,
            _("Kursus bisa dibeli; buktinya langsung tampil.")
            if signs.can_write
            else _("Kursus belum bisa dibeli: data hanya bisa dibaca. Coba lagi nanti."),
        ),
        _payout_line(signs, broker),
        Line(
            _("Buku besar"),
            True,
            _("Terakhir disegel %(when)s.", when=moment(signs.sealed_at))
            if signs.sealed_at
            else _("Belum ada yang perlu disegel."),
        ),
    ]


def _payout_line(signs: Signs, broker: bool) -> Line:
    words = (
        _("Pembayaran harian terakhir disiapkan untuk %(day)s.", day=long_date(signs.payout_day))
        if signs.payout_day
        else _("Belum ada pembayaran harian.")
    )
    if not broker:
        words = _("Pembayaran ke lembaga menunggu. Tidak ada yang hilang.")
    elif signs.moving:
        words += " " + _("%(count)s pembayaran menunggu jawaban bank.", count=signs.moving)
    return Line(_("Pembayaran ke lembaga"), broker, words)


def _without_database() -> list[Line]:
    """Everything that is kept is kept there."""
    rest = _("Belum bisa dipakai. Data Anda aman; coba lagi beberapa menit lagi.")
    names = (_("Masuk dan pesan"), _("Katalog"), _("Pembelian"), _("Pembayaran ke lembaga"), _("Buku besar"))
    return [Line(name, False, rest) for name in names]


def _page(lines: list[Line], code: int) -> tuple[str, int]:
    has_database = code == 200
    told = announcements.list_public(db.session()) if has_database else []
    now = clock.wall_now()
    page = render_template(
        "public/status.html",
        lines=lines,
        works=all(line.works for line in lines),
        current=[each for each in told if each.ends_at > now],
        past=[each for each in told if each.ends_at <= now],
        language=current_language(),
        now=now,
        words=announcement_words,
    )
    return page, code
