"""Do the books balance? The trial balance, the equation, every row re-computed, and the bank's own log."""

import json
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

import ledger
from marketplace import chart
from marketplace.payouts import queries
from marketplace.payouts.messages import rupiah
from marketplace.payouts.models import MOVING, BankLineState, Payout, PayoutState


@dataclass(frozen=True, slots=True)
class BankLog:
    """What the bank's sandbox says it has done, in whole rupiah.

    By EndToEndId: how often it was `paid`, and the amounts that were `kept`, not returned.
    """

    balance: Decimal
    paid: Counter[str]
    kept: dict[str, Decimal]


@dataclass(slots=True)
class Judgement:
    """What was looked at, and everything that does not agree: nothing, when the books balance."""

    facts: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def check(self, agrees: bool, reason: str) -> None:
        """Note a reason against the books, unless it agrees."""
        if not agrees:
            self.reasons.append(reason)


def judge(session: Session, bank_folder: Path) -> Judgement:
    """Hold the books against themselves and against the bank's log."""
    judgement = Judgement()
    _check_ledger(session, judgement)
    log = read_bank_log(bank_folder)
    if log is not None:
        _check_bank(session, log, judgement)
        _check_payouts(session, log, judgement)
    return judgement


def read_bank_log(folder: Path) -> BankLog | None:
    """The bank's log, read without the bank's code; None where no bank has worked."""
    path = folder / "bank" / "log.jsonl"
    if not path.exists():
        return None
    balance, paid, kept = Decimal(0), Counter[str](), dict[str, Decimal]()
    for line in path.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        data = event["data"]
        if event["kind"] == "deposited":
            balance += Decimal(data["amount"])
        elif event["kind"] == "paid":
            paid[data["end_to_end_id"]] += 1
            kept[data["end_to_end_id"]] = Decimal(data["amount"])
            balance -= Decimal(data["amount"])
        elif event["kind"] == "returned":
            kept.pop(data["end_to_end_id"], None)
            balance += Decimal(data["amount"])
    return BankLog(balance, paid, kept)


def _check_ledger(session: Session, judgement: Judgement) -> None:
    balanced = ledger.trial_balance(session).is_balanced
    judgement.check(balanced, "the trial balance: debits and credits differ")
    found = queries.equation(session)
    judgement.check(found.holds, f"the equation: {found.left_total} against {found.right_total}")
    report = ledger.verify(session)
    judgement.check(report.is_sound, f"the ledger has a bad row: {report.problem}")
    counts = f"{report.transactions} transactions, {report.postings} postings, {report.accounts} accounts"
    judgement.facts.append(f"ledger verified: {counts}")


def _check_bank(session: Session, log: BankLog, judgement: Judgement) -> None:
    treasury = ledger.balance(session, chart.BANK_TREASURY)
    judgement.check(
        treasury == log.balance, f"the treasury has {treasury} in the books and {log.balance} at the bank"
    )
    twice = [name for name, count in log.paid.items() if count > 1]
    judgement.check(not twice, f"the bank paid more than once: {', '.join(twice)}")
    suspended = queries.list_bank_lines(session, BankLineState.SUSPENDED)
    judgement.check(not suspended, f"{len(suspended)} lines of the bank's statement are unexplained")
    returned = len(log.paid) - len(log.kept)
    judgement.facts.append(
        f"bank's log: {len(log.paid)} payments, {returned} of them returned, balance {rupiah(log.balance)};"
        f" in the books {rupiah(treasury)}"
    )


def _check_payouts(session: Session, log: BankLog, judgement: Judgement) -> None:
    payouts = session.execute(select(Payout.id, Payout.state, Payout.amount)).all()
    paid = {payout_id.hex: amount for payout_id, state, amount in payouts if state == PayoutState.PAID}
    for name in sorted(paid.keys() ^ log.kept.keys()):
        where = "the books" if name in paid else "the bank's log"
        judgement.reasons.append(f"payout {name} is paid in {where} alone")
    for name in sorted(paid.keys() & log.kept.keys()):
        judgement.check(paid[name] == log.kept[name], f"payout {name}: another amount at the bank")
    moving = sum(state in MOVING for _, state, _ in payouts)
    judgement.check(not moving, f"{moving} payouts are still on their way")
