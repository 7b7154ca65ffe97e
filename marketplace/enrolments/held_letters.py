"""What a provider is told when an earning is no longer held, in the language each reader chose."""

from marketplace.enrolments.messages import rupiah
from marketplace.enrolments.models import Earning

_RELEASED = {
    "id": (
        "{amount} tidak ditahan lagi: {title}",
        "Kantor program selesai memeriksa pendaftaran {receipt}. {amount} ikut pembayaran berikutnya setelah "
        "masa keberatan lewat.\n\nCatatannya: {reason}",
    ),
    "en": (
        "{amount} is no longer held: {title}",
        "The programme office has looked at enrolment {receipt}. {amount} is part of the next payout once "
        "the time for objections is over.\n\nIts note: {reason}",
    ),
}


def released(earning: Earning, reason: str, locale: str) -> tuple[str, str]:
    """Subject and body."""
    subject, body = _RELEASED.get(locale, _RELEASED["id"])
    amount, enrolment = rupiah(earning.net), earning.enrolment
    said = body.format(amount=amount, receipt=enrolment.receipt_number, reason=reason)
    return subject.format(amount=amount, title=enrolment.course_title), said
