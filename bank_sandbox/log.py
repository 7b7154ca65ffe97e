"""The bank's log: one JSON object a line, only ever added to, on the disk before anything is told.

A payment *is* its line: there is no other place where the bank keeps what it has paid. So the log
cannot disagree with the bank, and a bank that is killed at any instant comes back from it.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from bank_sandbox import files

KINDS = frozenset(
    [
        *("received", "repeated", "refused", "enquired"),
        *("paid", "rejected", "returned", "deposited"),
        *("answer", "statement", "delivered"),
    ]
)
_CHUNK = 100


class BrokenLogError(Exception):
    """The log has a line in its middle that cannot be read: somebody else has written to it."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line. `kind` is one of KINDS; `at` is wall time."""

    number: int
    at: datetime
    kind: str
    data: Mapping[str, Any]


class Log:
    """The only writer. A line half written when the process died is cut off: it was told to nobody."""

    def __init__(self, folder: Path, now: Callable[[], datetime]) -> None:
        self._path = log_path(folder)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._now = now
        self._cut_torn_line()
        self._count = 0

    def replay(self) -> Iterator[Event]:
        for event in _events(self._path):
            self._count = event.number
            yield event

    def append(self, kind: str, rows: Iterable[Mapping[str, Any]]) -> Iterator[Event]:
        """Write lines, a hundred to each wait for the disk; yields each once it is there."""
        chunk: list[Event] = []
        for row in rows:
            chunk.append(Event(self._count + len(chunk) + 1, self._now(), kind, row))
            if len(chunk) == _CHUNK:
                yield from self._flush(chunk)
                chunk = []
        yield from self._flush(chunk)

    def _flush(self, chunk: list[Event]) -> list[Event]:
        if chunk:
            files.append(self._path, b"".join(_line(event) for event in chunk))
            self._count += len(chunk)
        return chunk

    def _cut_torn_line(self) -> None:
        if not self._path.exists():
            return
        content = self._path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            with self._path.open("r+b") as file:
                file.truncate(whole)


def log_path(folder: Path) -> Path:
    return folder / "bank" / "log.jsonl"


def read(folder: Path) -> list[Event]:
    """All that the bank of this folder has done, in order; also while it runs."""
    return list(_events(log_path(folder)))


def paid_totals(folder: Path) -> dict[str, Decimal]:
    """Rupiah paid by EndToEndId, returns not subtracted: a payment made twice shows double."""
    return _totals(folder, "paid")


def returned_totals(folder: Path) -> dict[str, Decimal]:
    """Rupiah given back after payment, by EndToEndId."""
    return _totals(folder, "returned")


def _totals(folder: Path, kind: str) -> dict[str, Decimal]:
    totals: dict[str, Decimal] = {}
    for event in read(folder):
        if event.kind == kind:
            name = event.data["end_to_end_id"]
            totals[name] = totals.get(name, Decimal(0)) + Decimal(event.data["amount"])
    return totals


def _events(path: Path) -> Iterator[Event]:
    if not path.exists():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.endswith(b"\n"):
                yield _event(line, number)


def _event(line: bytes, number: int) -> Event:
    try:
        row = json.loads(line)
        event = Event(row["number"], datetime.fromisoformat(row["at"]), row["kind"], row["data"])
    except (ValueError, KeyError, TypeError) as error:
        raise BrokenLogError(f"line {number} of the bank's log cannot be read") from error
    if event.number != number or event.kind not in KINDS:
        raise BrokenLogError(f"line {number} of the bank's log is {event.kind!r}, numbered {event.number}")
    return event


def _line(event: Event) -> bytes:
    row = {"number": event.number, "at": event.at.isoformat(), "kind": event.kind, "data": event.data}
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"
