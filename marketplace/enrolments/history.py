"""What happened to a training balance: the ledger's movements, and what was set aside in between."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

import ledger
from ledger import StatementLine
from marketplace import chart, clock
from marketplace.batches import queries as grants
from marketplace.enrolments.bought import Bought, list_bought
from marketplace.enrolments.correction_models import ResultCorrection
from marketplace.enrolments.models import CANCELLED, EnrolmentState

HOLD, RELEASE, EXPIRY = "hold", "release", "expiry"
"""Kinds of rows that are no transaction: set aside, given back, and not confirmed in time."""


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One change of what could be spent. `kind` is the transaction's, or one of the three above.

    `amount` (signed) and `balance` (afterwards) are what can be spent, in rupiah: a purchase of what had
    been set aside changes nothing. Rows that are no transaction have no `transaction_id`. `percent` is the
    attendance as declared then, or as corrected by this very row.
    """

    kind: str
    at: datetime
    amount: Decimal
    balance: Decimal
    transaction_id: uuid.UUID | None
    enrolment: Bought | None
    percent: int | None = None


@dataclass(frozen=True, slots=True)
class _Change:
    """What one row adds to the balance of the ledger and to what is set aside of it."""

    kind: str
    at: datetime
    balance: Decimal
    set_aside: Decimal
    transaction_id: uuid.UUID | None
    enrolment: Bought | None
    percent: int | None = None


def history(session: Session, participant_id: uuid.UUID) -> list[HistoryRow]:
    """Every change of what could be spent, newest first, with the enrolments it is about."""
    lines = grants.passbook_of(session, participant_id).lines
    return told(session, lines, list_bought(session, participant_id)) if lines else []


def told(session: Session, lines: Sequence[StatementLine], mine: Sequence[Bought]) -> list[HistoryRow]:
    """The same of a training balance's lines and the purchases of its owner, which were read together."""
    corrections = _corrections(session, [each.id for each in mine if each.corrected_at])
    known: dict[uuid.UUID, tuple[Bought, int | None]] = {}
    for each in mine:
        known |= _transactions(each, corrections.get(each.id, []))
    changes = [_posted(line, *known.get(line.transaction_id, (None, None))) for line in lines]
    now = clock.now(session)
    changes += [change for each in mine if each.hold_id for change in _set_aside(each, now)]
    # stable: the ledger's own order within one instant
    return _rows(sorted(changes, key=lambda change: change.at))[::-1]


def cash_history(session: Session, participant_id: uuid.UUID) -> list[HistoryRow]:
    """Every movement of a participant's own money, newest first."""
    try:
        lines = ledger.statement(session, chart.cash(participant_id)).lines
    except ledger.UnknownAccount:
        return []
    return [
        HistoryRow(line.kind, line.effective_at, line.amount, line.balance, line.transaction_id, None)
        for line in reversed(lines)
    ]


def _transactions(
    enrolment: Bought, corrections: Sequence[ResultCorrection]
) -> dict[uuid.UUID, tuple[Bought, int | None]]:
    """The ids of everything posted for an enrolment, each with the attendance that it went by."""
    declared = corrections[0].old_percent if corrections else enrolment.percent
    found = {key: (enrolment, declared) for key in (enrolment.transaction_id, enrolment.settlement_id) if key}
    for each in corrections:
        found |= dict.fromkeys(each.transaction_ids, (enrolment, each.new_percent))
    return found


def _corrections(session: Session, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[ResultCorrection]]:
    """By enrolment, oldest first. Few results are ever corrected, and of none nothing is asked."""
    found: dict[uuid.UUID, list[ResultCorrection]] = {}
    if not ids:
        return found
    theirs = select(ResultCorrection).where(ResultCorrection.enrolment_id.in_(ids))
    for each in session.scalars(theirs.order_by(ResultCorrection.sequence)):
        found.setdefault(each.enrolment_id, []).append(each)
    return found


def _posted(line: StatementLine, enrolment: Bought | None, percent: int | None) -> _Change:
    is_capture = enrolment is not None and enrolment.hold_id and line.kind == "purchase"
    set_aside = line.amount if is_capture else Decimal(0)
    return _Change(
        line.kind, line.effective_at, line.amount, set_aside, line.transaction_id, enrolment, percent
    )


def _set_aside(enrolment: Bought, now: datetime) -> Iterator[_Change]:
    """When a price was set aside and, unless it was captured or still is, when it came back."""
    zero, price = Decimal(0), enrolment.price
    yield _Change(HOLD, enrolment.purchased_at, zero, price, None, enrolment)
    over = enrolment.confirm_by if enrolment.confirm_by and enrolment.confirm_by <= now else None
    if enrolment.state == EnrolmentState.CONFIRMATION_EXPIRED or (enrolment.is_awaiting and over):
        yield _Change(EXPIRY, over or now, zero, -price, None, enrolment)
    elif enrolment.transaction_id is None and enrolment.state in CANCELLED and enrolment.cancelled_at:
        yield _Change(RELEASE, enrolment.cancelled_at, zero, -price, None, enrolment)


def _rows(changes: list[_Change]) -> list[HistoryRow]:
    found, balance = [], Decimal(0)
    for change in changes:
        amount = change.balance - change.set_aside
        balance += amount
        found.append(
            HistoryRow(
                change.kind,
                change.at,
                amount,
                balance,
                change.transaction_id,
                change.enrolment,
                change.percent,
            )
        )
    return found
