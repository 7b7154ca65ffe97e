"""What a provider's staff are told about their courses, in the language they chose."""

from collections.abc import Callable
from typing import TypeAlias

from marketplace.catalogue.models import Course, CourseState
from marketplace.catalogue.versions import CourseVersion, Rejection, VersionState

Letter: TypeAlias = Callable[[str], tuple[str, str]]
"""Subject and body in a language."""

REJECTIONS = {
    "id": {
        Rejection.DUPLICATE: "kursus yang sama sudah ada",
        Rejection.NOT_TRAINING: "ini bukan pelatihan keterampilan",
        Rejection.MISLEADING: "isinya menyesatkan",
        Rejection.OVERPRICED: "harganya jauh di atas kursus sejenis",
        Rejection.UNLAWFUL: "isinya melanggar hukum atau aturan program",
    },
    "en": {
        Rejection.DUPLICATE: "the same course is already there",
        Rejection.NOT_TRAINING: "this is no training of skills",
        Rejection.MISLEADING: "what it says is misleading",
        Rejection.OVERPRICED: "its price is far above that of comparable courses",
        Rejection.UNLAWFUL: "what it offers is against the law or the programme's rules",
    },
}
_DECIDED = {
    "id": {
        VersionState.APPROVED: (
            "Kursus disetujui: {title}",
            "Versi {number} disetujui. Terbitkan dari halaman kursus kapan Anda siap.",
        ),
        VersionState.RETURNED: (
            "Kursus perlu diperbaiki: {title}",
            "Versi {number} dikembalikan. Perbaiki, lalu ajukan lagi.",
        ),
        VersionState.REJECTED: ("Kursus ditolak: {title}", "Versi {number} ditolak: {rejection}."),
    },
    "en": {
        VersionState.APPROVED: (
            "Course approved: {title}",
            "Version {number} is approved. Publish it from the course's page when you are ready.",
        ),
        VersionState.RETURNED: (
            "Course to be corrected: {title}",
            "Version {number} was returned. Correct it and submit it again.",
        ),
        VersionState.REJECTED: ("Course rejected: {title}", "Version {number} is rejected: {rejection}."),
    },
}
_MOVED = {
    "id": {
        CourseState.SUSPENDED: (
            "Penjualan dihentikan sementara: {title}",
            "Kantor program menghentikan penjualan kursus ini untuk sementara. "
            "Peserta yang sudah membeli tetap belajar.",
        ),
        CourseState.PUBLISHED: ("Dijual lagi: {title}", "Kursus ini dijual lagi."),
    },
    "en": {
        CourseState.SUSPENDED: (
            "Sale suspended: {title}",
            "The programme office has suspended the sale of this course. Those who have bought it go on.",
        ),
        CourseState.PUBLISHED: ("On sale again: {title}", "This course is on sale again."),
    },
}
_SAID = {"id": "Catatan kantor program: {text}", "en": "The programme office says: {text}"}


def decided(version: CourseVersion, text: str) -> Letter:
    """A verdict on a version."""

    def letter(locale: str) -> tuple[str, str]:
        locale = locale if locale in _DECIDED else "id"
        subject, body = _DECIDED[locale][VersionState(version.state)]
        reason = REJECTIONS[locale][Rejection(version.rejection)] if version.rejection else ""
        said = body.format(number=version.number, rejection=reason)
        return subject.format(title=version.title), _with_note(said, text, locale)

    return letter


def moved(course: Course, text: str) -> Letter:
    """A course taken off sale, or put back."""

    def letter(locale: str) -> tuple[str, str]:
        locale = locale if locale in _MOVED else "id"
        subject, body = _MOVED[locale][CourseState(course.state)]
        return subject.format(title=course.title), _with_note(body, text, locale)

    return letter


def _with_note(said: str, text: str, locale: str) -> str:
    return f"{said}\n\n{_SAID[locale].format(text=text)}" if text else said
