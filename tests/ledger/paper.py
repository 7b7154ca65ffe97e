"""The same books kept on paper: dicts, Decimals and whole hours. It shares no code with the ledger.

For each call it says beforehand whether it is new, a repeat, or refused; where several rules are broken, any
of their codes is a right answer. Instants are whole hours since the books were opened.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias

from tests.ledger.books import FAMILIES, FLOWS

Move: TypeAlias = tuple[str, str, Decimal]
Sums: TypeAlias = dict[str, tuple[Decimal, Decimal]]
TERMS = {each["name"]: each for each in FAMILIES}
ALLOWED = {(each["kind"], each["debit"], each["credit"]): each["settles"] for each in FLOWS}
NOTHING = Decimal("0.00")
_AHEAD_HOURS = 24


@dataclass(frozen=True)
class Entry:
    """A transaction; originals are named by their keys, and without an hour it is effective now."""

    key: str
    kind: str
    moves: tuple[Move, ...]
    settles: str | None = None
    reverses: str | None = None
    hour: int | None = None
    reference: str | None = None


@dataclass(frozen=True)
class Batch:
    """Several transactions in one call, all or none."""

    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Reversal:
    """The mirror image of a transaction; without amounts, of the whole of it."""

    key: str
    original: str
    amounts: tuple[Decimal, ...] | None = None
    reference: str | None = None


@dataclass(frozen=True)
class Keeping:
    """A hold."""

    key: str
    kind: str
    move: Move
    until: int
    reference: str | None = None


@dataclass(frozen=True)
class Capture:
    """A hold's posting; without an amount, of the whole of it."""

    key: str
    hold: str
    amount: Decimal | None = None
    hour: int | None = None


@dataclass(frozen=True)
class Release:
    """The end of a hold without a posting."""

    hold: str


@dataclass(frozen=True)
class Closing:
    """A period that is over."""

    hour: int


Call: TypeAlias = Entry | Batch | Reversal | Keeping | Capture | Release | Closing


@dataclass
class Written:
    """A line of the journal: the entry, and the hour at which it counts."""

    entry: Entry
    effective: int
    hold: str | None = None


@dataclass
class Kept:
    """A hold and how it ended, if somebody ended it."""

    request: Keeping
    ended: str | None = None
    captured: Decimal = NOTHING


