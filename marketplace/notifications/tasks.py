"""Sending messages. The row is the queue; these only look at it."""

import time
import uuid
from collections.abc import Sequence

import structlog
from celery import shared_task
from flask import current_app

from marketplace.config import Settings
from marketplace.db import transaction
from marketplace.notifications import service, transports
from marketplace.notifications.models import Channel
from marketplace.notifications.transports import Letter, TransportError

log = structlog.get_logger(__name__)

_SWEEP_SECONDS = 5.0
_BATCH = 25


@shared_task
def deliver(notification_id: str) -> None:
    """Send one message, if it is due and nobody else is at it."""
    row_id = uuid.UUID(notification_id)
    letter = _claim(row_id)
    if letter is None:
        return
    settings: Settings = current_app.extensions["settings"]
    try:
        transports.choose(settings, letter.channel)(letter)
    except (TransportError, OSError) as error:
        log.warning("notification_failed", notification=notification_id, problem=str(error))
        with transaction() as session:
            service.mark_failed(session, row_id, str(error))
        return
    with transaction() as session:
        service.mark_sent(session, row_id)


@shared_task
def sweep() -> None:
    """Send what is due, whatever became of the nudges. A new code overtakes what is older."""
    stop_at = time.monotonic() + _SWEEP_SECONDS
    while time.monotonic() < stop_at and (due := _list_due()):
        for notification_id in due:
            deliver(str(notification_id))


def _list_due() -> Sequence[uuid.UUID]:
    with transaction() as session:
        return service.list_due(session, limit=_BATCH)


def _claim(row_id: uuid.UUID) -> Letter | None:
    """Move the next attempt into the future and commit, so that nobody else sends meanwhile."""
    with transaction() as session:
        found = service.claim(session, row_id)
        if found is None:
            return None
        return Letter(str(found.id), Channel(found.channel), found.destination, found.subject, found.body)
