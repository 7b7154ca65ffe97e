"""The facts of the log, one function for each kind of line."""

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from bank_sandbox.orders import Refusal, Transfer
from bank_sandbox.rules import Rules
from bank_sandbox.state import Payment

Row = Mapping[str, Any]


def names(stem: str, repeat: bool) -> list[str]:
    """A bank that repeats itself delivers the same bytes under a second name."""
    return [f"{stem}.xml", f"{stem}-again.xml"] if repeat else [f"{stem}.xml"]


def transfer_row(transfer: Transfer, rules: Rules) -> Row:
    behaviour = rules.behaviour(transfer.end_to_end_id, transfer.account)
    return {
        "end_to_end_id": transfer.end_to_end_id,
        "amount": transfer.amount,
        "account": transfer.account,
        "name": transfer.name,
        "behaviour": behaviour.as_json(),
    }


def paid_row(payment: Payment, bank_day: date) -> Row:
    """Booked on the day that was asked for, but never before a day already booked."""
    row = {"end_to_end_id": payment.end_to_end_id, "amount": payment.amount, "account": payment.account}
    return {**row, "booked_on": max(payment.execution_date, bank_day).isoformat()}


def rejected_row(payment: Payment) -> Row:
    return {"end_to_end_id": payment.end_to_end_id, "code": payment.behaviour.code}


def returned_row(payment: Payment, day: date) -> Row:
    row = {"end_to_end_id": payment.end_to_end_id, "amount": payment.amount}
    return {**row, "code": payment.behaviour.code, "booked_on": day.isoformat()}


def refused_file(path: Path, refusal: Refusal) -> Row:
    return {"file": path.name, "message_id": path.name, "code": refusal.code, "problem": refusal.problem}


def status_row(payment: Payment) -> Row:
    status = {"paid": "ACSC", "rejected": "RJCT"}.get(payment.outcome, "PDNG")
    return {"end_to_end_id": payment.end_to_end_id, "status": status, "code": payment.code, "info": ""}


def group_status(lines: list[Row]) -> str:
    statuses = {line["status"] for line in lines}
    return statuses.pop() if len(statuses) == 1 else "PART"


def answer_row(
    message_id: str, group: tuple[str, str, str], instruction_id: str = "", lines: Iterable[Row] = ()
) -> Row:
    status, code, info = group
    return {
        "message_id": message_id,
        "instruction_id": instruction_id,
        "group_status": status,
        "group_code": code,
        "group_info": info,
        "lines": list(lines),
    }
