"""Complaints in words: what they are about, where they stand, and what happens next until when."""

from flask_babel import gettext as _

from marketplace.oversight.models import Category, Complaint, ComplaintState, Remedy
from marketplace.web.formatting import moment
from marketplace.web.state_words import Tag

FOR_PARTICIPANTS = (
    Category.CLASS, Category.ATTENDANCE, Category.MONEY, Category.CERTIFICATE, Category.ACCOUNT,
    Category.OTHER,
)  # fmt: skip
FOR_PROVIDERS = (Category.ATTENDANCE, Category.PAYOUT, Category.ACCOUNT, Category.OTHER)


def category_name(category: str) -> str:
    """What a complaint is about."""
    return {
        Category.CLASS: _("Kelas atau pengajarnya"),
        Category.ATTENDANCE: _("Kehadiran atau hasil"),
        Category.MONEY: _("Saldo atau pembelian"),
        Category.CERTIFICATE: _("Sertifikat"),
        Category.PAYOUT: _("Pembayaran ke lembaga"),
        Category.ACCOUNT: _("Akun dan masuk"),
        Category.OTHER: _("Hal lain"),
    }[Category(category)]


def complaint_tag(complaint: Complaint) -> Tag:
    """Where a complaint stands, for whoever complained."""
    return {
        ComplaintState.OPENED: (_("Menunggu jawaban"), "tarum", "clock"),
        ComplaintState.ANSWERED: (_("Sudah dijawab"), "kunyit", "message"),
        ComplaintState.ESCALATED: (_("Diperiksa orang kedua"), "tarum", "users"),
        ComplaintState.UPHELD: (_("Dikabulkan"), "daun", "check"),
        ComplaintState.CLOSED: (_("Selesai"), "", "check"),
    }[ComplaintState(complaint.state)]


def office_tag(state: str) -> Tag:
    """The same for the office, which waits where others are waited for."""
    return {
        ComplaintState.OPENED: (_("Perlu dijawab"), "kunyit", "warning"),
        ComplaintState.ANSWERED: (_("Menunggu pelapor"), "", "clock"),
        ComplaintState.ESCALATED: (_("Perlu diputuskan"), "bata", "warning"),
        ComplaintState.UPHELD: (_("Dikabulkan"), "daun", "check"),
        ComplaintState.CLOSED: (_("Selesai"), "", "check"),
    }[ComplaintState(state)]


def next_step(complaint: Complaint, zone: str) -> str:
    """What happens next, and until when."""
    until = moment(complaint.due_at, zone) if complaint.due_at else ""
    if complaint.state == ComplaintState.UPHELD:
        return remedy_words(complaint.remedy or "")
    return {
        ComplaintState.OPENED: _("Kantor program menjawab paling lambat %(until)s.", until=until),
        ComplaintState.ANSWERED: _(
            "Belum selesai? Balas, atau minta diperiksa orang kedua, sampai %(until)s. Sesudah itu pengaduan "
            "ini ditutup.",
            until=until,
        ),
        ComplaintState.ESCALATED: _(
            "Orang kedua di kantor program memutuskannya paling lambat %(until)s.", until=until
        ),
        ComplaintState.CLOSED: _("Pengaduan ini sudah selesai. Bila ada hal baru, buat pengaduan baru."),
    }[ComplaintState(complaint.state)]


def remedy_words(remedy: str) -> str:
    """What upholding did, or would do."""
    return {
        Remedy.REFUND: _("Pembelian dibatalkan oleh program, dan uangnya kembali."),
        Remedy.HOLD: _("Pembayaran ke lembaga ditahan sampai kantor program selesai memeriksanya."),
    }[Remedy(remedy)]