@dataclass
class Paper:
    """The books, hour by hour."""

    codes: Sequence[str]
    hour: int = 0
    closed: int | None = None
    journal: dict[str, Written] = field(default_factory=dict)
    holds: dict[str, Kept] = field(default_factory=dict)

    # What the books say

    def sums(self, before: int | None = None, known: int | None = None) -> Sums:
        """Debits and credits of every account, of what counts before an hour in the journal's first lines."""
        debits: dict[str, Decimal] = defaultdict(lambda: NOTHING)
        credits: dict[str, Decimal] = defaultdict(lambda: NOTHING)
        for line in list(self.journal.values())[:known]:
            if before is None or line.effective < before:
                for debit, credit, amount in line.entry.moves:
                    debits[debit] += amount
                    credits[credit] += amount
        return {code: (debits[code], credits[code]) for code in self.codes}

    def balance(self, code: str) -> Decimal:
        """What there is, natural side positive."""
        return natural(code, self.sums()[code])

    def held(self, code: str) -> Decimal:
        """What is kept of an account at this hour."""
        mine = (
            each for key, each in self.holds.items() if each.request.move[0] == code and self.is_live(key)
        )
        return sum((each.request.move[2] for each in mine), NOTHING)

    def available(self, code: str) -> Decimal:
        """What may be spent."""
        return self.balance(code) - self.held(code)

    def state(self, key: str) -> str:
        """What became of a hold by this hour."""
        kept = self.holds[key]
        return kept.ended or ("expired" if kept.request.until <= self.hour else "live")

    def is_live(self, key: str) -> bool:
        """Whether a hold still keeps its amount."""
        return self.state(key) == "live"

    # What the books would say to a call

    def is_repeat(self, call: Call) -> bool:
        """Whether exactly this was asked and done before."""
        match call:
            case Entry():
                return call.key in self.journal and self.journal[call.key].entry == call
            case Batch():
                return all(self.is_repeat(each) for each in call.entries)
            case Reversal():
                return self.is_repeat(self.mirrored(call))
            case Keeping():
                return call.key in self.holds and self.holds[call.key].request == call
            case Capture():
                return self.is_repeat(self.captured(call)) and self.journal[call.key].hold == call.hold
        return False

    def refusals(self, call: Call) -> set[str]:
        """The codes of all rules that a call breaks; none where it goes through."""
        if self.is_repeat(call):
            return set()
        match call:
            case Entry() if any(debit == credit for debit, credit, _ in call.moves):
                return {"same_account"}
            case Entry():
                return {"idempotency_conflict"} if call.key in self.journal else self._unfit([call])
            case Batch():
                return self._unfit_batch(call)
            case Reversal():
                return self.refusals(self.mirrored(call))
            case Keeping():
                return {"idempotency_conflict"} if call.key in self.holds else self._unkeepable(call)
            case Capture():
                return {"idempotency_conflict"} if call.key in self.journal else self._uncapturable(call)
            case Release():
                return {"hold_resolved"} if self.state(call.hold) == "captured" else set()
        is_open = call.hour <= self.hour and (self.closed is None or call.hour >= self.closed)
        return set() if is_open else {"invalid_period"}

    def write(self, call: Call) -> None:
        """Do it, after refusals() had nothing against it."""
        match call:
            case Entry():
                self.journal.setdefault(call.key, self._line(call))
            case Batch():
                for each in call.entries:
                    self.write(each)
            case Reversal():
                self.write(self.mirrored(call))
            case Keeping():
                self.holds.setdefault(call.key, Kept(call))
            case Capture() if call.key not in self.journal:
                entry = self.captured(call)
                self.journal[call.key] = self._line(entry, call.hold)
                self.holds[call.hold].ended = "captured"
                self.holds[call.hold].captured = entry.moves[0][2]
            case Release() if self.is_live(call.hold):
                self.holds[call.hold].ended = "released"
            case Closing():
                self.closed = call.hour

    def mirrored(self, call: Reversal) -> Entry:
        """The entry that a reversal asks for."""
        original = self.journal[call.original].entry
        amounts = call.amounts or tuple(amount for _, _, amount in original.moves)
        pairs = zip(original.moves, amounts, strict=True)
        moves = tuple((credit, debit, part) for (debit, credit, _), part in pairs if part)
        return Entry(call.key, "reversal", moves, reverses=call.original, reference=call.reference)

    def captured(self, call: Capture) -> Entry:
        """The entry that a capture asks for."""
        request = self.holds[call.hold].request
        debit, credit, whole = request.move
        moves = ((debit, credit, call.amount or whole),)
        return Entry(call.key, request.kind, moves, hour=call.hour, reference=request.reference)

    def _line(self, entry: Entry, hold: str | None = None) -> Written:
        return Written(entry, self.hour if entry.hour is None else entry.hour, hold)

    # The rules

    def _unfit_batch(self, call: Batch) -> set[str]:
        first: dict[str, Entry] = {}
        is_conflict = False
        for each in call.entries:
            earlier = self.journal[each.key].entry if each.key in self.journal else first.get(each.key)
            is_conflict |= earlier is not None and earlier != each
            first.setdefault(each.key, each)
        new = [each for key, each in first.items() if key not in self.journal]
        return self._unfit(new) | ({"idempotency_conflict"} if is_conflict else set())

    def _unfit(self, new: Sequence[Entry]) -> set[str]:
        broken: set[str] = set()
        for entry in new:
            broken |= self._undated(entry) | self._unrelated(entry)
        originals = {each.settles or each.reverses for each in new} & set(self.journal)
        for original in originals:
            if original is not None:
                broken |= self._overused(original, new)
        return broken | self._overdrawn(new)

    def _undated(self, entry: Entry) -> set[str]:
        if entry.hour is None:
            return set()
        if self.closed is not None and entry.hour < self.closed:
            return {"period_closed"}
        return {"invalid_effective_at"} if entry.hour > self.hour + _AHEAD_HOURS else set()

    def _unrelated(self, entry: Entry) -> set[str]:
        named = entry.settles or entry.reverses
        original = self.journal.get(named) if named else None
        if named and original is None:
            return {"unknown_transaction", "flow_not_allowed"}
        if entry.reverses:
            return {"flow_not_allowed"} if original and original.entry.reverses else set()
        kind = original.entry.kind if original else None
        for debit, credit, _ in entry.moves:
            flow = (entry.kind, family(debit), family(credit))
            if flow not in ALLOWED or ALLOWED[flow] not in (None, kind):
                return {"flow_not_allowed"}
        return set()

    def _overused(self, original: str, new: Sequence[Entry]) -> set[str]:
        """What settles and reverses it together may debit no account by more than it credited."""
        whole = self.journal[original].entry
        known = [line.entry for line in self.journal.values()]
        using = [each for each in (*known, *new) if original in (each.settles, each.reverses)]
        spent, there = _total(using, lambda move: move[0]), _total([whole], lambda move: move[1])
        back = _total([each for each in using if each.reverses], lambda move: (move[1], move[0]))
        pairs = _total([whole], lambda move: (move[0], move[1]))
        broken: set[str] = set()
        if any(amount > there[code] for code, amount in spent.items()):
            broken.add("exceeds_original")
        if any(amount > pairs[pair] for pair, amount in back.items()):
            broken.add("flow_not_allowed")
        return broken

    def _overdrawn(self, new: Iterable[Entry]) -> set[str]:
        """The sum of the call counts, not the order in it."""
        change: dict[str, Decimal] = defaultdict(lambda: NOTHING)
        for entry in new:
            for debit, credit, amount in entry.moves:
                change[debit] += natural(debit, (amount, NOTHING))
                change[credit] += natural(credit, (NOTHING, amount))
        lowered = [code for code, amount in change.items() if amount < 0 and is_guarded(code)]
        short = any(self.available(code) + change[code] < 0 for code in lowered)
        return {"insufficient_balance"} if short else set()

    def _unkeepable(self, call: Keeping) -> set[str]:
        debit, credit, amount = call.move
        broken: set[str] = set()
        if ALLOWED.get((call.kind, family(debit), family(credit)), "") is not None:
            broken.add("flow_not_allowed")
        if not is_guarded(debit) or is_debit_sided(debit) or TERMS[family(debit)]["mode"] == "folded":
            broken.add("not_holdable")
        elif self.available(debit) < amount:
            broken.add("insufficient_balance")
        return broken | ({"invalid_expiry"} if call.until <= self.hour else set())

    def _uncapturable(self, call: Capture) -> set[str]:
        state, entry = self.state(call.hold), self.captured(call)
        held = self.holds[call.hold].request.move[2]
        broken = self._undated(entry) | ({"exceeds_hold"} if entry.moves[0][2] > held else set())
        if state != "live":
            return broken | {"hold_expired" if state == "expired" else "hold_resolved"}
        return broken


def _total(entries, name):  # type: ignore[no-untyped-def] # a sum of amounts by any name of a move
    total = defaultdict(lambda: NOTHING)
    for entry in entries:
        for move in entry.moves:
            total[name(move)] += move[2]
    return total


def family(code: str) -> str:
    """The word before the colon."""
    return code.partition(":")[0]


def is_debit_sided(code: str) -> bool:
    """Whether debits raise it."""
    return TERMS[family(code)]["kind"] in ("asset", "expense")


def is_guarded(code: str) -> bool:
    """Whether it must not go below zero."""
    return TERMS[family(code)]["guard"] == "no_overdraft"


def natural(code: str, sums: tuple[Decimal, Decimal]) -> Decimal:
    """Debits and credits as one balance."""
    return sums[0] - sums[1] if is_debit_sided(code) else sums[1] - sums[0]
