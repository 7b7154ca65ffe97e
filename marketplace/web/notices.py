"""What stands above every page: how far programme time was moved, and what the programme office announces.

Error pages are pages too: without the database there is nothing to tell.
"""

from datetime import timedelta

from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError

from marketplace import clock, db
from marketplace.oversight.announcements import list_current
from marketplace.oversight.models import Audience
from marketplace.web import announcement_words
from marketplace.web.kept import Kept, kept
from marketplace.web.language import current_language

_FORWARD_WORTH_SAYING = timedelta(minutes=1)
_TOLD, _MOST_TOLD = "announcements", 8
_READERS = {"participant": Audience.PARTICIPANTS, "provider": Audience.PROVIDERS}


def banners() -> list[str]:
    """Programme time is shown whenever it is not the wall's."""
    try:
        ahead = clock.offset(db.session())
    except SQLAlchemyError:
        return []
    if ahead < _FORWARD_WORTH_SAYING:
        return []
    # whole days were read as a few microseconds less
    hours = round(ahead / timedelta(minutes=1)) // 60
    return [
        _(
            "Waktu program dimajukan %(days)s hari %(hours)s jam untuk uji coba.",
            days=hours // 24,
            hours=hours % 24,
        )
    ]


def announcements(audience: str) -> list[dict[str, str]]:
    """What this reader is told now, each with the tone that it is shown in; kept for a few seconds."""
    language, reader = current_language(), _READERS.get(audience, Audience.EVERYBODY)
    told: Kept[list[dict[str, str]]] = kept(_TOLD, _MOST_TOLD)
    try:
        return told.get((language, reader), lambda: _announcements(language, reader))
    except SQLAlchemyError:
        return []


def _announcements(language: str, reader: Audience) -> list[dict[str, str]]:
    found = list_current(db.session(), {Audience.EVERYBODY, reader})
    return [{"tone": announcement_words.tone(each), "text": each.text(language)} for each in found]
