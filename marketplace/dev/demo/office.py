"""The programme's own days: what beat does at night, and two finance people in the morning."""

import subprocess
import sys
import uuid
from dataclasses import dataclass

from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.batches import service as batches
from marketplace.config import Settings
from marketplace.db import run_in_transaction
from marketplace.dev.demo.stage import APPROVER, SUBMITTER, office_user
from marketplace.dev.errors import DevelopmentError
from marketplace.dev.layout import CHECKOUT
from marketplace.enrolments import cancellation, completion
from marketplace.payouts import courier, queries, service
from marketplace.payouts.models import PayoutRunState
from marketplace.schemes import queries as schemes
from marketplace.schemes.calendar import is_working_day


@dataclass(slots=True)
class Office:
    """Nights and mornings of the programme, for one installation."""

    settings: Settings
    _hears_more: bool = False

    def night(self) -> None:
        """Whatever fell due: unspent grants, overdue declarations, and the day's payout run."""
        run_in_transaction(batches.revoke_unspent)
        run_in_transaction(_declare_overdue)
        run_in_transaction(cancellation.refund_unopened)
        run_in_transaction(_prepare)

    def morning(self) -> None:
        """On a working day, two people let the prepared runs go, and the bank answers.

        What it returns comes a day later.
        """
        runs = run_in_transaction(_submit_and_approve)
        for run_id in runs:
            courier.send_run(run_id, courier.desk(self.settings))
        if runs or self._hears_more:
            self.meet_bank()
        self._hears_more = bool(runs)

    def meet_bank(self) -> None:
        """One round of the bank, and what it says is booked. The bank is a process of its own."""
        account = ("--account", self.settings.bank_account)
        done = subprocess.run(
            [sys.executable, "-m", "bank_sandbox", str(self.settings.bank_folder), *account, "--once"],
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise DevelopmentError(f"the bank's sandbox refused to work: {done.stderr.strip()}")
        courier.read_answers(courier.desk(self.settings))


def _declare_overdue(session: Session) -> None:
    for run_id in completion.list_overdue_runs(session):
        completion.declare_overdue(session, run_id)


def _prepare(session: Session) -> None:
    """What beat does at one in the morning."""
    today = clock.today(session)
    for scheme in schemes.list_schemes(session):
        service.prepare(session, scheme.code, today)


def _submit_and_approve(session: Session) -> list[uuid.UUID]:
    if not is_working_day(session, clock.today(session)):
        return []
    waiting = queries.list_runs(session, state=PayoutRunState.PREPARED)
    for summary in waiting:
        service.submit(session, summary.run.id, office_user(session, SUBMITTER))
        service.approve(session, summary.run.id, office_user(session, APPROVER))
    return [summary.run.id for summary in waiting]
