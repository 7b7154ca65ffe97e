"""The transactions of one enrolment: from the grant over the purchase to the provider's account."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from markupsafe import Markup, escape
from sqlalchemy.orm import Session

import ledger
from ledger import TransactionRecord, find_transactions
from marketplace.enrolments import queries
from marketplace.enrolments.models import CANCELLED, AttendanceMethod, Earning, EarningState, Enrolment
from marketplace.enrolments.queries import AttendedMeeting
from marketplace.identity.models import User
from marketplace.payouts import queries as payouts
from marketplace.payouts.models import Payout, PayoutState
from marketplace.web.finance.account_names import short_name
from marketplace.web.finance.traces import Stages, box, pending_box
from marketplace.web.formatting import percent, rupiah, short_date
from marketplace.web.state_words import Tag, payout_tag


@dataclass(frozen=True, slots=True)
class Facts:
    """An enrolment with everything that its transactions are told by."""

    enrolment: Enrolment
    earning: Earning | None
    meetings: list[AttendedMeeting]
    trail: list[TransactionRecord]
    payouts: list[Payout]

    @property
    def name(self) -> str:
        return short_name(self.enrolment.participant.full_name)

    @property
    def attended(self) -> int:
        return sum(each.attendance is not None for each in self.meetings)


def read_facts(session: Session, enrolment: Enrolment) -> Facts:
    """Read them, in a fixed number of queries."""
    earning = enrolment.earning
    return Facts(
        enrolment,
        earning,
        queries.list_meetings(session, enrolment),
        find_transactions(session, reference=f"enrolment:{enrolment.id}"),
        payouts.list_payouts_of_earning(session, earning.id) if earning else [],
    )


def title_and_words(record: TransactionRecord, facts: Facts) -> tuple[str, str]:
    """The heading and the plain sentence of a purchase, a completion or a cancellation."""
    teller = {"purchase": _purchase, "completion": _completion}.get(record.kind, _cancellation)
    return teller(record, facts)


def _purchase(record: TransactionRecord, facts: Facts) -> tuple[str, str]:
    amount = rupiah(facts.enrolment.price)
    words = _(
        "%(name)s membeli %(course)s di %(provider)s. %(amount)s berpindah dari saldo ke titipan dan menunggu"
        " sampai kelas selesai.",
        name=escape(facts.name),
        course=_course_link(facts.enrolment),
        provider=escape(facts.enrolment.run.course.provider.name),
        amount=amount,
    )
    return _("Pembelian: %(amount)s dititipkan", amount=amount), Markup(words)  # noqa: S704 - parts are escaped


def _completion(record: TransactionRecord, facts: Facts) -> tuple[str, str]:
    enrolment = facts.enrolment
    gross = facts.earning.gross if facts.earning else Decimal(0)
    values = {
        "name": escape(facts.name),
        "course": _course_link(enrolment),
        "attended": facts.attended,
        "promised": len(facts.meetings),
        "price": rupiah(enrolment.price),
        "gross": rupiah(gross),
        "fee": percent(enrolment.fee_rate * 100),
    }
    words = _(
        "%(name)s hadir %(attended)s dari %(promised)s sesi %(course)s. Dari %(price)s yang dititipkan,"
        " %(gross)s menjadi hak lembaga, dikurangi potongan program %(fee)s",
        **values,
    )
    words += _(", dan sisanya kembali ke saldo peserta.") if gross < enrolment.price else "."
    kind = _("Pembatalan") if enrolment.state in CANCELLED else _("Penyelesaian")
    title = _(
        "%(kind)s %(percent)s%%: %(parts)s", kind=kind, percent=enrolment.percent, parts=_parted(record)
    )
    return title, Markup(words)  # noqa: S704 - parts are escaped


def _cancellation(record: TransactionRecord, facts: Facts) -> tuple[str, str]:
    amount = rupiah(facts.enrolment.price)
    reason = {
        "cancelled_by_participant": _("peserta membatalkan sebelum kelas mulai"),
        "cancelled_by_provider": _("lembaga membatalkan kelas"),
        "cancelled_by_programme": _("tidak ada kehadiran yang tercatat"),
        "no_show": _("tidak ada bukti bahwa kelas berlangsung"),
    }.get(facts.enrolment.state, _("pembelian berakhir tanpa bagian untuk lembaga"))
    words = _(
        "%(amount)s yang dititipkan %(name)s untuk %(course)s kembali utuh: %(reason)s.",
        amount=amount,
        name=escape(facts.name),
        course=_course_link(facts.enrolment),
        reason=reason,
    )
    return _("Pembatalan: %(amount)s kembali", amount=amount), Markup(words)  # noqa: S704 - parts are escaped


def _parted(record: TransactionRecord) -> str:
    total = rupiah(sum((each.amount for each in record.postings), Decimal(0)))
    parts = len(record.postings)
    if parts == 1:
        return _("%(total)s menjadi hak lembaga", total=total)
    if parts == 2:
        return _("%(total)s menjadi dua bagian", total=total)
    return _("%(total)s menjadi tiga bagian", total=total)


def stages(session: Session, record: TransactionRecord, facts: Facts) -> Stages:
    """Grant, purchase, settlement, and what became of the provider's part."""
    found: Stages = []
    if facts.enrolment.grant.transaction_id:
        grant = ledger.get_transaction(session, facts.enrolment.grant.transaction_id)
        what = _("dari %(fund)s", fund=grant.postings[0].debit)
        found.append([{**box(grant, record), "amount": facts.enrolment.grant.amount, "what": what}])
    found += [[box(each, record)] for each in facts.trail]
    following = _following(session, record, facts)
    return [*found, following] if following else found


