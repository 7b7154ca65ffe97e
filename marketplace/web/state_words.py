"""States in words, each with its tone and icon: (text, tone, icon), as the tag macro takes them."""

from datetime import datetime

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from marketplace.catalogue.models import Run, RunState
from marketplace.enrolments.models import CANCELLED, LIVE, Earning, EarningState, Enrolment, EnrolmentState
from marketplace.enrolments.tracking_models import EnrolmentExport, ExportState
from marketplace.payouts.models import Payout, PayoutRun, PayoutRunState, PayoutState
from marketplace.providers.models import ApplicationState, BankAccount, BankAccountState, StaffRole
from marketplace.web.formatting import short_date

Tag = tuple[str, str, str | None]


def staff_role_name(role: str) -> str:
    """What somebody does at a provider."""
    return {
        StaffRole.OWNER: _("Pemilik"),
        StaffRole.TEACHING: _("Pengajaran"),
        StaffRole.FINANCE: _("Keuangan"),
    }[StaffRole(role)]


def account_tag(account: BankAccount, now: datetime) -> Tag:
    """Whether a provider is paid to this account."""
    if account.blocked_code:
        return _("Ditolak bank"), "bata", "warning"
    if account.state == BankAccountState.PROPOSED or account.usable_from is None:
        return _("Menunggu orang kedua"), "kunyit", "clock"
    if account.usable_from > now:
        return _("Dipakai mulai %(day)s", day=short_date(account.usable_from)), "kunyit", "clock"
    return _("Dipakai"), "daun", "check"


def application_tag(state: str) -> Tag:
    """Where a provider's application stands."""
    return {
        ApplicationState.DRAFTED: (_("Naskah"), "", None),
        ApplicationState.SUBMITTED: (_("Sedang diperiksa"), "tarum", "clock"),
        ApplicationState.RETURNED: (_("Perlu diperbaiki"), "kunyit", "warning"),
        ApplicationState.APPROVED: (_("Disetujui"), "daun", "check"),
        ApplicationState.REJECTED: (_("Ditolak"), "bata", "close"),
    }[ApplicationState(state)]


def run_tag(run: Run, now: datetime) -> Tag:
    """Where a provider's run stands."""
    if run.state == RunState.CANCELLED:
        return _("Dibatalkan"), "", "close"
    if run.state == RunState.SETTLED:
        return _("Selesai"), "daun", "check"
    if run.ends_at <= now:
        return _("Perlu dinyatakan selesai"), "kunyit", "warning"
    return (_("Berjalan"), "tarum", None) if run.starts_at <= now else (_("Akan datang"), "", "calendar")


def enrolment_tag(enrolment: Enrolment, now: datetime) -> Tag:
    """Where an enrolment stands, for either side."""
    state = EnrolmentState(enrolment.state)
    if state in CANCELLED:
        return _cancelled(state), "", "close"
    if state is EnrolmentState.AWAITING_CONFIRMATION:
        return _("Menunggu konfirmasi"), "kunyit", "clock"
    if state is EnrolmentState.NO_SHOW:
        return _("Tidak datang"), "", "close"
    if state is EnrolmentState.COMPLETED:
        return _("Selesai %(percent)s%%", percent=enrolment.percent), "daun", "check"
    if enrolment.run.starts_at <= now:
        ended = enrolment.run.ends_at <= now
        return (_("Menunggu penyelesaian"), "kunyit", "clock") if ended else (_("Berjalan"), "tarum", None)
    return _("Terdaftar"), "daun", "check"


def _cancelled(state: EnrolmentState) -> str:
    return {
        EnrolmentState.CANCELLED_BY_PARTICIPANT: _("Dibatalkan peserta"),
        EnrolmentState.CANCELLED_BY_PROVIDER: _("Dibatalkan lembaga"),
        EnrolmentState.CANCELLED_BY_PROGRAMME: _("Dibatalkan program"),
        EnrolmentState.CONFIRMATION_EXPIRED: _("Tidak dikonfirmasi"),
    }[state]


def money_tag(enrolment: Enrolment, earning: Earning | None, *, went_to_state: bool = False) -> Tag:
    """Where an enrolment's money is, for the participant."""
    if not enrolment.price:
        return _("Gratis"), "", None
    if enrolment.is_awaiting:
        return _("Disisihkan di saldo"), "kunyit", "clock"
    if enrolment.state in LIVE:
        return _("Dititipkan"), "kunyit", "lock"
    if earning is None and went_to_state:
        return _("Kembali ke negara"), "", "back"
    if earning is None:
        return (_("Kembali utuh") if enrolment.state in CANCELLED else _("Kembali ke saldo")), "daun", "back"
    if earning.state == EarningState.PAID:
        return _("Dibayarkan ke lembaga"), "daun", "check"
    return _("Menjadi hak lembaga"), "tarum", None


