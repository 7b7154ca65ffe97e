"""What the bank knows, folded from its log and from nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from bank_sandbox.log import Event
from bank_sandbox.rules import Behaviour, read_behaviour


@dataclass(slots=True)
class Payment:
    """One transfer that was ordered. `outcome` is empty, paid or rejected; it never changes again."""

    end_to_end_id: str
    amount: int
    account: str
    name: str
    execution_date: date
    behaviour: Behaviour
    due_at: datetime
    outcome: str = ""
    code: str = ""
    booking: int = 0
    settled_at: datetime | None = None
    is_returned: bool = False


@dataclass(slots=True)
class Message:
    """One payment file: what it ordered, and what has not been answered yet."""

    message_id: str
    instruction_id: str
    payments: list[str]
    unanswered: dict[str, None]
    refusal: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Booking:
    """One movement of the account; `amount` is signed rupiah, `kind` is paid, returned or deposited."""

    reference: str
    kind: str
    amount: int
    booked_on: date
    end_to_end_id: str
    code: str
    words: str


@dataclass(slots=True)
class State:
    messages: dict[str, Message] = field(default_factory=dict)
    payments: dict[str, Payment] = field(default_factory=dict)
    undecided: dict[str, None] = field(default_factory=dict)
    returnable: dict[str, None] = field(default_factory=dict)
    bookings: list[Booking] = field(default_factory=list)
    by_reference: dict[str, Booking] = field(default_factory=dict)
    deposits: set[str] = field(default_factory=set)
    undelivered: dict[int, Event] = field(default_factory=dict)
    stated: int = 0
    statements: int = 0
    answers: int = 0
    balance: int = 0
    stated_balance: int = 0
    bank_day: date | None = None

    def apply(self, event: Event) -> None:
        """Take in one line of the log."""
        getattr(self, f"_on_{event.kind}")(event)

    def _on_received(self, event: Event) -> None:
        data = event.data
        for row in data["transfers"]:
            self._add_payment(row, date.fromisoformat(data["execution_date"]), event.at)
        ids = data["known"] + [row["end_to_end_id"] for row in data["transfers"]]
        self.messages[data["message_id"]] = Message(
            data["message_id"], data["instruction_id"], ids, dict.fromkeys(ids)
        )

    def _add_payment(self, row: Mapping[str, Any], execution_date: date, at: datetime) -> None:
        behaviour = read_behaviour(row["behaviour"], "log")
        wait = behaviour.seconds if behaviour.action == "delay" else 0
        self.payments[row["end_to_end_id"]] = Payment(
            end_to_end_id=row["end_to_end_id"],
            amount=row["amount"],
            account=row["account"],
            name=row["name"],
            execution_date=execution_date,
            behaviour=behaviour,
            due_at=at + timedelta(seconds=wait),
        )
        if behaviour.action != "never":
            self.undecided[row["end_to_end_id"]] = None

    def _on_repeated(self, event: Event) -> None:
        """The file was there before: nothing is ordered by it."""

    def _on_enquired(self, event: Event) -> None:
        """A question changes nothing; its answer is an event of its own."""

    def _on_refused(self, event: Event) -> None:
        data = event.data
        refusal = (data["code"], data["problem"])
        self.messages.setdefault(data["message_id"], Message(data["message_id"], "", [], {}, refusal))

    def _on_paid(self, event: Event) -> None:
        payment = self.payments[event.data["end_to_end_id"]]
        self._settle(payment, "paid", event.at)
        self._book(event, -event.data["amount"], payment.end_to_end_id, payment.name)
        payment.booking = len(self.bookings)
        if payment.behaviour.action == "return":
            self.returnable[payment.end_to_end_id] = None

    def _on_rejected(self, event: Event) -> None:
        payment = self.payments[event.data["end_to_end_id"]]
        payment.code = event.data["code"]
        self._settle(payment, "rejected", event.at)

    def _settle(self, payment: Payment, outcome: str, at: datetime) -> None:
        payment.outcome, payment.settled_at = outcome, at
        self.undecided.pop(payment.end_to_end_id, None)

    def _on_returned(self, event: Event) -> None:
        payment = self.payments[event.data["end_to_end_id"]]
        payment.is_returned = True
        self.returnable.pop(payment.end_to_end_id, None)
        self._book(event, event.data["amount"], payment.end_to_end_id, payment.name)

    def _on_deposited(self, event: Event) -> None:
        self.deposits.add(event.data["file"])
        self._book(event, event.data["amount"], "", event.data["words"])

    def _book(self, event: Event, amount: int, end_to_end_id: str, words: str) -> None:
        day, code = date.fromisoformat(event.data["booked_on"]), event.data.get("code", "")
        booking = Booking(event.data["reference"], event.kind, amount, day, end_to_end_id, code, words)
        self.bookings.append(booking)
        self.by_reference[booking.reference] = booking
        self.balance += amount
        self.bank_day = max(day, self.bank_day or day)

    def _on_answer(self, event: Event) -> None:
        self.answers += 1
        self.undelivered[event.number] = event
        message = self.messages.get(event.data["message_id"])
        for line in event.data["lines"]:
            if message and line["status"] != "PDNG":
                message.unanswered.pop(line["end_to_end_id"], None)

    def _on_statement(self, event: Event) -> None:
        self.statements += 1
        self.stated += event.data["bookings"]
        self.stated_balance = event.data["closing"]
        self.undelivered[event.number] = event

    def _on_delivered(self, event: Event) -> None:
        self.undelivered.pop(event.data["number"])
