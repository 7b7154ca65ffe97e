"""The finance office on a Monday: a prepared run of one provider, two people and an auditor."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import pytest
from flask import Flask
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
from tests.scenery import Scenery, paint
from tests.servers import Servers


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


@dataclass(frozen=True)
class _Ids:
    provider: UUID
    first: UUID
    second: UUID
    auditor: UUID
    run: UUID
    payout: UUID


@pytest.fixture(scope="session")
def _painted_office(servers: Servers, settings: Settings, _application: Flask) -> Iterator[Scenery[_Ids]]:
    def open_office() -> _Ids:
        world.set_programme_time(settings.database_owner_url, noon(MONDAY))
        return _open_office()

    with paint(servers, settings, _application, "office", open_office) as scenery:
        yield scenery


def _open_office() -> _Ids:
    with transaction() as current:
        provider, _account = make_payee(current)
        make_earning(current, provider)
        first = factories.make_user(current, Role.FINANCE, name="Sari Wulandari")
        second = factories.make_user(current, Role.FINANCE, name="Budi Hartono")
        auditor = factories.make_user(current, Role.AUDITOR, name="Maria Simanjuntak")
    with transaction() as current:
        run = service.prepare(current, SCHEME, clock.today(current))
        assert run is not None
        return _Ids(provider.id, first.id, second.id, auditor.id, run.id, run.payouts[0].id)


@pytest.fixture
def office(
    app: Flask, database: str, session: Session, settings: Settings, _painted_office: Scenery[_Ids]
) -> Office:
    ids = _painted_office.put_up(app, database)
    first, second, auditor = (session.get_one(User, each) for each in (ids.first, ids.second, ids.auditor))
    provider = session.get_one(Provider, ids.provider)
    return Office(session, settings, provider, first, second, auditor, ids.run, ids.payout)
