"""Work that waits in the tables: runs whose provider declares nothing, courses nobody opened, seats
nobody confirmed, certificates whose result was corrected."""

import uuid

import structlog
from celery import shared_task

from marketplace.broker import nudge
from marketplace.db import run_in_transaction
from marketplace.enrolments import cancellation, certificates, completion, confirmation, waiting

log = structlog.get_logger(__name__)


@shared_task
def sweep() -> None:
    """Have every overdue run declared, each in a task of its own; return what was never opened and what
    was set aside in vain; let lines move on; revoke certificates whose result was corrected."""
    run_in_transaction(waiting.move_on)
    expired = run_in_transaction(confirmation.expire_due)
    if expired:
        log.info("confirmations_expired", enrolments=expired)
    for run_id in run_in_transaction(completion.list_overdue_runs):
        nudge(declare, str(run_id))
    refunded = run_in_transaction(cancellation.refund_unopened)
    if refunded:
        log.info("unopened_refunded", enrolments=refunded)
    revoked = run_in_transaction(certificates.revoke_fallen)
    if revoked:
        log.info("certificates_revoked", certificates=revoked)


@shared_task
def declare(run_id: str) -> None:
    """Complete one run from its check-ins. Once it is settled or cancelled there is nothing to do."""
    ended = run_in_transaction(lambda session: completion.declare_overdue(session, uuid.UUID(run_id)))
    log.info("run_declared", run_id=run_id, enrolments=ended)
