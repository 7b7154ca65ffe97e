"""The bank killed at every step that touches the disk: before it, after it, and half way through."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bank_sandbox import files
from bank_sandbox.bank import Bank
from bank_sandbox.log import BrokenLogError, log_path, paid_totals, read, returned_totals
from bank_sandbox.orders import Message
from bank_sandbox.rules import Rules
from marketplace.payouts.bank import AnswerKind, FolderBank
from marketplace.payouts.iso20022 import read_statements
from tests.bank_sandbox.payments import RUN, payment, transfer

ORDERS = [transfer(n, account=f"555990{n}") for n in range(5, 7)] + [
    transfer(1, account="5559901"),
    transfer(2, account="5559902"),
    transfer(3),
]
DUE = {order.end_to_end_id: order.amount for order in ORDERS if order.account_number != "5559901"}
RETURNED = {transfer(2).end_to_end_id: transfer(2).amount}
DEPOSIT = 9_000_000
MOMENTS = ("before", "after", "half way")

Act = Callable[[Path, Any], None]


class Killed(BaseException):
    """kill -9: nothing may catch it."""


class Killer:
    """Counts the bank's changes to the disk and ends its life at one of them."""

    def __init__(self, at: int, moment: str) -> None:
        self.at, self.moment, self.count, self.has_struck = at, moment, 0, False

    def wrap(self, act: Act, half: Act) -> Act:
        def step(path: Path, what: Any) -> None:
            self.count += 1
            if self.count != self.at:
                act(path, what)
                return
            if self.moment == "after":
                act(path, what)
            elif self.moment == "half way":
                half(path, what)
            self.has_struck = True
            raise Killed

        return step

    def arm(self, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(files, "append", self.wrap(files.append, _half_append))
        patch.setattr(files, "write", self.wrap(files.write, _half_write))
        patch.setattr(files, "move", self.wrap(files.move, lambda _path, _folder: None))


def _half_append(path: Path, content: bytes) -> None:
    with path.open("ab") as file:
        file.write(content[: len(content) // 2])


def _half_write(path: Path, content: bytes) -> None:
    path.with_name(f".{path.name}.draft").write_bytes(content[: len(content) // 2])


class HastyBank(Bank):
    """A seeded bug: takes the file away before the log has it."""

    def _accept(self, path: Path, order: Message, rules: Rules) -> None:
        files.move(path, self.folder / "taken")
        super()._accept(self.folder / "taken" / path.name, order, rules)


def _prepare(folder: Path) -> None:
    gateway = FolderBank(folder)
    gateway.submit(payment(*ORDERS))
    gateway.enquire(RUN)
    (folder / "deposits").mkdir()
    deposit = {"amount": DEPOSIT, "reference": "APBN", "date": "2030-03-04"}
    (folder / "deposits" / "deposit-1.json").write_text(json.dumps(deposit))


def _work(folder: Path, kind: type[Bank]) -> None:
    """Rounds until one changes nothing."""
    bank = kind(folder)
    try:
        lines = -1
        while lines != len(read(folder)):
            lines = len(read(folder))
            bank.tick()
    finally:
        bank.close()


def _killed_at(folder: Path, at: int, moment: str, kind: type[Bank] = Bank) -> bool:
    """Work, die at a step, come back and finish. False when there was no such step."""
    folder.mkdir()
    _prepare(folder)
    with pytest.MonkeyPatch.context() as patch:
        killer = Killer(at, moment)
        killer.arm(patch)
        with suppress(Killed):  # the death that was ordered; the bank comes back below
            _work(folder, kind)
    _work(folder, kind)
    return killer.has_struck


def _every_death(tmp_path: Path, moment: str, kind: type[Bank] = Bank) -> Iterator[Path]:
    at = 1
    while _killed_at(tmp_path / str(at), at, moment, kind):
        yield tmp_path / str(at)
        at += 1


def _check_statements(folder: Path) -> None:
    """The statements form one chain, name each movement once, and end at the true balance."""
    found = {}
    for answer in FolderBank(folder).answers():
        if answer.kind is AnswerKind.STATEMENT:
            for statement in read_statements(answer.content, answer.name):
                found[statement.id] = statement
    statements = sorted(found.values(), key=lambda statement: statement.number or 0)
    openings = [statement.opening for statement in statements]
    assert openings == [Decimal(0), *(statement.closing for statement in statements)][:-1]
    lines = [entry for statement in statements for entry in statement.entries if not entry.repeats]
    assert len({entry.reference for entry in lines}) == len(lines) == len(DUE) + 2
    assert statements[-1].closing == DEPOSIT - sum(DUE.values()) + sum(RETURNED.values())


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_bank_killed_at_any_step_pays_each_order_once(tmp_path: Path, moment: str) -> None:
    steps = 0
    for folder in _every_death(tmp_path, moment):
        steps += 1
        assert paid_totals(folder) == DUE
        assert returned_totals(folder) == RETURNED
        _check_statements(folder)
    assert steps > 20


def test_the_harness_catches_a_bank_that_loses_an_order(tmp_path: Path) -> None:
    totals = [paid_totals(folder) for folder in _every_death(tmp_path, "before", HastyBank)]
    assert any(total != DUE for total in totals)


def test_a_line_written_by_somebody_else_stops_the_bank(tmp_path: Path) -> None:
    _prepare(tmp_path)
    _work(tmp_path, Bank)
    path = log_path(tmp_path)
    path.write_bytes(path.read_bytes().replace(b'"number": 3,', b'"number": 4,', 1))
    with pytest.raises(BrokenLogError, match="line 3"):
        Bank(tmp_path)
