"""What a provider is told about its payouts, in Indonesian and in English."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

from babel.support import NullTranslations, Translations

from marketplace.payouts.iso20022 import reason_sentence
from marketplace.payouts.models import Payout

_TRANSLATIONS = Path(__file__).resolve().parents[1] / "translations"


@dataclass(frozen=True, slots=True)
class Words:
    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message in both languages."""

    indonesian: Words
    english: Words


def paid(payout: Payout) -> Message:
    amount, account = rupiah(payout.amount), _account(payout)
    return Message(
        Words(
            f"Pembayaran {amount} sudah masuk",
            f"Bank telah mengirim {amount} ke rekening {account}. Nomor pembayaran: {payout.label}.",
        ),
        Words(
            f"Payout of {amount} has been paid",
            f"The bank has paid {amount} to account {account}. Payout number: {payout.label}.",
        ),
    )


def rejected(payout: Payout) -> Message:
    amount, account = rupiah(payout.amount), _account(payout)
    reason, english_reason = _reason(payout), _english_reason(payout)
    return Message(
        Words(
            f"Pembayaran {amount} ditolak bank",
            f"Bank menolak pembayaran {amount} ke rekening {account}: {reason} "
            f"Uang Anda tetap tercatat dan akan dibayarkan lagi. Nomor pembayaran: {payout.label}.",
        ),
        Words(
            f"Payout of {amount} was rejected by the bank",
            f"The bank rejected the payout of {amount} to account {account}: {english_reason} "
            f"The money is still owed to you and will be paid again. Payout number: {payout.label}.",
        ),
    )


def returned(payout: Payout) -> Message:
    amount, account = rupiah(payout.amount), _account(payout)
    reason, english_reason = _reason(payout), _english_reason(payout)
    return Message(
        Words(
            f"Pembayaran {amount} dikembalikan bank",
            f"Pembayaran {amount} ke rekening {account} dikembalikan oleh bank: {reason} "
            f"Uang Anda tetap tercatat dan akan dibayarkan lagi. Nomor pembayaran: {payout.label}.",
        ),
        Words(
            f"Payout of {amount} was returned by the bank",
            f"The bank returned the payout of {amount} to account {account}: {english_reason} "
            f"The money is still owed to you and will be paid again. Payout number: {payout.label}.",
        ),
    )


def rupiah(amount: Decimal | int) -> str:
    """`Rp3.500.000`, and `−Rp3.500.000` for what went out."""
    sign = "−" if amount < 0 else ""
    return f"{sign}Rp{abs(int(amount)):,}".replace(",", ".")


def _account(payout: Payout) -> str:
    return f"•••• {payout.bank_account.number_ending}"


def _reason(payout: Payout) -> str:
    return f"{reason_sentence(payout.reason_code)} ({payout.reason_code or '-'})"


def _english_reason(payout: Payout) -> str:
    return f"{english_words().gettext(reason_sentence(payout.reason_code))} ({payout.reason_code or '-'})"


@cache
def english_words() -> NullTranslations:
    """The catalogue that the pages use, for the one sentence that letters share with them."""
    return Translations.load(_TRANSLATIONS, ["en"])
