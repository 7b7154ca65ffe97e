"""Why what a run is about to earn would be held, and what its provider does next: told before it is ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from flask_babel import gettext as _
from flask_babel import ngettext

from marketplace.enrolments.completion import UPLOADED
from marketplace.enrolments.conflicts import DECLARED, STAFF_BOUGHT
from marketplace.enrolments.preview import Outcome

_NAMED = 3


@dataclass(frozen=True, slots=True)
class Held:
    """A reason in words, whom it concerns, what they would earn in rupiah, and what to do about it."""

    reason: str
    who: str
    net: Decimal
    advice: str


def list_held(outcomes: Sequence[Outcome]) -> list[Held]:
    """Every reason that applies to somebody whose result would pay; one person can be under several."""
    return [
        Held(reason, _who(concerned), sum((each.verdict.split.net for each in concerned), Decimal(0)), advice)
        for code, reason, advice in _reasons()
        if (concerned := [each for each in outcomes if code in each.hold_codes and each.verdict.split.net])
    ]


def _who(concerned: Sequence[Outcome]) -> str:
    names = [each.progress.enrolment.participant.full_name for each in concerned]
    many = ngettext("%(num)s peserta", "%(num)s peserta", len(names))
    return ", ".join(names) if len(names) <= _NAMED else many


def _reasons() -> tuple[tuple[str, str, str], ...]:
    return (
        (
            UPLOADED,
            _("Terlalu banyak kehadiran dicatat dari daftar, bukan dengan kode."),
            _(
                "Simpan daftar hadir bertanda tangan: kantor program bisa memintanya. Lain kali, ajak "
                "peserta memakai kode presensi."
            ),
        ),
        (
            STAFF_BOUGHT,
            _("Pembelinya staf lembaga sendiri."),
            _("Siapkan bukti bahwa ia sungguh ikut, misalnya daftar hadir bertanda tangan."),
        ),
        (
            DECLARED,
            _("Staf lembaga menyatakan ada benturan kepentingan."),
            _("Kantor program membaca pernyataan itu. Siapkan bukti bahwa peserta sungguh ikut."),
        ),
    )
