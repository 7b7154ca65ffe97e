"""What is looked after in the background."""

import structlog
from celery import shared_task
from flask import current_app

from ledger import roll_up as roll_up_ledger
from marketplace.db import run_in_transaction
from marketplace.oversight import complaints
from marketplace.oversight import log as public_log

log = structlog.get_logger(__name__)


@shared_task
def seal() -> None:
    """Seal whatever was written since the last time. One sealer at a time; the others have nothing to do."""
    key = public_log.signer(current_app.extensions["settings"])
    made = run_in_transaction(lambda session: public_log.seal_waiting(session, key))
    if made is not None:
        log.info("log_sealed", seal=made.id, size=made.size)


@shared_task
def close_complaints() -> None:
    """Close the complaints that were answered and not taken up again in time."""
    closed = run_in_transaction(complaints.close_silent)
    if closed:
        log.info("complaints_closed", complaints=closed)


@shared_task
def roll_up() -> None:
    """Sum up the hot accounts that moved much since the last time. It only makes their readers quick."""
    accounts = run_in_transaction(roll_up_ledger)
    if accounts:
        log.info("accounts_rolled_up", accounts=accounts)
