"""Payouts in the background: incentives, the nightly run, the hand-over to the bank, its answers."""

import uuid

import structlog
from celery import shared_task
from flask import current_app

from marketplace.db import run_in_transaction
from marketplace.payouts import courier, incentives, reserves
from marketplace.payouts.bank import BankUnavailable

log = structlog.get_logger(__name__)


@shared_task
def sweep() -> None:
    """Do whatever is due: incentives and what they leave, then prepare and send payouts, read the bank's
    answers, ask where it is silent.
    """
    run_in_transaction(incentives.judge_certificates)
    run_in_transaction(incentives.pay_instalments)
    run_in_transaction(reserves.return_unused)
    desk = courier.desk(current_app.extensions["settings"])
    courier.prepare_due()
    try:
        courier.send_waiting(desk)
        courier.read_answers(desk)
        courier.ask_about_silence(desk)
    except BankUnavailable as error:
        log.warning("bank_unavailable", error=str(error))


@shared_task
def send_run(run_id: str) -> None:
    """Hand an approved run to the bank at once; the sweep does it when this message is lost."""
    courier.send_run(uuid.UUID(run_id), courier.desk(current_app.extensions["settings"]))
