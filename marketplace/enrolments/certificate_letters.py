"""What people are told about their certificates, in the language they chose."""

from marketplace.enrolments.learning_models import Certificate, RevocationCode

_ISSUED = {
    "id": (
        "Sertifikat Anda: {title}",
        "Anda hadir {percent}%, jadi sertifikat {number} sudah terbit. Unduh PDF atau lencana digitalnya di "
        "Kursus saya. Siapa pun bisa memeriksa keasliannya dengan nomor itu.",
    ),
    "en": (
        "Your certificate: {title}",
        "You attended {percent}%, so certificate {number} has been issued. Download the PDF or the digital "
        "badge in My courses. Anybody can check with that number that it is genuine.",
    ),
}
_REVOKED = {
    "id": "Sertifikat {number} dicabut: {title}",
    "en": "Certificate {number} is revoked: {title}",
}
_WHY = {
    "id": {
        RevocationCode.CORRECTED: "Hasil kursus ini dikoreksi. Hasil yang berlaku ada di Kursus saya.",
        RevocationCode.OFFICE: "Kantor program mencabutnya. Alasannya: {reason}",
    },
    "en": {
        RevocationCode.CORRECTED: "The result of this course was corrected. My courses shows what holds now.",
        RevocationCode.OFFICE: "The programme office revoked it. The reason given: {reason}",
    },
}


def issued(certificate: Certificate, locale: str) -> tuple[str, str]:
    """Subject and body when a certificate is issued."""
    subject, body = _ISSUED.get(locale, _ISSUED["id"])
    title = certificate.course_title
    return subject.format(title=title), body.format(percent=certificate.percent, number=certificate.number)


def revoked(certificate: Certificate, locale: str) -> tuple[str, str]:
    """Subject and body when it no longer holds."""
    language = locale if locale in _WHY else "id"
    why = _WHY[language][RevocationCode(certificate.revoked_code or "")]
    subject = _REVOKED[language].format(number=certificate.number, title=certificate.course_title)
    return subject, why.format(reason=certificate.revoked_reason)
