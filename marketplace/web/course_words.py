"""A course and its versions in words: fields, states, what differs."""

from typing import Any

from flask_babel import gettext as _

from marketplace.catalogue.curation_messages import REJECTIONS
from marketplace.catalogue.models import Course, CourseState
from marketplace.catalogue.version_queries import Difference, text_changes
from marketplace.catalogue.versions import Content, CourseVersion, Rejection, VersionState
from marketplace.web.catalogue import mode_name
from marketplace.web.formatting import hours, rupiah
from marketplace.web.language import current_language
from marketplace.web.state_words import Tag

LANGUAGES = ("id", "en", "jv", "su", "ar", "zh", "ja", "ko")


def version_tag(version: CourseVersion) -> Tag:
    """Where a version stands."""
    return {
        VersionState.DRAFTED: (_("Naskah"), "", None),
        VersionState.SUBMITTED: (_("Sedang diperiksa"), "tarum", "clock"),
        VersionState.APPROVED: (_("Disetujui, belum terbit"), "kunyit", "warning"),
        VersionState.RETURNED: (_("Perlu diperbaiki"), "kunyit", "warning"),
        VersionState.REJECTED: (_("Ditolak"), "bata", "close"),
        VersionState.PUBLISHED: (_("Terbit"), "daun", "check"),
        VersionState.REPLACED: (_("Diganti versi berikutnya"), "", None),
        VersionState.DISCARDED: (_("Tidak dilanjutkan"), "", "close"),
    }[VersionState(version.state)]


def course_tag(course: Course) -> Tag:
    """Whether a course is sold."""
    return {
        CourseState.PUBLISHED: (_("Dijual"), "daun", "check"),
        CourseState.SUSPENDED: (_("Dihentikan kantor program"), "bata", "warning"),
        CourseState.WITHDRAWN: (_("Ditarik"), "", "close"),
    }[CourseState(course.state)]


def rejection_words(code: str) -> str:
    """Why a version was rejected."""
    return REJECTIONS[current_language()][Rejection(code)]


def rejection_choices() -> list[tuple[str, str]]:
    """(code, words) of every reason to reject."""
    return [(code.value, rejection_words(code)) for code in Rejection]


def field_name(name: str) -> str:
    """What a field of a course is called."""
    return {
        "title": _("Judul"),
        "price": _("Harga"),
        "hours": _("Lama"),
        "category": _("Bidang"),
        "mode": _("Cara belajar"),
        "level": _("Tingkat"),
        "description": _("Uraian"),
        "language": _("Bahasa pengantar"),
    }[name]


def level_name(level: str) -> str:
    """A level, or nothing where it is not stated."""
    names = {"beginner": _("Pemula"), "intermediate": _("Menengah"), "advanced": _("Lanjutan")}
    return names.get(level, level)


def language_name(code: str) -> str:
    """The language that is taught in; a code that we have no word for stays a code."""
    return {
        "id": _("Bahasa Indonesia"), "en": _("Bahasa Inggris"), "jv": _("Bahasa Jawa"),
        "su": _("Bahasa Sunda"), "ar": _("Bahasa Arab"), "zh": _("Bahasa Mandarin"),
        "ja": _("Bahasa Jepang"), "ko": _("Bahasa Korea"),
    }.get(code, code)  # fmt: skip


def field_value(name: str, value: Any) -> str:
    """A field's value as people read it; what is not stated is said to be so."""
    if name == "price":
        return rupiah(value) if value else _("Gratis")
    if not value:
        return _("belum diisi")
    if name == "hours":
        return hours(value)
    words = {"mode": mode_name, "level": level_name, "language": language_name}
    return words[name](value) if name in words else str(value)


def content_rows(content: Content) -> list[tuple[str, str]]:
    """Everything that a course says but its title and description."""
    names = ("price", "hours", "category", "mode", "level", "language")
    return [(field_name(name), field_value(name, getattr(content, name))) for name in names]


def difference_rows(found: list[Difference]) -> list[dict[str, Any]]:
    """What differs, as the page shows it: values beside each other, the description as one text."""
    return [
        {
            "name": field_name(each.field),
            "before": field_value(each.field, each.before),
            "after": field_value(each.field, each.after),
            "pieces": text_changes(str(each.before), str(each.after)) if each.field == "description" else [],
        }
        for each in found
    ]
