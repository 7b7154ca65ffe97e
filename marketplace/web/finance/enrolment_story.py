"""The transactions of one enrolment: from the grant over the purchase to the provider's account."""

from collections.abc import Sequence
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
from marketplace.enrolments import correction, queries
from marketplace.enrolments.correction_models import ResultCorrection
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
    corrections: Sequence[ResultCorrection] = ()

    def percent_of(self, record: TransactionRecord) -> int | None:
        """The attendance that a transaction went by: as declared, or as corrected."""
        for each in self.corrections:
            if record.id in each.transaction_ids:
                return each.new_percent
        return self.corrections[0].old_percent if self.corrections else self.enrolment.percent

    def presence_at(self, record: TransactionRecord) -> str:
        """How much of it was attended; marks that were corrected since are no longer counted one by one."""
        if self.corrections:
            return _("%(percent)s%% sesi", percent=self.percent_of(record))
        return _("%(attended)s dari %(promised)s sesi", attended=self.attended, promised=len(self.meetings))

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
        correction.list_corrections(session, enrolment.id),
    )


def title_and_words(record: TransactionRecord, facts: Facts) -> tuple[str, str]:
    """The heading and the plain sentence of a purchase, a completion or a cancellation."""
    tellers = {
        "purchase": _purchase,
        "completion": _completion,
        "reversal": _reversal,
        "correction": _corrected,
    }
    teller = tellers.get(record.kind, _cancellation)
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
    gross = sum_of(record, "payable", "fees")
    values = {
        "name": escape(facts.name),
        "course": _course_link(enrolment),
        "presence": facts.presence_at(record),
        "price": rupiah(enrolment.price),
        "gross": rupiah(gross),
        "fee": percent(enrolment.fee_rate * 100),
    }
    words = _(
        "%(name)s hadir %(presence)s %(course)s. Dari %(price)s yang dititipkan,"
        " %(gross)s menjadi hak lembaga, dikurangi potongan program %(fee)s",
        **values,
    )
    words += _(", dan sisanya kembali ke saldo peserta.") if gross < enrolment.price else "."
    kind = _("Pembatalan") if enrolment.state in CANCELLED else _("Penyelesaian")
    title = _(
        "%(kind)s %(percent)s%%: %(parts)s",
        kind=kind,
        percent=facts.percent_of(record),
        parts=_parted(record),
    )
    return title, Markup(words)  # noqa: S704 - parts are escaped


def _reversal(record: TransactionRecord, facts: Facts) -> tuple[str, str]:
    """What a correction took back of an earlier settlement."""
    amount = rupiah(sum_of(record))
    words = _(
        "Lembaga mengoreksi hasil %(name)s di %(course)s. %(amount)s dari penyelesaian sebelumnya ditarik ke"
        " titipan untuk dihitung ulang.",
        name=escape(facts.name),
        course=_course_link(facts.enrolment),
        amount=amount,
    )
    return _("Koreksi: %(amount)s ditarik", amount=amount), Markup(words)  # noqa: S704 - parts are escaped


def _corrected(record: TransactionRecord, facts: Facts) -> tuple[str, str]:
    """What it became by the corrected result."""
    made = [each for each in facts.corrections if record.id in each.transaction_ids]
    percents = {"old": made[0].old_percent, "percent": made[0].new_percent} if made else {}
    words = _(
        "%(name)s hadir %(percent)s%% di %(course)s, bukan %(old)s%%: %(reason)s."
        " %(gross)s menjadi hak lembaga, dikurangi potongan program %(fee)s.",
        name=escape(facts.name),
        course=_course_link(facts.enrolment),
        reason=escape(made[0].reason.rstrip(".")) if made else "",
        gross=rupiah(sum_of(record, "payable", "fees")),
        fee=percent(facts.enrolment.fee_rate * 100),
        **percents,
    )
    title = _("Koreksi menjadi %(percent)s%%: %(parts)s", parts=_parted(record), **percents)
    return title, Markup(words)  # noqa: S704 - parts are escaped


def sum_of(record: TransactionRecord, *families: str) -> Decimal:
    """What a transaction credited to accounts of these families, or in all."""
    wanted = [
        each.amount for each in record.postings if not families or each.credit.partition(":")[0] in families
    ]
    return sum(wanted, Decimal(0))


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
    """What went back when the provider's part was settled: it happened in the same transaction.

    After a correction the boxes of its own transactions say so.
    """
    if facts.corrections:
        return []
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
    return Markup('<a href="{}">{}</a>').format(href, enrolment.course_title)
