"""The gateway over a folder: handing over twice is harmless, answers stay until they are booked."""

import os
from collections.abc import Callable
from pathlib import Path
from threading import Barrier, Thread

import pytest

from bank_sandbox.bank import TREASURY_ACCOUNT as SANDBOX_ACCOUNT
from bank_sandbox.bank import Bank
from bank_sandbox.log import read
from marketplace.payouts.bank import (
    TREASURY_ACCOUNT,
    AnswerKind,
    BankGateway,
    BankUnavailable,
    FolderBank,
    Handover,
    PaymentFileChanged,
    payment_file_name,
)
from marketplace.payouts.iso20022 import MAX_FILE_BYTES, PaymentFile, write_payment_file
from tests.bank_sandbox.payments import RUN, payment, statement, status_report, transfer

FILE = payment_file_name(RUN)
Submit = Callable[[Path, PaymentFile], None]


class Crash(BaseException):
    """The process is gone: nothing may catch it."""


def _inbox(folder: Path, name: str, content: bytes) -> None:
    (folder / "inbox").mkdir(exist_ok=True)
    (folder / "inbox" / name).write_bytes(content)


def test_gateway_and_sandbox_keep_the_same_account(tmp_path: Path) -> None:
    bank: BankGateway = FolderBank(tmp_path)
    assert bank.handover(RUN) is Handover.ABSENT
    assert TREASURY_ACCOUNT == SANDBOX_ACCOUNT


def test_a_file_handed_over_again_stays_as_it_is(tmp_path: Path) -> None:
    bank = FolderBank(tmp_path)
    bank.submit(payment())
    before = (tmp_path / "outbox" / FILE).stat()
    bank.submit(payment())
    after = (tmp_path / "outbox" / FILE).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert bank.handover(RUN) is Handover.WAITING


def test_a_file_that_the_bank_has_taken_is_not_handed_over_again(tmp_path: Path) -> None:
    bank = FolderBank(tmp_path)
    bank.submit(payment())
    (tmp_path / "taken").mkdir()
    (tmp_path / "outbox" / FILE).replace(tmp_path / "taken" / FILE)
    bank.submit(payment())
    assert bank.handover(RUN) is Handover.TAKEN
    assert not (tmp_path / "outbox" / FILE).exists()


@pytest.mark.parametrize("place", ["outbox", "taken"])
def test_other_content_for_the_same_run_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / place).mkdir()
    content = write_payment_file(payment(transfer(amount=5)))
    (tmp_path / place / FILE).write_bytes(content)
    with pytest.raises(PaymentFileChanged, match=place):
        FolderBank(tmp_path).submit(payment())
    assert (tmp_path / place / FILE).read_bytes() == content


def test_many_workers_hand_over_one_file(tmp_path: Path) -> None:
    start, bank = Barrier(8), FolderBank(tmp_path)

    def work() -> None:
        start.wait()
        bank.submit(payment())

    workers = [Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [path.name for path in (tmp_path / "outbox").iterdir()] == [FILE]


def _submit_in_place(folder: Path, order: PaymentFile) -> None:
    """A seeded bug: the file grows where the bank looks for it."""
    (folder / "outbox").mkdir()
    with (folder / "outbox" / FILE).open("wb") as file:
        file.write(write_payment_file(order)[:300])
        file.flush()
        os.fsync(file.fileno())


def _submit(folder: Path, order: PaymentFile) -> None:
    FolderBank(folder).submit(order)


def _seen_by_the_bank(folder: Path, submit: Submit, patch: pytest.MonkeyPatch) -> list[str]:
    """What the bank logs when the hand-over dies as its bytes should reach the disk."""
    with patch.context() as crashing:
        crashing.setattr(os, "fsync", _die)
        with pytest.raises(Crash):
            submit(folder, payment())
    bank = Bank(folder)
    bank.tick()
    bank.close()
    return [event.kind for event in read(folder)]


def _die(_descriptor: int) -> None:
    raise Crash


def test_the_bank_never_sees_half_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _seen_by_the_bank(tmp_path, _submit, monkeypatch) == []
    _submit(tmp_path, payment())
    assert FolderBank(tmp_path).handover(RUN) is Handover.WAITING


def test_a_file_written_in_place_would_be_seen_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "refused" in _seen_by_the_bank(tmp_path, _submit_in_place, monkeypatch)


def test_answers_come_again_until_they_are_acknowledged(tmp_path: Path) -> None:
    bank = FolderBank(tmp_path)
    _inbox(tmp_path, "b.xml", statement("", "0"))
    _inbox(tmp_path, "a.xml", status_report(""))
    _inbox(tmp_path, ".c.xml", b"half written")
    first = list(bank.answers())
    assert [(answer.name, answer.kind) for answer in first] == [
        ("a.xml", AnswerKind.STATUS),
        ("b.xml", AnswerKind.STATEMENT),
    ]
    bank.acknowledge(first[0])
    bank.acknowledge(first[0])
    assert [answer.name for answer in bank.answers()] == ["b.xml"]
    assert [path.read_bytes() for path in (tmp_path / "archive").iterdir()] == [first[0].content]


def test_an_answer_replaced_meanwhile_is_not_acknowledged(tmp_path: Path) -> None:
    bank = FolderBank(tmp_path)
    _inbox(tmp_path, "a.xml", status_report(""))
    (old,) = bank.answers()
    _inbox(tmp_path, "a.xml", statement("", "0"))
    bank.acknowledge(old)
    (new,) = bank.answers()
    assert new.kind is AnswerKind.STATEMENT


def test_two_answers_of_the_same_name_are_both_kept(tmp_path: Path) -> None:
    bank = FolderBank(tmp_path)
    for content in (status_report(""), statement("", "0")):
        _inbox(tmp_path, "a.xml", content)
        (answer,) = bank.answers()
        bank.acknowledge(answer)
    assert len(list((tmp_path / "archive").iterdir())) == 2


def test_an_answer_that_cannot_be_used_is_set_aside_with_the_reason(tmp_path: Path) -> None:
    bank = FolderBank(tmp_path)
    _inbox(tmp_path, "a.xml", b"<html/>")
    os.utime(tmp_path / "inbox" / "a.xml", (0, 0))
    (answer,) = bank.answers()
    assert answer.kind is AnswerKind.UNREADABLE and answer.problem is not None
    bank.refuse(answer, answer.problem)
    assert list(bank.answers()) == []
    reason = next(path for path in (tmp_path / "refused").iterdir() if path.suffix == ".txt")
    assert "neither" in reason.read_text()


def test_a_huge_answer_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    with (tmp_path / "inbox" / "huge.xml").open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    os.utime(tmp_path / "inbox" / "huge.xml", (0, 0))
    (answer,) = FolderBank(tmp_path).answers()
    assert (answer.kind, answer.content) == (AnswerKind.UNREADABLE, b"")


def test_a_missing_folder_is_an_unavailable_bank(tmp_path: Path) -> None:
    bank = FolderBank(tmp_path / "not mounted")
    for act in (lambda: bank.submit(payment()), lambda: list(bank.answers()), lambda: bank.enquire(RUN)):
        with pytest.raises(BankUnavailable) as caught:
            act()
        assert caught.value.retryable


def test_an_open_question_is_not_asked_twice(tmp_path: Path) -> None:
    bank = FolderBank(tmp_path)
    bank.enquire(RUN)
    bank.enquire(RUN)
    assert len(list((tmp_path / "outbox").iterdir())) == 1
