"""The bank as the process it is: started, killed with -9 while it works, and stopped."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest

from bank_sandbox.log import log_path, paid_totals, read
from marketplace.payouts.bank import FolderBank
from marketplace.payouts.iso20022 import PaymentFile
from tests.bank_sandbox.payments import payment, transfer

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 30
RUNS, PAYOUTS = 6, 150

NewPayouts = Callable[[PaymentFile], PaymentFile]


def _start(folder: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bank_sandbox", str(folder), "--poll", "0.01", *options]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@contextmanager
def _running(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A bank that has said its start line; killed at the end if it still runs."""
    with _start(folder) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("bank sandbox:")
            yield process
        finally:
            process.kill()


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "the bank did not get there"
        time.sleep(0.002)


def _log_size(folder: Path) -> int:
    path = log_path(folder)
    return path.stat().st_size if path.exists() else 0


def _orders(run: int) -> PaymentFile:
    first = run * PAYOUTS + 1
    transfers = [transfer(number) for number in range(first, first + PAYOUTS)]
    return payment(*transfers, run_id=UUID(int=0xA000 + run))


def _same(order: PaymentFile) -> PaymentFile:
    return order


def _renamed(order: PaymentFile) -> PaymentFile:
    """A seeded bug: sending again as a new run of new payouts."""
    ids = iter(range(50_000, 60_000))
    fresh = [transfer(next(ids), amount=int(each.amount)) for each in order.transfers]
    return payment(*fresh, run_id=UUID(int=order.run_id.int + 0x1000))


def _kill_while_it_works(folder: Path, send_again: NewPayouts) -> Decimal:
    """Hand over runs; kill the bank at a random growth of its log, start it, hand over again."""
    gateway, chance = FolderBank(folder), random.Random(7)
    for run in range(RUNS):
        order = _orders(run)
        with _running(folder) as process:
            until = _log_size(folder) + chance.randrange(1, 90_000)
            gateway.submit(order)
            _wait_for(partial(_has_worked, folder, until, order))
            process.send_signal(signal.SIGKILL)
        gateway.submit(send_again(order))
    with _running(folder):
        _wait_for(lambda: not any((folder / "outbox").glob("*.xml")))
        _wait_for(lambda: _is_done(folder))
    return sum(paid_totals(folder).values(), Decimal(0))


def _has_worked(folder: Path, until: int, order: PaymentFile) -> bool:
    return _log_size(folder) >= until or _all_paid(folder, order)


def _all_paid(folder: Path, order: PaymentFile) -> bool:
    return all(each.end_to_end_id in paid_totals(folder) for each in order.transfers)


def _is_done(folder: Path) -> bool:
    """Everything received has been paid and stated, and every file of the bank delivered."""
    events = read(folder)
    kinds = [event.kind for event in events]
    ordered = sum(len(event.data["transfers"]) for event in events if event.kind == "received")
    stated = sum(event.data["bookings"] for event in events if event.kind == "statement")
    files = kinds.count("answer") + kinds.count("statement")
    return kinds.count("paid") == ordered == stated and files <= kinds.count("delivered")


@pytest.fixture
def due() -> Decimal:
    return sum((_orders(run).total for run in range(RUNS)), Decimal(0))


def test_a_bank_killed_while_it_works_pays_each_payout_once(tmp_path: Path, due: Decimal) -> None:
    assert _kill_while_it_works(tmp_path, _same) == due
    totals = paid_totals(tmp_path)
    for run in range(RUNS):
        assert all(totals[each.end_to_end_id] == each.amount for each in _orders(run).transfers)


def test_sending_again_under_new_names_would_pay_twice(tmp_path: Path, due: Decimal) -> None:
    assert _kill_while_it_works(tmp_path, _renamed) > due


def test_the_bank_stops_in_order_and_starts_again(tmp_path: Path) -> None:
    tmp_path.joinpath("outbox").mkdir()
    for _ in range(2):
        with _running(tmp_path) as process:
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0


def test_once_does_one_round(tmp_path: Path) -> None:
    FolderBank(tmp_path).submit(payment())
    with _start(tmp_path, "--once") as process:
        assert process.wait(PATIENCE) == 0
    assert paid_totals(tmp_path) == {transfer().end_to_end_id: transfer().amount}


def test_a_second_bank_in_the_folder_and_wrong_rules_are_refused(tmp_path: Path) -> None:
    with _running(tmp_path), _start(tmp_path) as second:
        assert second.wait(PATIENCE) == 1
    (tmp_path / "behaviour.json").write_text("{")
    with _start(tmp_path) as third:
        _, complaint = third.communicate(timeout=PATIENCE)
        assert third.returncode == 2 and "behaviour.json" in complaint
