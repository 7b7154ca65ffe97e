"""Files that people send with a form, and how they are given out again."""

from typing import Protocol

from flask import Response, make_response, request
from flask_babel import gettext as _

from marketplace.oversight.complaint_files import Upload

ACCEPTED = ".pdf,.png,.jpg,.jpeg,application/pdf,image/png,image/jpeg"
"""What a file field offers to choose; what was sent is looked at all the same."""


MOST_SENT = 8 * 1024 * 1024
"""Bytes of a form with files: three of the largest, or a photograph too large to keep, which is told."""

_WITH_FILES = frozenset(
    f"{side}.{act}_complaint" for side in ("participant", "provider") for act in ("open", "reply", "insist")
)


def make_room() -> None:
    """Let forms with files be larger than others. Runs before anything reads the form."""
    if request.endpoint in _WITH_FILES:
        request.max_content_length = MOST_SENT


class Kept(Protocol):
    """A document of whatever kind."""

    @property
    def name(self) -> str: ...

    @property
    def media_type(self) -> str: ...


def sent_files(field: str) -> tuple[Upload, ...]:
    """What was chosen in a file field. A browser sends a part without a name where nothing was."""
    sent = (each for each in request.files.getlist(field) if each.filename)
    return tuple(Upload(readable_name(each.filename), each.read()) for each in sent)


def readable_name(name: str | None) -> str:
    """A file's name as it may stand on a page."""
    return "".join(character for character in name or "" if character.isprintable()) or _("dokumen")


def as_download(found: Kept, content: bytes) -> Response:
    """A document to be kept, never shown as a page of this site."""
    answer = make_response(content)
    answer.mimetype = found.media_type
    answer.headers.set("Content-Disposition", "attachment", filename=found.name)
    return answer
