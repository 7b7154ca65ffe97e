"""What people are told when their result is corrected, in the language they chose."""

from decimal import Decimal

from marketplace.enrolments.correction_models import ResultCorrection
from marketplace.enrolments.messages import reader_of, rupiah
from marketplace.enrolments.models import Enrolment

_CORRECTED = {
    "id": (
        "Hasil dikoreksi: {title}",
        "Lembaga mengoreksi kehadiran Anda dari {old}% menjadi {new}%.\n\nAlasannya: {reason}",
        "Jika itu tidak benar, beri tahu kami sebelum masa keberatan berakhir.",
    ),
    "en": (
        "Your result was corrected: {title}",
        "The provider corrected your attendance from {old}% to {new}%.\n\nThe reason given: {reason}",
        "If that is not true, tell us before the time for objections is over.",
    ),
}
_MONEY = {
    "id": {
        "home": "{amount} kembali ke saldo pelatihan Anda.",
        "state": "{amount} kembali ke kas program, karena masa pakai saldo Anda sudah berakhir.",
        "taken": "{amount} yang tadinya kembali kini menjadi bagian lembaga.",
    },
    "en": {
        "home": "{amount} returns to your training balance.",
        "state": "{amount} goes back to the programme, because your balance can no longer be spent.",
        "taken": "{amount} of what had come back now belongs to the provider.",
    },
}


def corrected(
    enrolment: Enrolment, correction: ResultCorrection, returned: Decimal, is_spendable: bool
) -> tuple[str, str]:
    """Subject and body. `returned` is what comes back in rupiah, negative where it is taken."""
    locale = reader_of(enrolment.participant.user).locale
    subject, body, objection = _CORRECTED[locale]
    said = [body.format(old=correction.old_percent, new=correction.new_percent, reason=correction.reason)]
    if returned:
        way = "taken" if returned < 0 else "home" if is_spendable else "state"
        said.append(_MONEY[locale][way].format(amount=rupiah(abs(returned))))
    return subject.format(title=enrolment.course_title), "\n\n".join([*said, objection])
