"""The bank in the hands of the tests: each behaviour, as the gateway and the bank's log see it."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest

from bank_sandbox.bank import Bank, FolderInUseError
from bank_sandbox.log import paid_totals, read, returned_totals
from bank_sandbox.orders import Transfer
from bank_sandbox.rules import RulesError
from marketplace.payouts.bank import AnswerKind, FolderBank, payment_file_name
from marketplace.payouts.iso20022 import (
    CreditTransfer,
    PaymentStatus,
    Statement,
    StatusReport,
    read_statements,
    read_status_report,
    write_payment_file,
)
from tests.bank_sandbox.payments import RUN, payment, transfer
from tests.bank_sandbox.schemas import validate

ONE = transfer().end_to_end_id


class World:
    """A bank, a gateway and a clock that stands still."""

    def __init__(self, folder: Path, kind: type[Bank] = Bank) -> None:
        self.folder, self.time = folder, datetime(2030, 3, 4, tzinfo=UTC)
        self.gateway, self.bank = FolderBank(folder), kind(folder, now=lambda: self.time)

    def submit(self, *transfers: CreditTransfer) -> None:
        self.gateway.submit(payment(*transfers))

    def tick(self, times: int = 1) -> None:
        for _ in range(times):
            self.bank.tick()

    def tell(self, **rules: object) -> None:
        (self.folder / "behaviour.json").write_text(json.dumps(rules))

    def deposit(self, name: str, **told: object) -> None:
        (self.folder / "deposits" / f"deposit-{name}.json").write_text(json.dumps(told))

    def reports(self) -> list[StatusReport]:
        return [
            read_status_report(answer.content, answer.name)
            for answer in self.gateway.answers()
            if answer.kind is AnswerKind.STATUS
        ]

    def statements(self) -> list[Statement]:
        return [
            statement
            for answer in self.gateway.answers()
            if answer.kind is AnswerKind.STATEMENT
            for statement in read_statements(answer.content, answer.name)
        ]

    def kinds(self) -> list[str]:
        return [event.kind for event in read(self.folder)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.bank.close()


def test_a_payment_is_paid_answered_and_stated(world: World) -> None:
    world.submit(transfer(1), transfer(2))
    world.tick(3)
    assert paid_totals(world.folder) == {transfer(n).end_to_end_id: transfer(n).amount for n in (1, 2)}
    (report,) = world.reports()
    assert report.original_message_id == RUN.hex
    assert {line.status for line in report.transactions} == {PaymentStatus.ACSC}
    (statement,) = world.statements()
    assert (statement.opening, statement.closing) == (0, -2_000_003)
    assert [line.end_to_end_id for line in statement.entries] == [transfer(n).end_to_end_id for n in (1, 2)]
    assert statement.entries[0].booked_on == date(2030, 3, 4)


def test_everything_the_bank_says_is_valid_for_its_schema(world: World) -> None:
    world.submit(*(transfer(n, account=f"123456990{n}") for n in range(1, 7)))
    world.deposit("a", amount=5, reference="APBN & <lain>")
    world.tick()
    world.gateway.enquire(UUID(int=77))
    (world.folder / "outbox" / "broken.xml").write_bytes(b"<Document>\x01")
    world.tick(2)
    answers = list(world.gateway.answers())
    assert len(answers) > 5
    for answer in answers:
        validate(answer.content)


def test_an_account_ending_9901_is_rejected(world: World) -> None:
    world.submit(transfer(account="1239901"))
    world.tick(2)
    status = world.reports()[0].status_of(ONE)
    assert status is not None and (status.status, status.reason) == (PaymentStatus.RJCT, "AC01")
    assert world.statements() == [] and paid_totals(world.folder) == {}


def test_an_account_ending_9902_is_paid_and_returned_in_a_later_statement(world: World) -> None:
    world.submit(transfer(account="1239902"))
    world.tick(3)
    paid, returned = world.statements()
    assert paid.entries[0].amount == -returned.entries[0].amount == -1_000_001
    assert returned.entries[0].is_return and returned.entries[0].return_reason == "AC04"
    assert returned.entries[0].end_to_end_id == ONE
    assert (returned.number, returned.opening, returned.closing) == (2, paid.closing, 0)
    assert returned_totals(world.folder) == paid_totals(world.folder)


def test_an_account_ending_9903_waits(world: World) -> None:
    world.submit(transfer(account="1239903"))
    world.tick(2)
    assert world.reports() == [] and world.statements() == []
    world.gateway.enquire(RUN)
    world.tick()
    assert [line.status for line in world.reports()[0].transactions] == [PaymentStatus.PDNG]
    world.time += timedelta(seconds=5)
    world.tick()
    assert [line.status for line in world.reports()[1].transactions] == [PaymentStatus.ACSC]


def test_an_account_ending_9904_is_neither_paid_nor_answered_even_when_asked(world: World) -> None:
    world.submit(transfer(account="1239904"))
    world.gateway.enquire(RUN)
    world.time += timedelta(days=9)
    world.tick(3)
    assert world.kinds() == ["received", "enquired"]


def test_an_account_ending_9905_is_paid_once_and_told_twice(world: World) -> None:
    world.submit(transfer(account="1239905"))
    world.tick(2)
    assert len(world.reports()) == 2 and len({answer.sha256 for answer in world.gateway.answers()}) == 2
    statement, again = world.statements()
    assert statement.id == again.id
    assert [line.repeats for line in statement.entries] == [False, True]
    assert paid_totals(world.folder) == {ONE: Decimal(1_000_001)}


def test_an_account_ending_9906_is_seen_in_the_statement_alone(world: World) -> None:
    world.submit(transfer(account="1239906"))
    world.gateway.enquire(RUN)
    world.tick(2)
    assert world.reports() == []
    assert world.statements()[0].entries[0].end_to_end_id == ONE


def test_the_behaviour_file_speaks_before_the_account(world: World) -> None:
    world.tell(
        end_to_end={ONE: {"action": "reject", "code": "AM04"}},
        accounts={"77": {"action": "reject"}},
        default={"action": "never"},
        suffix_rules=False,
    )
    world.submit(transfer(1), transfer(2, account="77"), transfer(3, account="1239902"))
    world.tick(2)
    assert [line.reason for line in world.reports()[0].transactions] == ["AM04", "AC01"]
    assert paid_totals(world.folder) == {}


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"unknown": 1}', '{"default": {"action": "burn"}}', '{"accounts": {"1": 2}}']
)
def test_a_behaviour_file_that_cannot_be_read_stops_the_bank_before_it_takes_anything(
    world: World, text: str
) -> None:
    world.submit()
    (world.folder / "behaviour.json").write_text(text)
    with pytest.raises(RulesError):
        world.tick()
    assert world.kinds() == []


def test_a_deposit_is_booked_as_a_credit_and_the_same_file_once(world: World) -> None:
    world.deposit("1", amount=500, reference="APBN 2030", date="2030-04-01")
    world.tick()
    world.deposit("1", amount=500, reference="APBN 2030", date="2030-04-01")
    world.deposit("2", amount=-7, reference="biaya administrasi")
    world.deposit("3", amount=1.5, reference="sen")
    world.tick()
    first, second = world.statements()
    assert [(line.amount, line.remittance) for line in first.entries] == [(500, "APBN 2030")]
    assert [(line.amount, line.booked_on) for line in second.entries] == [(-7, date(2030, 4, 1))]
    assert world.kinds().count("refused") == 1


class ForgetfulBank(Bank):
    """A seeded bug: takes every file and every payment for a new one."""

    def is_known_message(self, message_id: str) -> bool:
        return False

    def is_known(self, transfer: Transfer) -> bool:
        return False


def _hand_over_again(world: World) -> dict[str, Decimal]:
    """The same file under another name, and one of its payouts in another run's file."""
    world.submit(transfer(1))
    world.tick()
    outbox = world.folder / "outbox"
    (outbox / "copy.xml").write_bytes(write_payment_file(payment(transfer(1))))
    other = payment(transfer(1), transfer(2), run_id=UUID(int=0xB1))
    (outbox / "other.xml").write_bytes(write_payment_file(other))
    world.tick(2)
    return paid_totals(world.folder)


