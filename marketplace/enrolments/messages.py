"""What people are told about their enrolments, in the language they chose."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from babel.dates import format_datetime

from marketplace.catalogue.models import RunKind, RunSession
from marketplace.clock import ZONE
from marketplace.enrolments.models import Enrolment, EnrolmentState

_MOMENT = {"id": "d MMMM y 'pukul' HH.mm 'WIB'", "en": "d MMMM y 'at' HH:mm 'WIB'"}

_ENROLLED = {"id": "Anda terdaftar: {title}", "en": "You are enrolled: {title}"}
_BEGINNING = {
    RunKind.SCHEDULED: {"id": "Kelas mulai {starts}.", "en": "Classes start on {starts}."},
    RunKind.SELF_PACED: {
        "id": "Belajar kapan saja sampai {ends}.",
        "en": "Learn at any time until {ends}.",
    },
}
_PAID = {
    "id": "{price} dari saldo pelatihan dititipkan di Bekal; lembaga dibayar sesuai kehadiran Anda. "
    "Sisa saldo {balance}.",
    "en": "{price} of your training balance is kept by Bekal; the provider is paid according to your "
    "attendance. {balance} is left.",
}
_RECEIPT = {"id": "Bukti pembelian {receipt}.", "en": "Receipt {receipt}."}
_SECOND_THOUGHTS = {
    RunKind.SCHEDULED: {
        "id": "Berubah pikiran? Batalkan sebelum kelas mulai{money}.",
        "en": "Changed your mind? Cancel before the start{money}.",
    },
    RunKind.SELF_PACED: {
        "id": "Berubah pikiran? Batalkan sebelum unit pertama dibuka{money}.",
        "en": "Changed your mind? Cancel before you open the first unit{money}.",
    },
}
_ALL_BACK = {"id": ", uang kembali utuh", "en": " and all of it comes back"}
_ENDED: Mapping[str, Mapping[EnrolmentState, tuple[str, str]]] = {
    "id": {
        EnrolmentState.COMPLETED: ("Selesai: {title}", "Kehadiran Anda {percent}%."),
        EnrolmentState.NO_SHOW: (
            "Anda tidak hadir: {title}",
            "Kehadiran Anda tidak tercatat di kelas ini.",
        ),
        EnrolmentState.CANCELLED_BY_PARTICIPANT: (
            "Pembelian dibatalkan: {title}",
            "Anda membatalkan pembelian ini.",
        ),
        EnrolmentState.CANCELLED_BY_PROVIDER: (
            "Kelas dibatalkan lembaga: {title}",
            "Lembaga membatalkan kelas ini. Anda bisa memilih kursus lain.",
        ),
        EnrolmentState.CANCELLED_BY_PROGRAMME: (
            "Pembelian dikembalikan: {title}",
            "Tidak ada kehadiran yang tercatat di kelas ini, jadi pembelian Anda dikembalikan.",
        ),
    },
    "en": {
        EnrolmentState.COMPLETED: ("Completed: {title}", "You attended {percent}%."),
        EnrolmentState.NO_SHOW: (
            "You did not attend: {title}",
            "No attendance of yours was recorded in this class.",
        ),
        EnrolmentState.CANCELLED_BY_PARTICIPANT: (
            "Purchase cancelled: {title}",
            "You cancelled this purchase.",
        ),
        EnrolmentState.CANCELLED_BY_PROVIDER: (
            "Cancelled by the provider: {title}",
            "The provider cancelled this class. You can choose another course.",
        ),
        EnrolmentState.CANCELLED_BY_PROGRAMME: (
            "Purchase returned: {title}",
            "No attendance was recorded in this class, so your purchase is returned.",
        ),
    },
}
_REASON = {"id": "Alasannya: {reason}", "en": "The reason given: {reason}"}
_RETURNED = {
    "id": (
        "{rest} kembali ke kas program, karena masa pakai saldo Anda sudah berakhir.",
        "{rest} kembali ke saldo pelatihan Anda.",
    ),
    "en": (
        "{rest} goes back to the programme, because your balance can no longer be spent.",
        "{rest} returns to your training balance.",
    ),
}
_UPLOADED = {
    "id": (
        "Kehadiran Anda dicatat lembaga: {title}",
        "Lembaga mencatat bahwa Anda hadir di sesi {sequence} ({starts}). Jika itu tidak benar, "
        "beri tahu kami.",
    ),
    "en": (
        "The provider recorded your attendance: {title}",
        "The provider says that you attended session {sequence} ({starts}). If that is not true, tell us.",
    ),
}


@dataclass(frozen=True, slots=True)
class Ending:
    """What comes back (rupiah), whether it may be spent again, and the provider's reason, if any."""

    rest: Decimal
    is_spendable: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Reader:
    """How one person reads dates and chooses words."""

    locale: str

    def moment(self, instant: datetime | None) -> str:
        if instant is None:
            return ""
        return format_datetime(instant, _MOMENT[self.locale], tzinfo=ZONE, locale=self.locale)


def purchased(enrolment: Enrolment) -> tuple[str, str]:
    """Subject and body of the receipt's message. Of money only where there is any."""
    reader, run = _reader(enrolment), enrolment.run
    kind, locale = RunKind(run.kind), reader.locale
    money = [_PAID[locale]] if enrolment.price else []
    said = " ".join([_BEGINNING[kind][locale], *money, _RECEIPT[locale]]).format(
        starts=reader.moment(run.starts_at),
        ends=reader.moment(run.ends_at),
        price=_rupiah(enrolment.price),
        balance=_rupiah(enrolment.balance_after),
        receipt=enrolment.receipt_number,
    )
    undo = _SECOND_THOUGHTS[kind][locale].format(money=_ALL_BACK[locale] if enrolment.price else "")
    return _ENROLLED[locale].format(title=run.course.title), f"{said}\n\n{undo}"


def ended(enrolment: Enrolment, ending: Ending) -> tuple[str, str]:
    """Subject and body when an enrolment is completed or cancelled."""
    locale = _reader(enrolment).locale
    subject, body = _ENDED[locale][EnrolmentState(enrolment.state)]
    sentences = [body.format(percent=enrolment.percent)]
    if ending.reason:
        sentences.append(_REASON[locale].format(reason=ending.reason))
    if ending.rest > 0:
        sentences.append(_RETURNED[locale][ending.is_spendable].format(rest=_rupiah(ending.rest)))
    return subject.format(title=enrolment.run.course.title), "\n\n".join(sentences)


def attendance_uploaded(enrolment: Enrolment, meeting: RunSession) -> tuple[str, str]:
    """Subject and body when the provider's own list names somebody."""
    reader = _reader(enrolment)
    subject, body = _UPLOADED[reader.locale]
    return subject.format(title=enrolment.run.course.title), body.format(
        sequence=meeting.sequence, starts=reader.moment(meeting.starts_at)
    )


def _reader(enrolment: Enrolment) -> _Reader:
    locale = enrolment.participant.user.locale
    return _Reader(locale if locale in _MOMENT else "id")


def _rupiah(amount: Decimal) -> str:
    return "Rp" + f"{amount:,.0f}".replace(",", ".")
