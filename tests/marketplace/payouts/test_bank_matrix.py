"""Every step of a payout, crashed before and after, against every way the bank may behave.

The judge is the bank's own log: whatever happens, it has paid each payout at most once, and the
books say the same as its account.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

import bank_sandbox
import ledger
from bank_sandbox.bank import Bank
from ledger import uuid7
from marketplace import chart
from marketplace.config import Settings
from marketplace.db import db, transaction
from marketplace.enrolments.models import Earning, EarningState
from marketplace.payouts import courier, orders, reconciliation, sending, service
from marketplace.payouts.bank import AnswerFile, BankGateway, Handover
from marketplace.payouts.courier import Desk
from marketplace.payouts.iso20022 import PaymentFile
from marketplace.payouts.models import Payout, PayoutRun, PayoutState
from tests.marketplace.payouts import world
from tests.marketplace.payouts.world import MONDAY, make_earning, make_payee, noon
from tests.servers import Servers
from tests.thorough import THOROUGH

NET = Decimal(900_000)
BEHAVIOURS = ("pay", "delay", "reject", "return", "repeat", "pay-then-drop", "never")
CRASHES = (
    "none",
    "begin",
    "before submit",
    "after submit",
    "finish",
    "take",
    "before acknowledge",
    "after acknowledge",
    "before enquire",
    "after enquire",
)


class Crash(BaseException):
    """The process is gone. Not an Exception, so that no handler can carry on as if nothing was."""


@dataclass
class Fuse:
    """Blows once, at one named step."""

    step: str
    blown: bool = False

    def reach(self, step: str) -> None:
        if step == self.step and not self.blown:
            self.blown = True
            raise Crash(step)


@dataclass
class FragileBank:
    """The folder, with a process that may die before or after each use of it."""

    bank: BankGateway
    fuse: Fuse

    def submit(self, payment: PaymentFile) -> None:
        self._around("submit", lambda: self.bank.submit(payment))

    def enquire(self, run_id: UUID) -> None:
        self._around("enquire", lambda: self.bank.enquire(run_id))

    def acknowledge(self, answer: AnswerFile) -> None:
        self._around("acknowledge", lambda: self.bank.acknowledge(answer))

    def handover(self, run_id: UUID) -> Handover:
        return self.bank.handover(run_id)

    def answers(self) -> Iterator[AnswerFile]:
        return self.bank.answers()

    def refuse(self, answer: AnswerFile, problem: str) -> None:
        self.bank.refuse(answer, problem)

    def _around(self, step: str, act: Callable[[], None]) -> None:
        self.fuse.reach(f"before {step}")
        act()
        self.fuse.reach(f"after {step}")


@dataclass
class Play:
    """One payout run on its way, with the bank's time in our hands."""

    desk: Desk
    bank: Bank
    fuse: Fuse
    lead: timedelta = field(default=timedelta(0))

    def __post_init__(self) -> None:
        self.bank.now = lambda: datetime.now(UTC) + self.lead

    def go_on(self, rounds: int = 5) -> None:
        """What beat does, as often as it takes; a crash ends one round, as it would end a worker."""
        for _ in range(rounds):
            try:
                courier.send_waiting(self.desk)
                self.bank.tick()
                courier.read_answers(self.desk)
                courier.ask_about_silence(self.desk)
            except Crash:
                continue
            finally:
                self.lead += timedelta(seconds=10)


@pytest.fixture(scope="module")
def approved(servers: Servers, settings: Settings, _application: Flask) -> Iterator[str]:
    """A database with one approved payout run, from which every play starts."""
    name = settings.database_url.rpartition("/")[2].partition("?")[0]
    servers.clone(name)
    world.set_programme_time(settings.database_owner_url, noon(MONDAY))
    with _application.app_context():
        with transaction() as session:
            provider, _ = make_payee(session)
            make_earning(session, provider)
            world.prepare_and_approve(session)
        db.session.remove()
        db.engine.dispose()
    servers.clone(f"{name}_approved", name)
    yield f"{name}_approved"
    servers.drop(f"{name}_approved")


@pytest.fixture
def database(servers: Servers, settings: Settings, approved: str) -> str:
    """In place of the suite's: a copy of the above."""
    name = approved.removesuffix("_approved")
    servers.clone(name, approved)
    return name


@pytest.fixture
def play(
    session: Session, settings: Settings, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Play]:
    behaviour, step = request.param
    fuse = Fuse(step)
    for module, name in ((sending, "begin"), (sending, "finish"), (reconciliation, "take")):
        monkeypatch.setattr(module, name, _crashing(getattr(module, name), fuse, name))
    desk = world.desk_of(settings, patience=timedelta(0))
    with world.sandbox(settings.bank_folder, behaviour) as bank:
        yield Play(Desk(FragileBank(desk.bank, fuse), desk.debtor, desk.patience), bank, fuse)