def earning_tag(earning: Earning | None, now: datetime) -> Tag:
    """Where a provider's earning stands."""
    if earning is None:
        return _("Tidak ada hak"), "", None
    if earning.state == EarningState.PAID:
        return _("Dibayarkan"), "daun", "check"
    if earning.state == EarningState.HELD:
        return _("Ditahan"), "bata", "warning"
    if earning.state == EarningState.CORRECTED:
        return _("Dikoreksi"), "", "back"
    if earning.matures_at <= now:
        return _("Siap dibayar"), "kunyit", None
    return _("Diakui"), "tarum", None


def hold_words(code: str | None) -> str:
    """Why an earning is held, in words."""
    words = {
        "attendance_uploaded": _(
            "terlalu banyak kehadiran dicatat dari daftar, bukan dengan kode; kantor program memeriksanya"
        ),
        "staff_bought": _("pembelinya staf lembaga sendiri; kantor program memeriksanya"),
        "conflict_declared": _(
            "staf lembaga menyatakan ada benturan kepentingan; kantor program memeriksanya"
        ),
        "complaint": _("pengaduan peserta dikabulkan; kantor program memeriksanya"),
    }
    return words.get(code or "", _("kantor program memeriksanya (%(code)s)", code=code))


def export_tag(export: EnrolmentExport) -> Tag:
    """Whether a file can be fetched."""
    return {
        ExportState.REQUESTED: (_("Sedang disiapkan"), "kunyit", "clock"),
        ExportState.FINISHED: (_("Bisa diunduh"), "daun", "check"),
        ExportState.FAILED: (_("Gagal"), "bata", "warning"),
        ExportState.EXPIRED: (_("Sudah dihapus"), "", None),
    }[ExportState(export.state)]


def payout_run_tag(run: PayoutRun) -> Tag:
    """Where a payout run stands."""
    return {
        PayoutRunState.PREPARED: (_("Disiapkan"), "kunyit", "clock"),
        PayoutRunState.SUBMITTED: (_("Menunggu persetujuan"), "kunyit", "clock"),
        PayoutRunState.APPROVED: (_("Disetujui"), "daun", "check"),
        PayoutRunState.CANCELLED: (_("Dibatalkan"), "", "close"),
    }[PayoutRunState(run.state)]


def payout_tag(payout: Payout) -> Tag:
    """Where a payout stands."""
    if payout.state == PayoutState.PREPARED and payout.run.state == PayoutRunState.APPROVED:
        return _("Disetujui, segera dikirim"), "tarum", None
    return payout_state_tag(PayoutState(payout.state))


def payout_state_tag(state: PayoutState) -> Tag:
    """What a state of a payout is called."""
    return {
        PayoutState.PREPARED: (_("Menunggu persetujuan"), "kunyit", "clock"),
        PayoutState.SENDING: (_("Sedang dikirim"), "tarum", None),
        PayoutState.SENT: (_("Terkirim ke bank"), "tarum", None),
        PayoutState.UNKNOWN: (_("Menunggu jawaban bank"), "kunyit", "clock"),
        PayoutState.PAID: (_("Dibayarkan"), "daun", "check"),
        PayoutState.FAILED: (_("Ditolak bank"), "bata", "warning"),
        PayoutState.RETURNED: (_("Dikembalikan bank"), "bata", "back"),
        PayoutState.CANCELLED: (_("Dibatalkan"), "", "close"),
    }[state]


def kind_words(kind: str) -> str:
    """What a kind of ledger transaction is, in words."""
    return str(_KINDS.get(kind, kind))


_KINDS = {
    "appropriation": _l("Dana program diterima"),
    "grant": _l("Bantuan pelatihan"),
    "purchase": _l("Pembelian"),
    "cancellation": _l("Pembatalan"),
    "completion": _l("Penyelesaian"),
    "correction": _l("Koreksi hasil"),
    "reversal": _l("Ditarik untuk dikoreksi"),
    "payout": _l("Pembayaran dikirim"),
    "payout_confirmed": _l("Pembayaran sampai"),
    "payout_rejected": _l("Pembayaran ditolak bank"),
    "payout_returned": _l("Pembayaran dikembalikan bank"),
    "bank_line": _l("Baris rekening koran"),
    "revocation": _l("Pencabutan"),
    "lapse": _l("Masa bantuan berakhir"),
    "incentive": _l("Insentif"),
    "survey": _l("Imbalan survei"),
}
