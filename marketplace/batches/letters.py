"""What people are told about their grant, in their language."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

from marketplace.batches.models import Grant
from marketplace.clock import ZONE
from marketplace.participants.eligibility import sentence

Letter: TypeAlias = Callable[[Grant, str], tuple[str, str]]
"""From a grant and a locale to subject and body."""

_MONTHS = {
    "id": "Januari/Februari/Maret/April/Mei/Juni/Juli/Agustus/September/Oktober/November/Desember",
    "en": "January/February/March/April/May/June/July/August/September/October/November/December",
}


def activated(grant: Grant, locale: str) -> tuple[str, str]:
    """The money is there, and by when the first course has to be bought."""
    assert grant.first_purchase_by is not None  # set in the step that makes a grant active
    amount, by, until = (
        _rupiah(grant.amount),
        _day(grant.first_purchase_by, locale),
        _day(grant.spend_by, locale),
    )
    if locale == "en":
        return (
            f"Your training balance of {amount} is ready",
            f"You can now buy training with {amount}.\n\n"
            f"Buy your first course by {by}, else the balance returns to the state. "
            f"What is left can be spent until {until}.",
        )
    return (
        f"Saldo pelatihan {amount} sudah siap",
        f"Anda dapat membeli pelatihan dengan saldo {amount}.\n\n"
        f"Beli kursus pertama paling lambat {by}; bila tidak, saldo kembali ke negara. "
        f"Sisanya dapat dipakai sampai {until}.",
    )


def revoked(grant: Grant, locale: str) -> tuple[str, str]:
    """No first purchase in time."""
    amount = _rupiah(grant.amount)
    if locale == "en":
        return (
            "Your training balance was revoked",
            f"No course was bought in time, so {amount} returned to the state. You can object.",
        )
    return (
        "Saldo pelatihan Anda dicabut",
        f"Tidak ada kursus yang dibeli sampai tenggat, sehingga {amount} kembali ke negara. "
        "Anda dapat mengajukan keberatan.",
    )


def frozen(grant: Grant, locale: str) -> tuple[str, str]:
    """Its owner may not buy any more, and why."""
    reason = sentence(grant.frozen_code or "", locale)
    if locale == "en":
        return (
            "Your training balance is frozen",
            f"{reason}\n\nNothing can be bought with it for now. Runs that you are in go on as they are.",
        )
    return (
        "Saldo pelatihan Anda dibekukan",
        f"{reason}\n\nUntuk sementara saldo tidak bisa dipakai membeli. "
        "Kelas yang sedang Anda ikuti tetap berjalan.",
    )


def thawed(grant: Grant, locale: str) -> tuple[str, str]:
    """It buys again."""
    until = _day(grant.spend_by, locale)
    if locale == "en":
        return "Your training balance is open again", f"You can buy training with it until {until}."
    return "Saldo pelatihan Anda dibuka lagi", f"Saldo bisa dipakai membeli pelatihan sampai {until}."


def lapsed(grant: Grant, locale: str) -> tuple[str, str]:
    """The scheme is over."""
    until = _day(grant.spend_by, locale)
    if locale == "en":
        return (
            "Your training balance has lapsed",
            f"The scheme ended on {until}; what was left returned to the state.",
        )
    return "Saldo pelatihan Anda berakhir", f"Skema berakhir {until}; sisa saldo kembali ke negara."


def _rupiah(amount: Decimal) -> str:
    return f"Rp{amount:,.0f}".replace(",", ".")


def _day(instant: datetime, locale: str) -> str:
    """`23 November 2026`, by the programme's calendar."""
    local = instant.astimezone(ZONE)
    month = _MONTHS.get(locale, _MONTHS["id"]).split("/")[local.month - 1]
    return f"{local.day} {month} {local.year}"
