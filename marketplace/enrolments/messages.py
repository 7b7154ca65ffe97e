"""What people are told about their enrolments, in the language they chose."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

from marketplace.catalogue.models import RunKind, RunSession
from marketplace.clock import ZONE, zone_of
from marketplace.enrolments.models import Enrolment, EnrolmentState
from marketplace.identity.models import User
from marketplace.participants.models import Participant
from marketplace.providers.models import Provider

_MOMENT = {"id": "d MMMM y 'pukul' HH.mm", "en": "d MMMM y 'at' HH:mm"}
_ZONES = {"Asia/Jakarta": "WIB", "Asia/Makassar": "WITA", "Asia/Jayapura": "WIT"}

_ENROLLED = {"id": "Anda terdaftar: {title}", "en": "You are enrolled: {title}"}
_BEGINNING = {
    RunKind.SCHEDULED: {"id": "Kelas mulai {starts}.", "en": "The run starts on {starts}."},
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
_AWAITING = {
    "id": (
        "Menunggu konfirmasi lembaga: {title}",
        "Lembaga mengonfirmasi kursi Anda paling lambat {confirm_by}; kami kabari begitu ada jawaban.",
        "{price} disisihkan dari saldo pelatihan Anda, belum dibayarkan. Bila kursi tidak dikonfirmasi, "
        "semuanya kembali. Yang masih bisa dipakai {balance}.",
        "Berubah pikiran? Batalkan kapan saja sebelum dikonfirmasi{money}.",
    ),
    "en": (
        "Waiting for the provider's confirmation: {title}",
        "The provider confirms your seat by {confirm_by} at the latest; we tell you as soon as it answers.",
        "{price} of your training balance is set aside, not paid. If the seat is not confirmed, all of it "
        "comes back. {balance} can still be spent.",
        "Changed your mind? Cancel at any time before the seat is confirmed{money}.",
    ),
}
_ASKED = {
    "id": (
        "Konfirmasi kursi: {title}",
        "{name} meminta kursi di kelas Anda ({receipt}). Konfirmasi atau tolak paling lambat {confirm_by} di "
        "halaman Pendaftaran; tanpa jawaban, kursinya dilepas.",
    ),
    "en": (
        "Confirm a seat: {title}",
        "{name} asks for a seat in your run ({receipt}). Confirm or decline by {confirm_by} on the page "
        "Enrolments; without an answer the seat is given up.",
    ),
}
_DECLINED = {
    "id": (
        "Lembaga tidak bisa menerima Anda: {title}",
        "Lembaga tidak bisa memberi Anda kursi di kelas ini. Anda bisa memilih jadwal atau kursus lain.",
    ),
    "en": (
        "The provider cannot take you: {title}",
        "The provider has no seat for you in this run. You can choose another run or course.",
    ),
}
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
        EnrolmentState.CONFIRMATION_EXPIRED: (
            "Kursi tidak dikonfirmasi: {title}",
            "Lembaga tidak menjawab sampai batas waktunya, jadi kursi Anda dilepas. Anda bisa memilih jadwal "
            "atau kursus lain.",
        ),
    },
    "en": {
        EnrolmentState.COMPLETED: ("Completed: {title}", "You attended {percent}%."),
        EnrolmentState.NO_SHOW: (
            "You did not attend: {title}",
            "No attendance of yours was recorded in this run.",
        ),
        EnrolmentState.CANCELLED_BY_PARTICIPANT: (
            "Purchase cancelled: {title}",
            "You cancelled this purchase.",
        ),
        EnrolmentState.CANCELLED_BY_PROVIDER: (
            "Cancelled by the provider: {title}",
            "The provider cancelled this run. You can choose another course.",
        ),
        EnrolmentState.CANCELLED_BY_PROGRAMME: (
            "Purchase returned: {title}",
            "No attendance was recorded in this run, so your purchase is returned.",
        ),
        EnrolmentState.CONFIRMATION_EXPIRED: (
            "The seat was not confirmed: {title}",
            "The provider did not answer in time, so your seat is given up. You can choose another run or "
            "course.",
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
_TAKEN_BACK = {
    "id": (
        "Pembelian dikembalikan: {title}",
        "Pengaduan {reason} dikabulkan: program membatalkan pembelian ini.",
    ),
    "en": (
        "Purchase returned: {title}",
        "Complaint {reason} is upheld: the programme cancels this purchase.",
    ),
}
_WRITTEN = {
    "id": (
        "Pesan lembaga: {title}",
        "{provider} menulis kepada peserta:\n\n{text}\n\n"
        "Lembaga tidak pernah meminta kode masuk atau pembayaran di luar Bekal.",
    ),
    "en": (
        "A message from the provider: {title}",
        "{provider} writes to the participants:\n\n{text}\n\n"
        "Providers never ask for a sign-in code or for money outside Bekal.",
    ),
}


@dataclass(frozen=True, slots=True)
class Ending:
    """What comes back (rupiah), whether it may be spent again, and the provider's reason, if any; the
    programme's is the number of the complaint that it upheld.

    `is_declined`: a seat was asked for and refused, in place of a run cancelled.
    """

    rest: Decimal
    is_spendable: bool
    reason: str = ""
    is_declined: bool = False


@dataclass(frozen=True, slots=True)
class Reader:
    """How one person reads dates and chooses words."""

    locale: str
    zone: ZoneInfo = ZONE

    def moment(self, instant: datetime | None) -> str:
        """`1 Desember 2026 pukul 09.00 WIT`: as on the pages of whoever reads."""
        if instant is None:
            return ""
        written = format_datetime(instant, _MOMENT[self.locale], tzinfo=self.zone, locale=self.locale)
        return f"{written} {_ZONES[self.zone.key]}"


def purchased(enrolment: Enrolment) -> tuple[str, str]:
    """Subject and body of the receipt's message. Of money only where there is any."""
    reader, run = reader_of(enrolment.participant.user, enrolment.participant), enrolment.run
    kind, locale = RunKind(run.kind), reader.locale
    money = [_PAID[locale]] if enrolment.price else []
    said = " ".join([_BEGINNING[kind][locale], *money, _RECEIPT[locale]]).format(
        starts=reader.moment(run.starts_at),
        ends=reader.moment(run.ends_at),
        price=rupiah(enrolment.price),
        balance=rupiah(enrolment.balance_after),
        receipt=enrolment.receipt_number,
    )
    undo = _SECOND_THOUGHTS[kind][locale].format(money=_ALL_BACK[locale] if enrolment.price else "")
    return _ENROLLED[locale].format(title=enrolment.course_title), f"{said}\n\n{undo}"


