"""One table: which refusal gets which status and which words. Everything else is a calm page."""

from collections.abc import Callable
from typing import Any

import structlog
from flask import Flask, g, render_template
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError, TimeoutError
from werkzeug.exceptions import HTTPException

from marketplace import db
from marketplace.errors import MarketplaceError, NotAllowed, NotFound
from marketplace.participants import eligibility
from marketplace.participants.errors import Ineligible
from marketplace.web.language import current_language
from marketplace.web.words import WORDS

log = structlog.get_logger(__name__)

_PAGES = {400, 403, 404, 405, 413, 429, 500, 503}


def words_for(error: MarketplaceError) -> str:
    """What went wrong, in the reader's language, with its figures."""
    if isinstance(error, Ineligible):
        figures = dict(error.details)
        template = figures.pop("template", None)
        if template:
            return _(template, **figures)
        return (
            WORDS[error.code](figures)
            if figures and error.code in WORDS
            else eligibility.sentence(error.code, current_language())
        )
    words: Callable[[dict[str, Any]], str] | None = WORDS.get(error.code)
    if words is None:
        log.error("refusal_without_words", code=error.code)
        return _("Ini belum bisa dilakukan (%(code)s). Coba lagi, atau hubungi kami.", code=error.code)
    return words(error.details)


def install(app: Flask) -> None:
    """Answer every failure with a page that says what happens next."""
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(NotFound, lambda error: _page(404))
    app.register_error_handler(NotAllowed, lambda error: _page(403))
    app.register_error_handler(MarketplaceError, _refusal)
    app.register_error_handler(OperationalError, _database_away)
    app.register_error_handler(TimeoutError, _database_away)
    app.register_error_handler(Exception, _unexpected)


def _http(error: HTTPException) -> Any:
    code = error.code or 500
    if code < 400:
        return error
    return _page(code if code in _PAGES else 400, code)


def _page(template: int, status: int | None = None, **context: object) -> tuple[str, int]:
    return render_template(
        f"errors/{template}.html", request_id=g.get("request_id", ""), **context
    ), status or template


def _stale_form(error: CSRFError) -> tuple[str, int]:
    return _page(400, words=_("Halaman ini sudah terlalu lama terbuka. Muat ulang, lalu kirim sekali lagi."))


def _refusal(error: MarketplaceError) -> tuple[str, int]:
    return _page(400, 409, words=words_for(error))


def _database_away(error: Exception) -> tuple[str, int, dict[str, str]]:
    log.error("database_unavailable", error=type(error).__name__)
    g.user = g.participant = g.provider = None
    return *_page(503), {"Retry-After": "10"}


def _unexpected(error: Exception) -> tuple[str, int]:
    log.exception("unexpected_error", kind=type(error).__name__)
    db.session().rollback()
    return _page(500)
