"""What an applicant is told, in the language they chose."""

from marketplace.providers.models import ApplicationState, ProviderApplication

_DECIDED = {
    "id": {
        ApplicationState.APPROVED: (
            "{name} sekarang lembaga di Bekal",
            "Pendaftaran disetujui. Masuk untuk menulis kursus pertama dan mengajukan rekening.",
        ),
        ApplicationState.RETURNED: (
            "Pendaftaran {name} perlu dilengkapi",
            "Perbaiki, lalu kirim lagi. Catatan kantor program: {comment}",
        ),
        ApplicationState.REJECTED: ("Pendaftaran {name} ditolak", "Alasannya: {comment}"),
    },
    "en": {
        ApplicationState.APPROVED: (
            "{name} is now a provider in Bekal",
            "The application is approved. Sign in to write the first course and to name a bank account.",
        ),
        ApplicationState.RETURNED: (
            "The application of {name} has to be completed",
            "Correct it and send it again. The programme office says: {comment}",
        ),
        ApplicationState.REJECTED: ("The application of {name} is rejected", "The reason: {comment}"),
    },
}


def decided(application: ProviderApplication) -> tuple[str, str]:
    """Subject and body of a verdict."""
    words = _DECIDED.get(application.user.locale, _DECIDED["id"])
    subject, body = words[ApplicationState(application.state)]
    return subject.format(name=application.name), body.format(comment=application.comment)