def _crashing(function: Callable[..., Any], fuse: Fuse, step: str) -> Callable[..., Any]:
    """The work is done, and the process dies before it can commit."""

    def crashing(*arguments: Any, **more: Any) -> Any:
        result = function(*arguments, **more)
        fuse.reach(step)
        return result

    return crashing


def cases() -> list[Any]:
    """Where somebody waits for them, every other square: each behaviour and each step is among them still."""
    return [
        pytest.param((behaviour, step), id=f"{behaviour}, crash {step}")
        for row, behaviour in enumerate(BEHAVIOURS)
        for column, step in enumerate(CRASHES)
        if THOROUGH or (row + column) % 2 == 0
    ]


@pytest.mark.parametrize("play", cases(), indirect=True)
def test_the_bank_pays_once_and_the_books_agree(play: Play, session: Session, settings: Settings) -> None:
    play.go_on()
    [payout] = world.payouts_of(session)
    if payout.state in (PayoutState.FAILED, PayoutState.RETURNED):
        _try_again(session, settings, payout)
        play.go_on()
    behaviour = play.bank.state.payments[payout.id.hex].behaviour.action
    _assert_end(session, settings, behaviour)


def _try_again(session: Session, settings: Settings, payout: Payout) -> None:
    """The provider mends its account, finance staff press the button, two people approve."""
    world.behave(settings.bank_folder, "pay")
    with transaction() as session:
        run = service.retry(session, payout.id, world.make_finance(session))
        assert run is not None
        world.approve(session, run)


def _assert_end(session: Session, settings: Settings, behaviour: str) -> None:
    payouts = world.payouts_of(session)
    states = [payout.state for payout in payouts]
    earning_states = set(session.scalars(select(Earning.state)))
    if behaviour == "never":
        assert (states, earning_states) == ([PayoutState.UNKNOWN], {EarningState.ACCRUED})
        assert kept_by_providers(settings) == 0
        assert ledger.balance(session, chart.TRANSIT_PAYOUTS) == NET
    else:
        first = {"reject": [PayoutState.FAILED], "return": [PayoutState.RETURNED]}.get(behaviour, [])
        assert (states, earning_states) == ([*first, PayoutState.PAID], {EarningState.PAID})
        assert_paid_exactly(settings, NET)
        assert ledger.balance(session, chart.TRANSIT_PAYOUTS) == 0
    assert_agreement_with_the_bank(session, settings)


def kept_by_providers(settings: Settings) -> Decimal:
    """By the bank's log: what was paid, less what came back."""
    paid = sum(bank_sandbox.paid_totals(settings.bank_folder).values(), Decimal(0))
    return paid - sum(bank_sandbox.returned_totals(settings.bank_folder).values(), Decimal(0))


def assert_paid_exactly(settings: Settings, amount: Decimal) -> None:
    assert kept_by_providers(settings) == amount


def assert_agreement_with_the_bank(session: Session, settings: Settings) -> None:
    """No line unexplained, the money gone from the books is the money gone from the bank."""
    received = sum(
        (line.amount for line in ledger.statement(session, chart.BANK_TREASURY).lines if line.amount > NET),
        Decimal(0),
    )
    assert received - ledger.balance(session, chart.BANK_TREASURY) == kept_by_providers(settings)
    assert ledger.balance(session, chart.SUSPENSE_BANK) == 0
    world.assert_books_are_sound(session)


@pytest.mark.parametrize("play", [pytest.param(("pay", "none"), id="naive sender")], indirect=True)
def test_a_sender_that_takes_new_names_after_a_crash_pays_twice(
    play: Play, session: Session, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: the same judge finds a sender that resends under another id."""

    def rename(payment: PaymentFile) -> PaymentFile:
        transfers = [
            type(each)(uuid7(), each.amount, each.creditor_name, each.bank_code, each.account_number, "-")
            for each in payment.transfers
        ]
        return PaymentFile(uuid7(), payment.created_at, payment.debtor, transfers)

    play.go_on()
    [run_id] = {payout.run_id for payout in world.payouts_of(session)}
    run = session.get_one(PayoutRun, run_id)
    play.desk.bank.submit(rename(orders.payment_file(run, play.desk.debtor)))
    play.go_on()
    with pytest.raises(AssertionError):
        assert_paid_exactly(settings, NET)
    assert ledger.balance(session, chart.SUSPENSE_BANK) == -NET, "the books name the second payment at once"
    world.assert_books_are_sound(session)
