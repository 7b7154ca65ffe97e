"""Logs: one JSON object a line, with the request's or task's id, and no personal data."""

import logging
import re
import sys

import structlog

from marketplace.config import Settings

_ROW = re.compile(r"^(DETAIL|CONTEXT):.*$", re.MULTILINE)


def configure(settings: Settings) -> None:
    """Write readable lines in development and JSON elsewhere, on stderr."""
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if settings.environment == "development"
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            _withhold_rows,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _withhold_rows(
    logger: object, method: str, entry: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """PostgreSQL quotes the row that it refuses: an address, a name, a number of somebody."""
    if isinstance(entry.get("exception"), str):
        entry["exception"] = _ROW.sub(r"\1: withheld", entry["exception"])
    return entry
