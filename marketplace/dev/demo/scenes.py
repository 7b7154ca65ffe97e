"""The demonstration's people and the classes they are in, as data: who bought what, who came how often.

Days are counted from today: `run(…)` on day -4 was held four days ago.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy.orm import Session

from marketplace.dev.demo.story import Days
from marketplace.dev.demo.timetable import Slot
from marketplace.schemes import calendar

OPENING_DAY = -36
ALL = 1000  # sessions: as many as there are
_OPEN_HOURS = 8
_HOURS = (8, 10, 13)


@dataclass(frozen=True, slots=True)
class Part:
    """A named person: what one sees when signed in as them, and the day they registered."""

    key: str
    note: str
    registered_on: int
    locale: str = "id"


PARTS = (
    Part("fresh", "Saldo utuh, belum membeli apa pun", -2),
    Part("deadline", "Batas pembelian pertama tinggal beberapa hari", -13),
    Part("revoked", "Tidak membeli dalam 15 hari: bantuan kembali ke negara", -35),
    Part("waiting", "Sudah membeli, kelas mulai lima hari lagi", -6),
    Part("asks", "Meminta kursi: harganya disisihkan sampai lembaga mengonfirmasi", -3),
    Part("checks_in", "Kelas sedang berlangsung: presensi sesi ketiga sedang dibuka", -9),
    Part("p0", "Tidak pernah hadir (0%): lembaga dibayar 25%, sisanya kembali", -35),
    Part("p24", "Hadir 24%: lembaga dibayar 25%, sisanya kembali", -35),
    Part("p25", "Hadir 25%: lembaga dibayar 25%", -35),
    Part("p79", "Hadir 79%: lembaga dibayar 79%, sisanya kembali ke saldo", -35),
    Part("p80", "Hadir 80%: lembaga dibayar penuh", -35),
    Part("p100", "Hadir 100%, dan masih ada saldo", -35),
    Part("sold_out", "Kelasnya penuh: kursi terakhir miliknya", -8),
    Part("in_line", "Nomor satu di daftar tunggu kelas yang penuh", -8),
    Part("cut_short", "Kelas dihentikan lembaga di tengah jalan: sebagian uang kembali", -15),
    Part("called_off", "Kelas dibatalkan lembaga sebelum mulai: uang kembali utuh", -7),
    Part("changed_mind", "Membatalkan sendiri sebelum mulai: uang kembali utuh", -7),
    Part("self_paced", "Kursus mandiri: tiga dari delapan unit selesai", -12),
    Part("thin", "Saldo tinggal Rp50.000: banyak kursus tidak terjangkau", -5),
    Part("listed", "Kehadirannya diunggah lembaga: pembayaran lembaga ditahan", -24),
    Part("english", "Membaca Bekal dalam bahasa Inggris", -4, locale="en"),
)


@dataclass(frozen=True, slots=True)
class Scene:
    """One run and the people in it.

    `present` says for how many sessions a named person came. `extras` others came to everything.
    `withdraws` cancels their purchase in time. `corrected` means that one of the others had not come to
    the last session, which the provider found out the day after it had declared. `message` went to everybody
    yesterday.
    `uploaded` means that the provider sent its own list, `confirms` that it wants to confirm seats, and
    has not yet. `in_line` stands on its waiting list. `note` is for the provider's staff.
    """

    course: str
    slots: tuple[Slot, ...]
    bought_on: int
    present: Mapping[str, int] = field(default_factory=dict)
    extras: int = 0
    seats: int = 16
    declared_on: int | None = None
    cancelled_on: int | None = None
    reason: str = ""
    withdraws: str | None = None
    uploaded: bool = False
    confirms: bool = False
    in_line: str | None = None
    corrected: bool = False
    message: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class SelfPaced:
    """A self-paced run: for how many of its units each person has done them."""

    course: str
    units: int
    bought_on: int
    present: Mapping[str, int]
    extras: int


SELF_PACED = SelfPaced("bekal:d05", units=8, bought_on=-11, present={"self_paced": 3}, extras=2)


def list_scenes(session: Session, days: Days) -> list[Scene]:
    """All scheduled runs with a story. Raises ValueError when two days could not be found in a calendar."""
    return [*_long_ago(days), *_ripe(days, _ripe_day(session, days)), *_lately(days), *_to_come(days)]


def _long_ago(days: Days) -> list[Scene]:
    """Completed weeks ago, and paid, rejected or returned since."""
    paid = "Pembayaran sudah diterima"
    return [
        Scene(
            "bekal:a10",
            _thrice_daily(days, -33, 25),
            -34,
            {"p0": 0, "p24": 6, "p80": 20},
            declared_on=-24,
            note=paid,
        ),
        Scene(
            "bekal:b02",
            _thrice_daily(days, -33, 24),
            -34,
            {"p25": 6, "p79": 19},
            declared_on=-24,
            note=paid,
        ),
        Scene(
            "bekal:l01",
            _every(days, -32, 4, 2),
            -34,
            extras=3,
            declared_on=-25,
            note="Pembayaran ditolak bank: rekening tidak dikenal (AC01)",
        ),
        Scene(
            "bekal:u11",
            _every(days, -32, 4, 2),
            -34,
            {"p100": ALL},
            extras=1,
            declared_on=-25,
            note="Pembayaran dikembalikan bank: rekening ditutup (AC04)",
        ),
    ]


def _ripe(days: Days, declared_on: int) -> list[Scene]:
    """Matured by last night: what finance finds on its desk this morning."""
    last = declared_on - 1
    return [
        Scene("bekal:k07", _every(days, last - 3, 4, 1), last - 6, extras=3, declared_on=declared_on),
        Scene(
            "bekal:r03",
            _every(days, last - 2, 3, 1),
            last - 6,
            extras=4,
            declared_on=declared_on,
            corrected=True,
            note="Satu hasil dikoreksi sehari setelah dinyatakan",
        ),
        Scene("bekal:t02", _every(days, last - 3, 4, 1), last - 6, extras=3, declared_on=declared_on),
        Scene(
            "bekal:k15",
            _every(days, last - 3, 4, 1),
            last - 6,
            extras=3,
            declared_on=declared_on,
            note="Pembayaran siap diajukan; bank akan menolaknya (rekening berakhir 9901)",
        ),
        Scene(
            REPLACED_ACCOUNT,
            _every(days, last - 2, 3, 1),
            last - 6,
            extras=2,
            declared_on=declared_on,
            note="Rekening baru menunggu tiga hari sebelum dipakai",
        ),
    ]


REPLACED_ACCOUNT = "bekal:u16"
"""The course whose provider has changed its bank account yesterday."""


def _lately(days: Days) -> list[Scene]:
    """Held, running, stopped, and over but not declared."""
    return [
        Scene(
            "bekal:m01",
            _every(days, -20, 4, 1),
            -23,
            {"listed": ALL},
            extras=3,
            declared_on=-16,
            uploaded=True,
            note="Pembayaran ditahan: semua kehadiran berasal dari daftar unggahan",
        ),
        Scene(
            "bekal:k06",
            (*_every(days, -4, 2, 2), _open_now(days), *_every(days, 2, 2, 2)),
            -8,
            {"checks_in": 2},
            extras=5,
            note="Sesi sedang dibuka: tampilkan kode presensi",
        ),
        Scene(
            "bekal:b06",
            (*_every(days, -9, 2, 2), *_every(days, -2, 2, 2)),
            -14,
            {"cut_short": ALL},
            extras=2,
            cancelled_on=-5,
            reason="Pengajar sakit dan tidak ada pengganti",
        ),
        Scene(
            "bekal:t03",
            _every(days, -4, 4, 1),
            -7,
            extras=5,
            note="Kelas selesai kemarin: nyatakan penyelesaiannya",
        ),
    ]


def _to_come(days: Days) -> list[Scene]:
    return [
        Scene(
            "bekal:a11",
            _every(days, 4, 4, 1),
            -7,
            {"sold_out": 0},
            extras=5,
            seats=6,
            in_line="in_line",
            note="Kelas penuh, mulai empat hari lagi",
        ),
        Scene("bekal:m08", _every(days, 3, 4, 1), -5, extras=6, seats=8),
        Scene(
            "bekal:e20",
            _every(days, 5, 6, 1),
            -5,
            {"waiting": 0, "changed_mind": 0},
            extras=2,
            withdraws="changed_mind",
        ),
        Scene("bekal:k05", _every(days, 8, 12, 2), -4, {"thin": 0}, extras=1),
        Scene(
            "bekal:m12",
            _every(days, 6, 5, 1),
            -6,
            {"called_off": 0},
            extras=1,
            cancelled_on=-1,
            reason="Peserta terlalu sedikit",
        ),
        Scene(
            "bekal:u12",
            _every(days, 1, 5, 1),
            -3,
            {"english": 0},
            extras=4,
            message="Besok kita mulai pukul 09.00. Bawa alat tulis dan baju yang boleh kotor.",
        ),
        Scene("bekal:r08", _every(days, 6, 8, 1), -3, extras=3, seats=12),
        Scene(
            "bekal:u07",
            _every(days, 9, 6, 1),
            -1,
            {"asks": 0},
            extras=1,
            confirms=True,
            note="Dua kursi menunggu konfirmasi Anda",
        ),
    ]


def _every(days: Days, first: int, count: int, step: int) -> tuple[Slot, ...]:
    """Mornings, three hours each, `step` days apart."""
    return tuple(Slot(days.at(day, 9), days.at(day, 12)) for day in range(first, first + count * step, step))


def _thrice_daily(days: Days, first: int, count: int) -> tuple[Slot, ...]:
    """Whole days of three sessions, two hours each."""
    begins = [days.at(first + number // 3, _HOURS[number % 3]) for number in range(count)]
    return tuple(Slot(begin, begin + timedelta(hours=2)) for begin in begins)


def _open_now(days: Days) -> Slot:
    """A session that began within the last half hour and goes on for hours."""
    begin = days.now.replace(minute=days.now.minute // 30 * 30, second=0, microsecond=0)
    return Slot(begin, begin + timedelta(hours=_OPEN_HOURS))


def _ripe_day(session: Session, days: Days) -> int:
    """The latest day whose declarations have matured by the end of yesterday."""
    working_days = 5
    number = -working_days
    while calendar.add_working_days(session, days.day(number), working_days) >= days.today:
        number -= 1
    return number