def awaiting(enrolment: Enrolment) -> tuple[str, str]:
    """Subject and body when the provider is asked to confirm. Of money only where there is any."""
    reader = reader_of(enrolment.participant.user, enrolment.participant)
    subject, until, money, undo = _AWAITING[reader.locale]
    said = " ".join([until, *([money] if enrolment.price else []), _RECEIPT[reader.locale]]).format(
        confirm_by=reader.moment(enrolment.confirm_by),
        price=rupiah(enrolment.price),
        balance=rupiah(enrolment.balance_after),
        receipt=enrolment.receipt_number,
    )
    undo = undo.format(money=_ALL_BACK[reader.locale] if enrolment.price else "")
    return subject.format(title=enrolment.course_title), f"{said}\n\n{undo}"


def asked(enrolment: Enrolment, staff: User) -> tuple[str, str]:
    """Subject and body for somebody of the provider who has to confirm a seat."""
    reader = reader_of(staff, enrolment.run.course.provider)
    subject, body = _ASKED[reader.locale]
    return subject.format(title=enrolment.course_title), body.format(
        name=enrolment.participant.full_name,
        receipt=enrolment.receipt_number,
        confirm_by=reader.moment(enrolment.confirm_by),
    )


def ended(enrolment: Enrolment, ending: Ending) -> tuple[str, str]:
    """Subject and body when an enrolment is completed or cancelled."""
    locale, state = reader_of(enrolment.participant.user).locale, EnrolmentState(enrolment.state)
    is_taken_back = bool(ending.reason) and state is EnrolmentState.CANCELLED_BY_PROGRAMME
    subject, body = _DECLINED[locale] if ending.is_declined else _ENDED[locale][state]
    if is_taken_back:
        subject, body = _TAKEN_BACK[locale]
    sentences = [body.format(percent=enrolment.percent, reason=ending.reason)]
    if ending.reason and not is_taken_back:
        sentences.append(_REASON[locale].format(reason=ending.reason))
    if ending.rest > 0:
        sentences.append(_RETURNED[locale][ending.is_spendable].format(rest=rupiah(ending.rest)))
    return subject.format(title=enrolment.course_title), "\n\n".join(sentences)


def attendance_uploaded(enrolment: Enrolment, meeting: RunSession) -> tuple[str, str]:
    """Subject and body when the provider's own list names somebody."""
    reader = reader_of(enrolment.participant.user, enrolment.participant)
    subject, body = _UPLOADED[reader.locale]
    return subject.format(title=enrolment.course_title), body.format(
        sequence=meeting.sequence, starts=reader.moment(meeting.starts_at)
    )


def from_provider(enrolment: Enrolment, text: str) -> tuple[str, str]:
    """Subject and body of what a provider writes to a run's participants; its words stay as they are."""
    subject, body = _WRITTEN[reader_of(enrolment.participant.user).locale]
    course = enrolment.run.course
    return subject.format(title=course.title), body.format(provider=course.provider.name, text=text)


def reader_of(user: User, resident: Participant | Provider | None = None) -> Reader:
    """How a user is written to; in Indonesian where their language has no words here, and in the time of
    where they live or their provider sits."""
    zone = zone_of(resident.province_code) if resident is not None else ZONE
    return Reader(user.locale if user.locale in _MOMENT else "id", zone)


def rupiah(amount: Decimal) -> str:
    """`Rp3.500.000`, as in both languages."""
    return "Rp" + f"{amount:,.0f}".replace(",", ".")
