"""kill -9 of the real worker in the middle of a payout run: each payout once, books as the bank's log.

The worker is stopped exactly where it hurts by holding a lock that it needs next: the folder's lock
before the hand-over, the rows before the second transaction, the earnings while a statement is
being booked, the folder's lock again before the file is set aside. There it is killed, pool and all.
"""

import fcntl
import json
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

import bank_sandbox
import ledger
from ledger import uuid7
from marketplace import chart
from marketplace.config import Settings
from marketplace.db import transaction
from marketplace.dev import services
from marketplace.dev.supervisor import Supervisor
from marketplace.payouts import courier, orders, service
from marketplace.payouts.iso20022 import CreditTransfer, PaymentFile
from marketplace.payouts.models import BankFile, PayoutRun, PayoutState
from tests.live import wait_until
from tests.marketplace.payouts import world
from tests.marketplace.payouts.world import MONDAY, make_earning, make_finance, make_payee, noon

pytestmark = pytest.mark.long

ACCOUNTS = ("1200000001", "1200000002", "1200000003", "1200009905", "1200009901", "1200009902")
"""Three ordinary ones; then the bank repeats its answers, rejects, and returns after payment."""
NET = Decimal(900_000)


class Crew:
    """The real processes around one database and one bank's folder."""

    def __init__(self, settings: Settings, supervisor: Supervisor, schedule: Path) -> None:
        self.settings, self.supervisor, self.schedule = settings, supervisor, schedule
        self.environ = {
            "BEKAL_ENV": "test",
            "BEKAL_HOME": str(settings.home),
            "DATABASE_URL": settings.database_url,
            "DATABASE_OWNER_URL": settings.database_owner_url,
            "REDIS_URL": settings.redis_url,
            "BEKAL_TICK_SECONDS": "0.5",
        }

    def start_bank(self) -> None:
        self.supervisor.start(services.bank(self.environ, str(self.settings.bank_folder), "--poll", "0.05"))

    def start_beat(self) -> None:
        self.supervisor.start(services.beat(self.environ, str(self.schedule)))

    def start_worker(self) -> None:
        self.supervisor.start(services.worker(self.environ))

    def kill_worker(self) -> None:
        """kill -9 of the worker and its pool at once; nobody gets to tidy up."""
        [child] = [each for each in self.supervisor.children if each.program.name == "worker"]
        os.killpg(child.process.pid, signal.SIGKILL)
        child.process.wait()
        self.supervisor.stop("worker")


@pytest.fixture
def crew(session: Session, settings: Settings, redis_url: str, tmp_path: Path) -> Iterator[Crew]:
    world.set_programme_time(settings.database_owner_url, noon(MONDAY))
    settings.bank_folder.mkdir(parents=True, exist_ok=True)
    with Supervisor(settings.home, print) as supervisor:
        yield Crew(settings, supervisor, tmp_path / "beat")


def test_a_worker_killed_anywhere_in_a_payout_run_pays_each_once(
    crew: Crew, session: Session, settings: Settings, app_engine: Engine
) -> None:
    _prepare_approved_run()
    crew.start_beat()
    _kill_before_the_hand_over(crew, session)
    _kill_after_the_hand_over(crew, app_engine)
    crew.start_bank()
    _kill_while_a_statement_is_booked(crew, app_engine)
    _kill_before_a_file_is_set_aside(crew, session)
    crew.start_worker()
    wait_until(lambda: _states(session) == Counter(paid=4, failed=1, returned=1), 60)
    _assert_each_paid_once(settings, dict.fromkeys(ACCOUNTS[:4], NET))

    _retry_what_the_bank_refused(session, settings)
    wait_until(lambda: _states(session) == Counter(paid=6, failed=1, returned=1), 60)
    wait_until(lambda: not list((settings.bank_folder / "inbox").iterdir()))
    _assert_each_paid_once(settings, dict.fromkeys(ACCOUNTS, NET))
    _assert_books_agree(session, settings)

    _resend_under_new_names(session, settings)
    wait_until(lambda: _suspense(session) == -6 * NET, 60)
    with pytest.raises(AssertionError):
        _assert_each_paid_once(settings, dict.fromkeys(ACCOUNTS, NET))


# The four places


def _kill_before_the_hand_over(crew: Crew, session: Session) -> None:
    """The first transaction is committed; the bank has not heard of it."""
    with _folder_locked(crew.settings):
        crew.start_worker()
        wait_until(lambda: _states(session)[PayoutState.SENDING] == len(ACCOUNTS), 60)
        crew.kill_worker()
    assert not _payment_files(crew.settings)


def _kill_after_the_hand_over(crew: Crew, engine: Engine) -> None:
    """The file lies with the bank; nothing of that is in the database."""
    with engine.begin() as connection, _folder_locked(crew.settings) as unlock:
        crew.start_worker()
        wait_until(lambda: _waits_for_the_folder(crew), 60)
        connection.execute(text("SELECT id FROM payout FOR UPDATE"))
        unlock()
        wait_until(lambda: bool(_payment_files(crew.settings)), 60)
        crew.kill_worker()


