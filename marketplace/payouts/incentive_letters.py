"""What participants are told about the money they earn themselves, in the language they chose."""

from marketplace.payouts.incentive_models import Incentive, IncentiveKind

_EARNED = {
    "id": {
        IncentiveKind.CERTIFICATE: (
            "Insentif {amount} menjadi hak Anda",
            "Sertifikat Anda sudah tetap, jadi insentif ke-{number} sebesar {amount} tercatat sebagai "
            "hak Anda.",
        ),
        IncentiveKind.SURVEY: (
            "Imbalan survei {amount} menjadi hak Anda",
            "Terima kasih atas jawaban Anda. {amount} tercatat sebagai hak Anda.",
        ),
    },
    "en": {
        IncentiveKind.CERTIFICATE: (
            "You have earned an incentive of {amount}",
            "Your certificate is final, so incentive number {number} of {amount} is now owed to you.",
        ),
        IncentiveKind.SURVEY: (
            "You have earned {amount} for a survey",
            "Thank you for your answers. {amount} is now owed to you.",
        ),
    },
}


def earned(incentive: Incentive, locale: str) -> tuple[str, str]:
    """Subject and body when an incentive or survey pay has been earned."""
    subject, body = _EARNED[locale if locale in _EARNED else "id"][IncentiveKind(incentive.kind)]
    amount = "Rp" + f"{incentive.amount:,.0f}".replace(",", ".")
    return subject.format(amount=amount), body.format(amount=amount, number=incentive.number)
