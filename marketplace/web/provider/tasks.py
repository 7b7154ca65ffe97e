"""Long files in the background: written when asked for, emptied when their day is over."""

import uuid

import structlog
from celery import shared_task

from marketplace.broker import nudge
from marketplace.db import run_in_transaction
from marketplace.enrolments import exports
from marketplace.web.provider import writing

log = structlog.get_logger(__name__)


@shared_task
def sweep() -> None:
    """Have every file that waits written, each in a task of its own, and empty the expired ones."""
    for export_id in run_in_transaction(exports.list_waiting):
        nudge(write, str(export_id))
    emptied = run_in_transaction(exports.expire)
    if emptied:
        log.info("exports_expired", files=emptied)


@shared_task
def write(export_id: str) -> None:
    """Write one file. Once it is written or in other hands there is nothing to do."""
    written = writing.write_export(uuid.UUID(export_id))
    log.info("export_written", export_id=export_id, rows=written)