def _kill_while_a_statement_is_booked(crew: Crew, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("SELECT id FROM earning FOR UPDATE"))
        crew.start_worker()
        wait_until(lambda: _somebody_waits(engine), 60)
        crew.kill_worker()


def _kill_before_a_file_is_set_aside(crew: Crew, session: Session) -> None:
    """What the bank said is booked; its file still lies in the inbox."""
    before = _count(session, BankFile)
    with _folder_locked(crew.settings):
        crew.start_worker()
        wait_until(lambda: _count(session, BankFile) > before, 60)
        crew.kill_worker()


@contextmanager
def _folder_locked(settings: Settings) -> Iterator[Callable[[], None]]:
    """Hold the lock that every use of the bank's folder takes; the yielded function lets it go early."""
    with (settings.bank_folder / ".bekal.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lambda: fcntl.flock(lock, fcntl.LOCK_UN)


def _waits_for_the_folder(crew: Crew) -> bool:
    """Whether the kernel lists somebody who waits for the folder's lock."""
    inode = (crew.settings.bank_folder / ".bekal.lock").stat().st_ino
    return any("->" in line and f":{inode} " in line for line in Path("/proc/locks").read_text().splitlines())


def _somebody_waits(engine: Engine) -> bool:
    query = (
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%earning%'"
    )
    with engine.connect() as connection:
        return bool(connection.scalar(text(query)))


# The story around them


def _prepare_approved_run() -> None:
    with transaction() as session:
        for number in ACCOUNTS:
            provider, _ = make_payee(session, number)
            make_earning(session, provider)
        world.prepare_and_approve(session)


def _retry_what_the_bank_refused(session: Session, settings: Settings) -> None:
    (settings.bank_folder / "behaviour.json").write_text(json.dumps({"suffix_rules": False}))
    refused = [each.id for each in world.payouts_of(session) if each.reason_code]
    with transaction() as session:
        for payout_id in refused:
            run = service.retry(session, payout_id, make_finance(session))
            if run is not None:
                world.approve(session, run)


def _resend_under_new_names(session: Session, settings: Settings) -> None:
    """The seeded fault: a sender that does not know whether it has sent, and sends afresh."""
    desk = courier.desk(settings)
    session.rollback()
    for run in session.scalars(select(PayoutRun)).all():
        known = orders.payment_file(run, desk.debtor)
        paid = {payout.id for payout in run.payouts if payout.state == PayoutState.PAID}
        renamed = [_renamed(each) for each in known.transfers if each.payout_id in paid]
        desk.bank.submit(PaymentFile(uuid7(), known.created_at, known.debtor, renamed))


def _renamed(transfer: CreditTransfer) -> CreditTransfer:
    place = (transfer.creditor_name, transfer.bank_code, transfer.account_number)
    return CreditTransfer(uuid7(), transfer.amount, *place, transfer.remittance)


# The judges


def _assert_each_paid_once(settings: Settings, expected: dict[str, Decimal]) -> None:
    """By the bank's log alone: no payment executed twice, and every account has kept what it is due."""
    events = bank_sandbox.read(settings.bank_folder)
    executed = Counter(event.data["end_to_end_id"] for event in events if event.kind == "paid")
    assert set(executed.values()) == {1}
    kept: dict[str, Decimal] = {}
    for row in (row for event in events if event.kind == "received" for row in event.data["transfers"]):
        name = row["end_to_end_id"]
        paid = bank_sandbox.paid_totals(settings.bank_folder).get(name, Decimal(0))
        returned = bank_sandbox.returned_totals(settings.bank_folder).get(name, Decimal(0))
        kept[row["account"]] = kept.get(row["account"], Decimal(0)) + paid - returned
    assert {account: amount for account, amount in kept.items() if amount} == expected


def _assert_books_agree(session: Session, settings: Settings) -> None:
    paid = sum(bank_sandbox.paid_totals(settings.bank_folder).values(), Decimal(0))
    returned = sum(bank_sandbox.returned_totals(settings.bank_folder).values(), Decimal(0))
    session.rollback()
    lines = ledger.statement(session, chart.BANK_TREASURY).lines
    moved = sum((line.amount for line in lines if line.kind != "appropriation"), Decimal(0))
    assert moved == returned - paid == -NET * len(ACCOUNTS)
    assert ledger.balance(session, chart.TRANSIT_PAYOUTS) == 0
    assert _suspense(session) == 0
    world.assert_books_are_sound(session)


def _states(session: Session) -> Counter[str]:
    return Counter(payout.state for payout in world.payouts_of(session))


def _suspense(session: Session) -> Decimal:
    session.rollback()
    return ledger.balance(session, chart.SUSPENSE_BANK)


def _count(session: Session, table: type[BankFile]) -> int:
    session.rollback()
    return session.scalar(select(func.count()).select_from(table)) or 0


def _payment_files(settings: Settings) -> list[Path]:
    return [
        path
        for place in ("outbox", "taken")
        for path in (settings.bank_folder / place).glob("payout-run-*.xml")
    ]
