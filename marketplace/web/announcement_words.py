"""Announcements in words and tones: how grave they are, and for whom."""

from datetime import datetime

from flask_babel import gettext as _

from marketplace.oversight.models import Announcement, Audience, Severity
from marketplace.web.state_words import Tag

TONES = {Severity.INFO: "tarum", Severity.WARNING: "kunyit", Severity.INCIDENT: "bata"}


def tone(announcement: Announcement) -> str:
    """The colour that it is shown in."""
    return TONES[Severity(announcement.severity)]


def severity_name(severity: str) -> str:
    """How grave it is."""
    return {
        Severity.INFO: _("Kabar"),
        Severity.WARNING: _("Peringatan"),
        Severity.INCIDENT: _("Gangguan"),
    }[Severity(severity)]


def audience_name(audience: str) -> str:
    """Who reads it."""
    return {
        Audience.EVERYBODY: _("Semua orang"),
        Audience.PARTICIPANTS: _("Peserta"),
        Audience.PROVIDERS: _("Lembaga"),
    }[Audience(audience)]


def time_tag(announcement: Announcement, now: datetime) -> Tag:
    """Whether it is shown now."""
    if announcement.was_taken_back:
        return _("Ditarik sebelum tampil"), "", "close"
    if announcement.ends_at <= now:
        return _("Sudah berakhir"), "", "check"
    return (
        (_("Tampil"), "daun", "check") if announcement.starts_at <= now else (_("Akan tampil"), "", "clock")
    )