def _following(session: Session, record: TransactionRecord, facts: Facts) -> list[dict[str, Any]]:
    earning, boxes = facts.earning, []
    for payout in reversed(facts.payouts):
        trail = find_transactions(session, reference=payout.label)
        boxes += [
            {**box(each, record), "amount": earning.net if earning else payout.amount} for each in trail
        ]
    if earning is not None and earning.state != EarningState.PAID:
        when = _("%(day)s, siap dibayar", day=short_date(earning.matures_at))
        if not any(
            payout.state in (PayoutState.SENDING, PayoutState.SENT, PayoutState.UNKNOWN)
            for payout in facts.payouts
        ):
            boxes.append(pending_box(when, earning.net))
    if facts.enrolment.is_live:
        when = _("%(day)s, kelas selesai", day=short_date(facts.enrolment.run.ends_at))
        boxes.append(pending_box(when, facts.enrolment.price))
    return boxes + _returned(facts)


def _returned(facts: Facts) -> list[dict[str, Any]]:
    """What went back when the provider's part was settled: it happened in the same transaction."""
    settled = [each for each in facts.trail if each.id == facts.enrolment.settlement_id]
    rest = facts.enrolment.price - facts.earning.gross if facts.earning else Decimal(0)
    if not settled or not rest:
        return []
    when = _("%(day)s, kembali", day=short_date(settled[0].effective_at))
    return [{"when": when, "amount": rest, "what": _("ke saldo peserta")}]


def tags(record: TransactionRecord, facts: Facts, now: datetime) -> list[Tag]:
    """Whether the provider's part has been paid."""
    if facts.enrolment.is_live:
        return [(_("Dititipkan"), "kunyit", "lock")]
    if facts.earning is None:
        return [(_("Kembali utuh"), "daun", "back")]
    if facts.earning.state == EarningState.PAID:
        return [(_("Dibayarkan"), "daun", "check")]
    if facts.earning.state == EarningState.HELD:
        return [(_("Ditahan"), "bata", "warning")]
    moving = [payout_tag(payout) for payout in facts.payouts[:1]]
    return [(_("Belum dibayarkan"), "kunyit", "clock"), *moving]


def details(session: Session, record: TransactionRecord, facts: Facts) -> list[tuple[Any, ...]]:
    """Receipt, who declared it, the attendance it rests on, the payouts it went into."""
    enrolment = facts.enrolment
    rows: list[tuple[Any, ...]] = [(_("Bukti pembelian"), enrolment.receipt_number)]
    if enrolment.completed_at is not None and record.kind == "completion":
        rows.append((_("Dinyatakan oleh"), _declared_by(session, enrolment)))
        rows.append((_("Bukti kehadiran"), _evidence(facts)))
    for payout in facts.payouts:
        href = url_for("finance.payout", run_id=payout.run_id, payout_id=payout.id)
        rows.append(
            (
                _("Pembayaran"),
                Markup('<a href="{}">{}</a>').format(href, short_date(payout.run.day)),
                payout_tag(payout)[0],
            )
        )
    return rows


def _declared_by(session: Session, enrolment: Enrolment) -> str:
    user = session.get(User, enrolment.declared_by) if enrolment.declared_by else None
    return (
        _("%(name)s, staf lembaga", name=user.name or user.contact)
        if user
        else _("Bekal, setelah batas waktu lembaga")
    )


def _evidence(facts: Facts) -> str:
    methods = [each.attendance.method for each in facts.meetings if each.attendance]
    uploaded = methods.count(AttendanceMethod.UPLOAD)
    if not methods:
        return _("tidak ada presensi sendiri; peserta lain membuktikan kelas berlangsung")
    if not uploaded:
        return _("%(count)s presensi, semua berkode", count=len(methods))
    return _("%(count)s presensi, %(uploaded)s dari daftar hadir", count=len(methods), uploaded=uploaded)


def _course_link(enrolment: Enrolment) -> Markup:
    href = url_for("catalogue.course", course_id=enrolment.run.course_id)
    return Markup('<a href="{}">{}</a>').format(href, enrolment.run.course.title)
