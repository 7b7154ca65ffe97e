"""The bank at work: take orders, pay each once, answer, and state the account.

Everything is decided by adding to the log; files are written afterwards from what the log says. So
the bank may die between any two steps, and the next one carries on where the log ends.
"""

import fcntl
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import IO, Any

from bank_sandbox import files, messages, rows
from bank_sandbox.log import BrokenLogError, Log
from bank_sandbox.orders import Message as Order
from bank_sandbox.orders import Refusal, Transfer, read_deposit, read_enquiry, read_message
from bank_sandbox.rules import Rules, load_rules
from bank_sandbox.state import Message, Payment, State

TREASURY_ACCOUNT = "8800100001"
"""The account that is kept unless another is told."""

_JAKARTA = timezone(timedelta(hours=7))
_LINES_PER_STATEMENT = 5000
_FOLDERS = ("outbox", "taken", "inbox", "deposits")

Row = Mapping[str, Any]


class FolderInUseError(Exception):
    """Another bank works in this folder; two would pay twice."""


def wall_now() -> datetime:
    return datetime.now(UTC)


class Bank:
    """One account in one folder. Call `tick` again and again."""

    def __init__(
        self,
        folder: Path,
        *,
        behaviour: Path | None = None,
        account: str = TREASURY_ACCOUNT,
        now: Callable[[], datetime] = wall_now,
    ) -> None:
        """Raises FolderInUseError, RulesError, or BrokenLogError."""
        self.folder, self.account, self.now = folder, account, now
        self._rules_file = behaviour or folder / "behaviour.json"
        load_rules(self._rules_file)
        for name in _FOLDERS:
            (folder / name).mkdir(parents=True, exist_ok=True)
        self._lock = _lock(folder)
        self.log, self.state = Log(folder, now), State()
        try:
            for event in self.log.replay():
                self.state.apply(event)
        except BrokenLogError:
            self.close()
            raise

    def close(self) -> None:
        """Leave the folder to another bank."""
        self._lock.close()

    def tick(self) -> None:
        """One round. Raises RulesError while the behaviour file cannot be used, having taken nothing."""
        rules = load_rules(self._rules_file)
        self._deliver()
        self._return_due()
        self._take_orders(rules)
        self._take_deposits()
        self._decide()
        self._answer()
        self._state_account()
        self._take_enquiries()
        self._deliver()

    def _record(self, kind: str, facts: Iterable[Row]) -> None:
        for event in self.log.append(kind, facts):
            self.state.apply(event)

    # Orders

    def _take_orders(self, rules: Rules) -> None:
        for path in files.waiting(self.folder / "outbox", "*.xml"):
            try:
                order = read_message(path, self.account)
            except Refusal as refusal:
                self._refuse(path, refusal)
            else:
                self._accept(path, order, rules)
            files.move(path, self.folder / "taken")

    def _accept(self, path: Path, order: Order, rules: Rules) -> None:
        source = {"file": path.name, "sha256": _sha256(path), "message_id": order.message_id}
        if self.is_known_message(order.message_id):
            self._record("repeated", [source])
            self._report(self.state.messages[order.message_id], asked=True)
            return
        fresh = [transfer for transfer in order.transfers if not self.is_known(transfer)]
        known = [transfer.end_to_end_id for transfer in order.transfers if self.is_known(transfer)]
        row = {
            **source,
            "instruction_id": order.instruction_id,
            "execution_date": order.execution_date.isoformat(),
            "transfers": [rows.transfer_row(transfer, rules) for transfer in fresh],
            "known": known,
        }
        self._record("received", [row])

    def is_known_message(self, message_id: str) -> bool:
        """Whether this file was taken before. One that was refused may come again, mended."""
        message = self.state.messages.get(message_id)
        return message is not None and message.refusal is None

    def is_known(self, transfer: Transfer) -> bool:
        """Whether this EndToEndId was ordered before, in whatever file: then it is not paid again."""
        return transfer.end_to_end_id in self.state.payments

    def _refuse(self, path: Path, refusal: Refusal) -> None:
        row = {
            "file": path.name,
            "sha256": _sha256(path),
            "message_id": refusal.message_id,
            "code": refusal.code,
            "problem": refusal.problem,
        }
        known = self.state.messages.get(refusal.message_id)
        self._record("refused", [row])
        if known is None or known.refusal:
            answer = rows.answer_row(refusal.message_id, group=("RJCT", refusal.code, refusal.problem))
            self._record("answer", [self._numbered(answer)])

    # Money

    def _decide(self) -> None:
        due = [self.state.payments[name] for name in self.state.undecided]
        due = [payment for payment in due if payment.due_at <= self.now()]
        refused = [payment for payment in due if payment.behaviour.action == "reject"]
        self._record("rejected", map(rows.rejected_row, refused))
        paid = [payment for payment in due if payment.behaviour.action != "reject"]
        last = self.state.bank_day or date.min
        self._record("paid", self._booked(rows.paid_row(payment, last) for payment in paid))

    def _return_due(self) -> None:
        """Give back what a statement has shown as paid; the next statement shows the return."""
        due = [self.state.payments[name] for name in self.state.returnable]
        due = [payment for payment in due if self._is_return_due(payment)]
        day = self._day()
        self._record("returned", self._booked(rows.returned_row(payment, day) for payment in due))

    def _is_return_due(self, payment: Payment) -> bool:
        assert payment.settled_at is not None
        waited = self.now() - payment.settled_at
        return payment.booking <= self.state.stated and waited >= timedelta(seconds=payment.behaviour.seconds)

    def _take_deposits(self) -> None:
        for path in files.waiting(self.folder / "deposits", "deposit-*.json"):
            if path.name not in self.state.deposits:
                self._take_deposit(path)
            files.move(path, self.folder / "taken")

    def _take_deposit(self, path: Path) -> None:
        try:
            deposit = read_deposit(path)
        except Refusal as refusal:
            self._record("refused", [rows.refused_file(path, refusal)])
            return
        day = max(deposit.day or self._day(), self.state.bank_day or date.min)
        row = {"file": path.name, "amount": deposit.amount, "words": deposit.reference}
        self._record("deposited", self._booked([{**row, "booked_on": day.isoformat()}]))

    def _booked(self, movements: Iterable[Row]) -> Iterator[Row]:
        """Give each movement the bank's reference, in the order of the log."""
        for number, row in enumerate(movements, start=len(self.state.bookings) + 1):
            yield {**row, "reference": f"BP{number:010d}"}

    def _day(self) -> date:
        """The bank's day: the last one it booked on, so that it follows the programme's clock."""
        return self.state.bank_day or self.now().astimezone(_JAKARTA).date()

    # Words

    def _answer(self) -> None:
        for message in self.state.messages.values():
            if message.unanswered:
                self._report(message, asked=False)

    def _report(self, message: Message, *, asked: bool) -> None:
        """Tell what is decided, or, when asked, everything; a silent payment is passed over."""
        if message.refusal:
            answer = rows.answer_row(message.message_id, group=("RJCT", *message.refusal))
            self._record("answer", [self._numbered(answer)])
            return
        names = message.payments if asked else list(message.unanswered)
        payments = [self.state.payments[name] for name in names]
        told = [p for p in payments if not p.behaviour.is_silent and (asked or p.outcome)]
        if told:
            lines = [rows.status_row(payment) for payment in told]
            whole = rows.group_status(lines) if len(told) == len(message.payments) else ""
            answer = rows.answer_row(message.message_id, (whole, "", ""), message.instruction_id, lines)
            repeat = not asked and any(payment.behaviour.action == "repeat" for payment in told)
            self._record("answer", [self._numbered(answer, repeat)])

    def _numbered(self, answer: Row, repeat: bool = False) -> Row:
        number = self.state.answers + 1
        suffix = re.sub(r"[^0-9A-Za-z]", "", answer["message_id"])
        names = rows.names(f"answer-{number:06d}-{suffix}", repeat)
        return {**answer, "report_id": f"ANSWER{number:09d}", "names": names}

    def _take_enquiries(self) -> None:
        for path in files.waiting(self.folder / "outbox", "enquiry-*.json"):
            try:
                self._answer_enquiry(read_enquiry(path), path)
            except Refusal as refusal:
                self._record("refused", [rows.refused_file(path, refusal)])
            files.move(path, self.folder / "taken")

    def _answer_enquiry(self, message_id: str, path: Path) -> None:
        self._record("enquired", [{"file": path.name, "message_id": message_id}])
        message = self.state.messages.get(message_id)
        if message:
            self._report(message, asked=True)
        else:
            answer = rows.answer_row(message_id, group=("", "NOOR", "no such message was received"))
            self._record("answer", [self._numbered(answer)])

    def _state_account(self) -> None:
        while bookings := self.state.bookings[self.state.stated :][:_LINES_PER_STATEMENT]:
            lines, repeat = [], False
            for booking in bookings:
                payment = self.state.payments.get(booking.end_to_end_id)
                doubled = payment is not None and payment.behaviour.action == "repeat"
                lines += [booking.reference] * (2 if doubled else 1)
                repeat = repeat or doubled
            number = self.state.statements + 1
            opening = self.state.stated_balance
            row = {
                "number": number,
                "opening": opening,
                "closing": opening + sum(booking.amount for booking in bookings),
                "start": min(booking.booked_on for booking in bookings).isoformat(),
                "end": max(booking.booked_on for booking in bookings).isoformat(),
                "bookings": len(bookings),
                "lines": lines,
                "names": rows.names(f"statement-{number:06d}", repeat),
            }
            self._record("statement", [row])

    def _deliver(self) -> None:
        for event in list(self.state.undelivered.values()):
            if event.kind == "answer":
                content = messages.status_report(event)
            else:
                content = messages.statement(event, self.account, self.state.by_reference)
            for name in event.data["names"]:
                files.write(self.folder / "inbox" / name, content)
            self._record("delivered", [{"number": event.number}])


def _lock(folder: Path) -> IO[str]:
    """The lock dies with its process, so a killed bank leaves none behind."""
    (folder / "bank").mkdir(exist_ok=True)
    lock = (folder / "bank" / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise FolderInUseError(f"another bank sandbox works in {folder}") from error
    return lock


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
