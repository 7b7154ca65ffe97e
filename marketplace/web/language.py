"""Indonesian unless the reader chose English."""

from flask import has_request_context, session

LANGUAGES = ("id", "en")


def current_language() -> str:
    """The reader's language, from their signed cookie."""
    chosen = session.get("language") if has_request_context() else None
    return chosen if chosen in LANGUAGES else "id"


def choose_language(language: str) -> None:
    """Remember a choice. An unknown language is ignored."""
    if language in LANGUAGES:
        session["language"] = language
