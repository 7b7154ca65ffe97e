"""Where a call is given to the paper and to the ledger, and their answers are compared.

A repeat is the same call again, so there is nothing special about it.
"""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy.orm import Session

import ledger
from ledger import Posting
from ledger.records import TransactionRequest
from tests.ledger.paper import (
    NOTHING,
    Batch,
    Call,
    Capture,
    Entry,
    Keeping,
    Paper,
    Release,
    Reversal,
)
from tests.ledger.stage import Play

SEN = Decimal("0.01")
Answer: TypeAlias = ledger.Posted | ledger.Held


@dataclass
class Desk:
    """One example's calls and the answers they got."""

    play: Play
    paper: Paper
    calls: list[Call] = field(default_factory=list)
    answers: dict[str, tuple[UUID, bytes]] = field(default_factory=dict)

    def ids(self) -> dict[str, str]:
        """The ids of transactions and holds by their keys."""
        return {key: str(answer[0]) for key, answer in self.answers.items()}

    def do(self, call: Call) -> None:
        """Ask the paper, ask the ledger, compare."""
        refusals = self.paper.refusals(call)
        session = self.play.session
        try:
            made = self._ask(call)
            session.commit()
        except ledger.LedgerError as refusal:
            session.rollback()
            assert refusal.code in refusals, f"{refusal.code} {refusal}, not {refusals or 'done'}: {call}"
        else:
            assert not refusals, f"done, not {refusals}: {call}"
            self.paper.write(call)
            for key, answer in made.items():
                self._compare(key, answer)
        self.calls.append(call)

    def _compare(self, key: str, answer: Answer) -> None:
        """A key has one outcome: the first answer, and ever after the same one."""
        commitment = answer.commitment if isinstance(answer, ledger.Posted) else b""
        assert answer.replayed == (key in self.answers), f"{key} is a repeat, or is none"
        first = self.answers.setdefault(key, (answer.id, commitment))
        assert (answer.id, commitment) == first, f"{key} gets another answer"
        if isinstance(answer, ledger.Posted):
            assert answer.balances == {code: self.paper.balance(code) for code in answer.balances}

    def _ask(self, call: Call) -> dict[str, Answer]:
        session = self.play.session
        match call:
            case Entry():
                return {call.key: ledger.post(session, **self._request(call))}
            case Batch():
                requests = [TransactionRequest(**self._request(each)) for each in call.entries]
                made = ledger.post_many(session, requests)
                return {
                    each.key: answer for each, answer in reversed(list(zip(call.entries, made, strict=True)))
                }
            case Reversal():
                original = self.answers[call.original][0]
                return {call.key: ledger.reverse(session, call.key, original, amounts=call.amounts)}
            case Keeping():
                until = self.play.at(call.until)
                legs = Posting(*call.move)
                return {
                    call.key: ledger.hold(session, call.key, call.kind, legs, until, reference=call.reference)
                }
            case Capture():
                held, at = self.answers[call.hold][0], None if call.hour is None else self.play.at(call.hour)
                return {call.key: ledger.capture(session, call.key, held, call.amount, effective_at=at)}
            case Release():
                ended = ledger.release(session, self.answers[call.hold][0])
                assert ended.state == self.paper.state(call.hold).replace("live", "released")
                return {}
        with Session(self.play.database.owner) as owner:
            ledger.close_period(owner, self.play.at(call.hour))
            owner.commit()
        return {}

    def _request(self, entry: Entry) -> dict[str, Any]:
        settles = self.answers[entry.settles][0] if entry.settles else None
        return {
            "key": entry.key,
            "kind": entry.kind,
            "postings": [Posting(*move) for move in entry.moves],
            "settles": settles,
            "effective_at": None if entry.hour is None else self.play.at(entry.hour),
            "reference": entry.reference,
        }


def changed(call: Call, how: str) -> Call | None:
    """The same key with something else under it; None where there is nothing to change."""
    match call, how:
        case Entry(), "amount":
            (debit, credit, amount), *rest = call.moves
            return replace(call, moves=((debit, credit, amount + SEN), *rest))
        case Keeping(), "amount":
            debit, credit, amount = call.move
            return replace(call, move=(debit, credit, amount + SEN))
        case Capture(), "amount":
            return replace(call, amount=(call.amount or NOTHING) + SEN)
        case ((Entry() | Keeping()), "kind"):
            return replace(call, kind="gift")
        case ((Entry() | Capture()), "hour"):
            return replace(call, hour=(call.hour or 0) + 1)
        case Keeping(), "hour":
            return replace(call, until=call.until + 1)
        case ((Entry() | Keeping()), "reference"):
            return replace(call, reference="another")
    return None
