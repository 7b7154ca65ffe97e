"""The money's places and the bank's doings in words."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _

from marketplace.payouts.due import WaitingReason
from marketplace.payouts.models import BankLineReason
from marketplace.web.state_words import Tag


def waiting_words(reason: WaitingReason) -> str:
    """Why matured money is not in a payout run."""
    return {
        WaitingReason.HELD: _("Ditahan, sedang diperiksa"),
        WaitingReason.NO_BANK_ACCOUNT: _("Belum ada rekening bank"),
        WaitingReason.BANK_ACCOUNT_WAITING: _("Rekening baru, masih dalam masa tunggu"),
        WaitingReason.BANK_ACCOUNT_BLOCKED: _(
            "Bank menolak rekeningnya; ulangi pembayaran atau ganti rekening"
        ),
        WaitingReason.BANK_ACCOUNT_UNUSABLE: _("Data rekening tidak bisa ditulis ke berkas bank"),
        WaitingReason.BELOW_MINIMUM: _("Di bawah batas terkecil; dibayar paling lambat akhir bulan"),
        WaitingReason.NOTHING_LEFT: _("Habis dipotong pengembalian"),
    }[WaitingReason(reason)]


def bank_line_tag(reason: str) -> Tag:
    """What a statement's line is, or why nobody can say."""
    words, tone = {
        BankLineReason.PAYOUT_PAID: (_("Pembayaran sampai"), "daun"),
        BankLineReason.PAID_AFTER_REJECTION: (_("Dibayar walau ditolak"), "kunyit"),
        BankLineReason.PAYOUT_RETURNED: (_("Dikembalikan bank"), "bata"),
        BankLineReason.APPROPRIATION: (_("Dana program"), "daun"),
        BankLineReason.CORRECTION: (_("Koreksi bank"), "tarum"),
        BankLineReason.UNKNOWN: (_("Tidak dikenal"), "bata"),
        BankLineReason.DOUBLED: (_("Dobel"), "bata"),
        BankLineReason.ALTERED_AMOUNT: (_("Jumlah berubah"), "bata"),
        BankLineReason.NEVER_SENT: (_("Tidak pernah dikirim"), "bata"),
        BankLineReason.RETURN_BEFORE_PAYMENT: (_("Kembali sebelum dibayar"), "bata"),
    }[BankLineReason(reason)]
    return words, tone, None


def bank_line_words(reason: str) -> str:
    """The same as a sentence, for lines that wait for an explanation."""
    return {
        BankLineReason.UNKNOWN: _("Tidak ada pembayaran atau dana yang cocok dengan baris ini."),
        BankLineReason.DOUBLED: _("Baris seperti ini sudah ada; bank mencatatnya dua kali."),
        BankLineReason.ALTERED_AMOUNT: _("Jumlahnya bukan jumlah yang diperintahkan."),
        BankLineReason.NEVER_SENT: _("Bank mendebit pembayaran yang tidak pernah dikirim kepadanya."),
        BankLineReason.RETURN_BEFORE_PAYMENT: _("Uang kembali untuk pembayaran yang belum dibayar."),
    }.get(BankLineReason(reason), "")


def finding_words(findings: Sequence[Mapping[str, Any]]) -> str:
    """What is odd in a file that could be read, with the figures it names."""
    return "; ".join(_finding(each) for each in findings)


def _finding(finding: Mapping[str, Any]) -> str:
    words = {
        "unknown_message": _("menjawab berkas yang tidak pernah dikirim"),
        "unknown_payment": _("menyebut pembayaran yang tidak dikenal"),
        "rejected_after_payment": _("menolak pembayaran yang sudah dibayar"),
        "line_changed": _("mengubah baris yang sudah pernah dikirim"),
        "bank_denies_answered_file": _("mengaku tidak menerima berkas yang sudah dijawabnya"),
        "statement_changed": _("mengubah rekening koran yang sudah pernah dikirim"),
    }.get(str(finding.get("code")), str(finding.get("code")))
    details = ", ".join(f"{name} {value}" for name, value in finding.items() if name != "code")
    return f"{words} ({details})" if details else words


def family_words(family: str) -> str:
    """What an account family holds."""
    return {
        "bank": _("Rekening bank program"),
        "receivable": _("Piutang pengembalian"),
        "fund": _("Dana program, belum diberikan"),
        "reserve": _("Cadangan insentif dan survei"),
        "benefit": _("Saldo peserta"),
        "escrow": _("Titipan peserta di kelas"),
        "payable": _("Hak lembaga, belum dibayar"),
        "cash": _("Insentif yang belum dibayar"),
        "transit": _("Dalam perjalanan ke bank"),
        "fees": _("Potongan program"),
        "suspense": _("Belum terjelaskan"),
    }.get(family, family)


def place_words(family: str) -> str:
    """A family in one or two words, inside a sentence."""
    return {
        "bank": _("bank"),
        "receivable": _("piutang"),
        "fund": _("dana program"),
        "reserve": _("cadangan"),
        "benefit": _("saldo peserta"),
        "escrow": _("titipan"),
        "payable": _("hak lembaga"),
        "cash": _("insentif"),
        "transit": _("pengiriman"),
        "fees": _("potongan program"),
        "suspense": _("belum terjelaskan"),
    }.get(family, family)


def part_words(kind: str, family: str) -> str | None:
    """What a part of a settled purchase is called; None where the account's own name says it best."""
    if kind not in {"completion", "cancellation", "correction"}:
        return None
    return {
        "payable": _("Hak lembaga"),
        "fees": _("Potongan program"),
        "benefit": _("Kembali ke peserta"),
        "fund": _("Kembali ke dana program"),
    }.get(family)


def money_kind(family: str) -> str:
    """The colour of a family's money, as portion bars know it."""
    return {
        "benefit": "available",
        "fund": "ready",
        "escrow": "escrow",
        "payable": "recognised",
        "bank": "paid",
        "transit": "ready",
        "suspense": "held",
    }.get(family, "fee")
