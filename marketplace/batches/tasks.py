"""Crediting promised grants and taking back unspent ones, when they are due."""

from collections.abc import Callable

import structlog
from celery import shared_task
from sqlalchemy.orm import Session

from marketplace.batches import service
from marketplace.batches.errors import NotEnoughFunds
from marketplace.db import run_in_transaction

log = structlog.get_logger(__name__)


@shared_task
def activate() -> None:
    """Credit every promised grant that the funds cover, a thousand a transaction."""
    try:
        _until_done(service.activate_awarded)
    except NotEnoughFunds as error:
        log.warning("grants_wait_for_funds", **error.details)


@shared_task
def sweep() -> None:
    """What is due by the programme's clock: promised, unspent and ended grants."""
    activate()
    for work in (service.revoke_unspent, service.lapse_ended):
        _until_done(work)


def _until_done(work: Callable[[Session], int]) -> None:
    """Repeat a step in transactions of its own until it finds nothing more."""
    while run_in_transaction(work):
        pass
