"""The finance office on a Monday: a prepared run of one provider, two people and an auditor."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

import ledger
from marketplace import clock
from marketplace.config import Settings
from marketplace.db import transaction
from marketplace.identity.models import Role, User
from marketplace.payouts import courier, sending, service, settlement
from marketplace.payouts.models import Payout, PayoutRun
from marketplace.providers.models import Provider
from tests import factories
from tests.marketplace.payouts import world
from tests.marketplace.payouts.world import MONDAY, SCHEME, make_earning, make_payee, noon


@dataclass
class Office:
    """`first` and `second` are finance staff, `auditor` only reads. One payout of Rp900.000 is prepared."""

    session: Session
    settings: Settings
    provider: Provider
    first: User
    second: User
    auditor: User
    run_id: object
    payout_id: object

    @property
    def run(self) -> PayoutRun:
        self.session.rollback()
        return self.session.scalars(select(PayoutRun).where(PayoutRun.id == self.run_id)).one()

    @property
    def payout(self) -> Payout:
        self.session.rollback()
        return self.session.scalars(select(Payout).where(Payout.id == self.payout_id)).one()

    @property
    def address(self) -> str:
        return f"/keuangan/pembayaran/{self.run_id}"

    @property
    def payout_address(self) -> str:
        return f"{self.address}/{self.payout_id}"

    def approve(self) -> None:
        run_id = self.run.id
        with transaction() as current:
            service.submit(current, run_id, current.get_one(User, self.first.id))
        with transaction() as current:
            service.approve(current, run_id, current.get_one(User, self.second.id))

    def send(self) -> None:
        """Hand the approved run to the bank."""
        run_id = self.run.id
        with transaction() as current:
            sending.begin(current, run_id, courier.desk(self.settings).debtor)

    def answer(self, code: str | None = None, words: str = "") -> None:
        """The bank pays, or refuses for a reason."""
        payout_id = self.payout.id
        with transaction() as current:
            payout = current.get_one(Payout, payout_id)
            request = (
                settlement.fail(current, payout, code, words) if code else settlement.pay(current, payout)
            )
            ledger.post_many(current, [request])

    def transactions(self) -> Sequence[ledger.TransactionRecord]:
        """Everything that was ever posted."""
        self.session.rollback()
        trial = ledger.trial_balance(self.session)
        ids = {
            line.transaction_id
            for row in trial.rows
            for line in ledger.statement(self.session, row.code).lines
        }
        return [ledger.get_transaction(self.session, each) for each in sorted(ids)]


@pytest.fixture
def office(session: Session, settings: Settings) -> Office:
    world.set_programme_time(settings.database_owner_url, noon(MONDAY))
    with transaction() as current:
        provider, _account = make_payee(current)
        make_earning(current, provider)
        first = factories.make_user(current, Role.FINANCE, name="Sari Wulandari")
        second = factories.make_user(current, Role.FINANCE, name="Budi Hartono")
        auditor = factories.make_user(current, Role.AUDITOR, name="Maria Simanjuntak")
    with transaction() as current:
        run = service.prepare(current, SCHEME, clock.today(current))
        assert run is not None
        run_id, payout_id = run.id, run.payouts[0].id
    return Office(session, settings, provider, first, second, auditor, run_id, payout_id)
