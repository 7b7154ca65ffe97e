"""Why the programme took a purchase back, and what a certificate waits for, in the buyer's words."""

from flask_babel import gettext as _

from marketplace.catalogue.models import RunKind
from marketplace.enrolments.models import Earning, Enrolment


def why_taken_back(enrolment: Enrolment) -> str:
    """By what the row says: somebody decided it, a result was declared from nothing, or it lay unopened."""
    if enrolment.percent is None and enrolment.declared_by is not None:
        return _("Pengaduan Anda dikabulkan.")
    if enrolment.run.kind == RunKind.SCHEDULED:
        return _("Tidak ada kehadiran yang tercatat di kelas ini.")
    if enrolment.percent is None:
        return _(
            "Unit pertamanya tidak dibuka selama %(days)s hari.", days=enrolment.scheme.unopened_refund_days
        )
    return _("Tidak ada unit yang diselesaikan sampai aksesnya berakhir.")


def why_certificate_waits(earning: Earning | None) -> str:
    """By what holds the earning of a result that is good enough for one."""
    code = earning.hold_code if earning else None
    words = {
        "attendance_uploaded": _(
            "Sertifikat Anda menunggu: kantor program memeriksa dulu daftar hadir dari lembaga."
        ),
        "staff_bought": _(
            "Sertifikat Anda menunggu: Anda tercatat sebagai staf lembaga ini, dan kantor program "
            "memeriksanya dulu."
        ),
        "conflict_declared": _(
            "Sertifikat Anda menunggu: staf lembaga menyatakan ada benturan kepentingan, dan kantor program "
            "memeriksanya dulu."
        ),
    }
    return words.get(code or "", _("Sertifikat Anda menunggu: kantor program memeriksanya dulu."))