def test_a_repeated_file_and_a_repeated_payment_are_paid_once(world: World) -> None:
    assert _hand_over_again(world) == {transfer(n).end_to_end_id: transfer(n).amount for n in (1, 2)}
    lines = [line for report in world.reports() for line in report.transactions]
    assert all(line.status is PaymentStatus.ACSC for line in lines)


def test_the_log_shows_a_bank_that_pays_repeats(tmp_path: Path) -> None:
    world = World(tmp_path, ForgetfulBank)
    assert _hand_over_again(world)[ONE] == 2 * transfer(1).amount
    world.bank.close()


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"<CtrlSum>1000001.00<", b"<CtrlSum>1000002.00<", "AM10"),
        (b"<NbOfTxs>1<", b"<NbOfTxs>2<", "AM18"),
        (b'Ccy="IDR">1000001.00', b'Ccy="IDR">1000001.50', "AM12"),
        (b'Ccy="IDR"', b'Ccy="USD"', "AM11"),
        (b"8800100001", b"8800100002", "AC02"),
        (b"<Dt>2030-03-04<", b"<Dt>2030-02-30<", "DT01"),
        (b"pain.001.001.09", b"pain.001.001.03", "FF01"),
        (b"<MsgId>", b"<MsgId>toolong-toolong-", "FF01"),
    ],
)
def test_a_file_with_a_wrong_sum_or_field_is_refused_whole(
    world: World, old: bytes, new: bytes, code: str
) -> None:
    content = write_payment_file(payment())
    assert old in content
    (world.folder / "outbox" / payment_file_name(RUN)).write_bytes(content.replace(old, new, 1))
    world.tick(2)
    (report,) = world.reports()
    assert report.group_status is PaymentStatus.RJCT and report.group_reason == code
    assert paid_totals(world.folder) == {}


def test_a_question_about_an_unknown_run_says_so_and_the_file_may_then_go_again(world: World) -> None:
    world.gateway.enquire(RUN)
    world.tick()
    (report,) = world.reports()
    assert report.unknown_to_bank and report.original_message_id == RUN.hex
    world.submit(transfer(1))
    world.tick()
    assert paid_totals(world.folder) == {ONE: Decimal(1_000_001)}


def test_a_question_whose_answer_was_lost_is_answered_again(world: World) -> None:
    world.submit(transfer(1), transfer(2, account="1239901"))
    world.tick()
    for path in (world.folder / "inbox").iterdir():
        path.unlink()
    world.gateway.enquire(RUN)
    world.tick()
    statuses = [line.status for line in world.reports()[0].transactions]
    assert statuses == [PaymentStatus.ACSC, PaymentStatus.RJCT]


def test_two_banks_cannot_work_in_one_folder(world: World) -> None:
    with pytest.raises(FolderInUseError):
        Bank(world.folder)
