"""Between the database and the bank: each act commits before the bank hears of it and after it spoke.

This is an edge, like a view: it opens the transactions. Everything here may be run again at any
time, by any number of workers; the rows say what is still to be done.
"""

import uuid
from dataclasses import dataclass
from datetime import time, timedelta
from functools import partial

import structlog
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.config import Settings
from marketplace.db import run_in_transaction
from marketplace.errors import MarketplaceError
from marketplace.payouts import queries, reconciliation, sending, service
from marketplace.payouts.bank import AnswerFile, BankGateway, FolderBank
from marketplace.payouts.iso20022 import Debtor

log = structlog.get_logger(__name__)

PREPARED_FROM = time(1, 0)
"""Hour of the programme's zone from which a day's runs are prepared."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where Bekal meets its bank. `patience` is wall time without a word before the bank is asked."""

    bank: BankGateway
    debtor: Debtor
    patience: timedelta


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one file of the bank; `problem` says why it could not be used."""

    name: str
    kind: str
    problem: str | None
    findings: list[dict[str, object]]


def desk(settings: Settings) -> Desk:
    """The desk of this installation."""
    return Desk(
        bank=FolderBank(settings.bank_folder),
        debtor=Debtor(settings.bank_name, settings.bank_code, settings.bank_account),
        patience=timedelta(seconds=settings.bank_patience_seconds),
    )


def prepare_due() -> list[uuid.UUID]:
    """Prepare the day's run of every scheme, once its hour has come."""
    schemes = run_in_transaction(_schemes_to_prepare)
    runs = [run_in_transaction(partial(_prepare, scheme_code=code)) for code in schemes]
    return [run_id for run_id in runs if run_id is not None]


def send_waiting(desk: Desk) -> int:
    """Send every approved run that the bank has not got yet; how many were sent."""
    sent = 0
    for run_id in run_in_transaction(sending.list_waiting_runs):
        try:
            sent += send_run(run_id, desk)
        except MarketplaceError as error:
            # One run that cannot go must not keep the others; the next sweep tries it again.
            log.error("payout_run_not_sent", run_id=str(run_id), code=error.code, error=str(error))
    return sent


def send_run(run_id: uuid.UUID, desk: Desk) -> bool:
    """Hand one approved run to the bank. False when there is nothing to hand over (any more)."""
    payment = run_in_transaction(lambda session: sending.begin(session, run_id, desk.debtor))
    if payment is None:
        return False
    desk.bank.submit(payment)
    run_in_transaction(lambda session: sending.finish(session, run_id, desk.patience))
    return True


def read_answers(desk: Desk) -> list[Taken]:
    """Book every file that the bank has left, in order, then look at parked lines again."""
    taken: list[Taken] = []
    for answer in desk.bank.answers():
        outcome = take(answer, desk)
        if outcome is None:
            return taken
        taken.append(outcome)
    run_in_transaction(reconciliation.revisit)
    return taken


def take(answer: AnswerFile, desk: Desk) -> Taken | None:
    """Book one file and set it aside. None when another worker is reading the bank's files."""
    outcome = run_in_transaction(lambda session: _take(session, answer, desk.debtor.account_number))
    if outcome is None:
        return None
    if outcome.problem is not None:
        log.error("bank_file_refused", file=answer.name, problem=outcome.problem)
        desk.bank.refuse(answer, outcome.problem)
    else:
        desk.bank.acknowledge(answer)
    return outcome


def ask_about_silence(desk: Desk) -> list[uuid.UUID]:
    """Ask the bank about runs it has said nothing about for too long."""
    runs = run_in_transaction(lambda session: sending.note_silence(session, desk.patience))
    for run_id in runs:
        desk.bank.enquire(run_id)
    return runs


def _schemes_to_prepare(session: Session) -> list[str]:
    now = clock.now(session).astimezone(clock.ZONE)
    if now.time() < PREPARED_FROM:
        return []
    return queries.list_schemes_without_run(session, now.date())


def _prepare(session: Session, scheme_code: str) -> uuid.UUID | None:
    run = service.prepare(session, scheme_code, clock.today(session))
    return run.id if run is not None else None


def _take(session: Session, answer: AnswerFile, account: str) -> Taken | None:
    file = reconciliation.take(session, answer, account)
    if file is None:
        return None
    return Taken(file.name, file.kind, file.problem, list(file.findings))
