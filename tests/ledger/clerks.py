"""Clerks who post to the ledger until somebody kills them, each in a process of their own.

A clerk writes an order down before giving it and the answer once it has come. Whoever takes over gives every
order again that has no answer: the order is the key, so nothing is done twice.
"""

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

import ledger
from ledger import Posting, TransactionRequest
from ledger.notes import new_signer

PAYERS = ("benefit:ani", "benefit:budi")
ESCROW = "escrow:school"
BATCH = 5
SIGNER = new_signer("bekal.example/log", bytes(range(32)))
_LATER = datetime(2099, 1, 1, tzinfo=UTC)
_DEADLY = 0.02

Order = dict[str, Any]


@dataclass
class Log:
    """One clerk's orders and answers, a line each, handed to the kernel before the next thing happens."""

    path: Path
    orders: dict[str, Order] = field(default_factory=dict)
    answers: dict[str, list[str]] = field(default_factory=dict)
    deaths: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    def read(self) -> "Log":
        """Read what is there; the last line of somebody who was killed may be half a line."""
        for line in self.path.read_text().splitlines() if self.path.exists() else ():
            try:
                kind, value = json.loads(line)
            except ValueError:
                continue
            self._take(kind, value)
        return self

    def write(self, kind: str, value: Any) -> None:
        """Append a line and remember it."""
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(file, b"\n" + json.dumps([kind, value]).encode() + b"\n")
        os.close(file)
        self._take(kind, value)

    @property
    def unanswered(self) -> list[Order]:
        """Orders of which nobody knows what became of them."""
        return [each for name, each in self.orders.items() if name not in self.answers]

    def _take(self, kind: str, value: Any) -> None:
        match kind:
            case "order":
                self.orders[value["name"]] = value
            case "answer":
                self.answers[value[0]] = value[1]
            case "death":
                self.deaths.append(value)
            case "refusal":
                self.refusals.append(value)


def work(url: str, path: str, number: int, seed: int, is_naive: bool) -> None:
    """Take over what is unanswered, then give orders until killed."""
    luck, log = Random(seed), Log(Path(path)).read()
    engine = create_engine(url, pool_size=1, max_overflow=0)
    for order in log.unanswered:
        _give(engine, log, luck, order, is_naive)
    while True:
        order = _new_order(log, luck, f"{number}/{len(log.orders)}")
        log.write("order", order)
        _give(engine, log, luck, order, is_naive)


def work_as_sealer(url: str, path: str, _number: int, seed: int, _is_naive: bool) -> None:
    """Seal and roll up, again and again, until killed."""
    luck, log = Random(seed), Log(Path(path))
    engine = create_engine(url, pool_size=1, max_overflow=0)
    while True:
        try:
            with Session(engine) as session:
                ledger.seal(session, SIGNER)
                _perhaps_die(log, luck, "sealed")
                session.commit()
                ledger.roll_up(session, 1)
                session.commit()
        except DBAPIError:
            log.write("lost", "")
        time.sleep(0.02)


def carry_out(session: Session, order: Order, key: str) -> list[str]:
    """Do what an order says under a key; return the ids of what it made."""
    return [str(each) for each in _ACTS[order["what"]](session, order, key)]


def amount_of(order: Order) -> Decimal:
    """What an order moves into escrow."""
    times = {"buy": 1, "batch": BATCH, "capture": 1}.get(order["what"], 0)
    return Decimal(order["amount"]) * times


def _give(engine: Any, log: Log, luck: Random, order: Order, is_naive: bool) -> None:
    while True:
        key = f"{order['name']}?{uuid4()}" if is_naive else order["name"]
        try:
            with Session(engine) as session:
                made = carry_out(session, order, key)
                _perhaps_die(log, luck, "executed")
                session.commit()
            _perhaps_die(log, luck, "committed")
        except DBAPIError:
            # nobody knows whether that was before or after the commit
            log.write("lost", order["name"])
            continue
        except ledger.LedgerError as refusal:
            log.write("refusal", f"{order['name']}: {refusal.code}")
            return
        log.write("answer", [order["name"], made])
        return


def _perhaps_die(log: Log, luck: Random, where: str) -> None:
    if luck.random() < _DEADLY:
        log.write("death", where)
        os.kill(os.getpid(), signal.SIGKILL)


def _new_order(log: Log, luck: Random, name: str) -> Order:
    used = {each["hold"] for each in log.orders.values() if "hold" in each}
    holds = [each for each, order in log.orders.items() if order["what"] == "hold" and each in log.answers]
    free = [each for each in holds if each not in used]
    what = luck.choice(
        ["buy", "buy", "batch", "hold", "hold", *(["capture", "capture", "release"] if free else [])]
    )
    order: Order = {"name": name, "what": what, "who": luck.choice(PAYERS), "amount": luck.randint(1, 9)}
    if what in ("capture", "release"):
        order["hold"] = luck.choice(free)
        order["of"] = log.answers[order["hold"]][0]
        order["amount"] = luck.randint(1, log.orders[order["hold"]]["amount"])
    return order


def _buy(session: Session, order: Order, key: str) -> list[UUID]:
    postings = [Posting(order["who"], ESCROW, Decimal(order["amount"]))]
    return [ledger.post(session, key, "purchase", postings, reference=order["name"]).id]


def _batch(session: Session, order: Order, key: str) -> list[UUID]:
    postings = [Posting(order["who"], ESCROW, Decimal(order["amount"]))]
    requests = [
        TransactionRequest(f"{key}.{each}", "purchase", postings, reference=f"{order['name']}.{each}")
        for each in range(BATCH)
    ]
    return [each.id for each in ledger.post_many(session, requests)]


def _hold(session: Session, order: Order, key: str) -> list[UUID]:
    posting = Posting(order["who"], ESCROW, Decimal(order["amount"]))
    return [ledger.hold(session, key, "purchase", posting, _LATER, reference=order["name"]).id]


def _capture(session: Session, order: Order, key: str) -> list[UUID]:
    held, amount = UUID(order["of"]), Decimal(order["amount"])
    return [ledger.capture(session, key, held, amount, reference=order["name"]).id]


def _release(session: Session, order: Order, _key: str) -> list[UUID]:
    return [ledger.release(session, UUID(order["of"])).id]


_ACTS: dict[str, Callable[[Session, Order, str], list[UUID]]] = {
    "buy": _buy, "batch": _batch, "hold": _hold, "capture": _capture, "release": _release,
}  # fmt: skip
