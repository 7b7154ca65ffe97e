"""A file that a provider sent, and what is wrong with it in the reader's language."""

from collections.abc import Iterable, Sequence
from typing import Any

from flask import Response, request
from flask_babel import gettext as _

from marketplace.catalogue.course_rows import CatalogueFileError, Problem
from marketplace.catalogue.csv_words import reason_in
from marketplace.web.downloads import csv_file
from marketplace.web.language import current_language

_UNBROKEN = "\u00a0"


def sent_file() -> tuple[str, bytes]:
    """The name and the content of the file that came with the form; no content where there was none."""
    sent = request.files.get("file")
    if not sent:
        return "", b""
    name = "".join(character for character in sent.filename or "" if character.isprintable())
    return name or _("berkas"), sent.read()


def file_words(error: CatalogueFileError) -> str:
    """Why a file as a whole is of no use, and where that showed."""
    fault, reason, line = (str(error.details[name]) for name in ("fault", "reason", "line"))
    words = reason_in(current_language(), fault, reason)
    return _("Berkas ini tidak bisa dipakai (baris %(line)s): %(reason)s.", line=line, reason=words)


def problem_rows(problems: Iterable[Problem]) -> list[list[Any]]:
    """Faults as a table: line, column, value, reason."""
    return [
        [
            {"main": _("Baris %(line)s", line=each.line).replace(" ", _UNBROKEN), "bold": True},
            each.column or _("seluruh baris"),
            each.value or "–",
            _reason(each),
        ]
        for each in problems
    ]


def problem_file(problems: Sequence[Problem]) -> Response:
    """Every fault as a file."""
    head = [_("Baris"), _("Kolom"), _("Isi"), _("Sebab"), _("Kode")]
    rows = [(each.line, each.column, each.value, _reason(each), each.code) for each in problems]
    return csv_file("baris-yang-salah", head, rows)


def _reason(problem: Problem) -> str:
    return reason_in(current_language(), problem.code, problem.reason)
