"""How files reach the bank and come back: host to host, over a folder that both sides see.

    outbox/    from Bekal: payment files and enquiries; only Bekal writes here
    taken/     what the bank has taken out of outbox/; only the bank writes here
    inbox/     from the bank: status reports (pain.002) and statements (camt.053)
    archive/   answers that have been booked
    refused/   answers that could not be used, each with the reason beside it

A payment file's name follows from its run, and its bytes too, so handing it over again after a crash
changes nothing. What is never done is sending the same money under another name: after a time-out
the bank is asked.
"""

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import ClassVar, Protocol
from uuid import UUID

import structlog

from marketplace.errors import MarketplaceError
from marketplace.payouts.iso20022 import MAX_FILE_BYTES, PaymentFile, write_payment_file

log = structlog.get_logger(__name__)

TREASURY_ACCOUNT = "8800100001"
"""The account that the bank sandbox keeps unless it is told another."""

_HEAD = 4096
_STILL_SECONDS = 30.0
"""A file without its end that changed within this time is being written; afterwards it is a broken one."""

_LONGEST_STEM, _LONGEST_SUFFIX = 40, 12
"""Characters of a name that are kept: with what is added, four bytes each fit a folder's 255."""


class BankUnavailable(MarketplaceError):
    """The folder cannot be reached or written. Nothing is known to have been handed over; try later."""

    code: ClassVar[str] = "bank_unavailable"
    retryable: ClassVar[bool] = True


class PaymentFileChanged(MarketplaceError):
    """A file of this run has been handed over with other bytes: a person must look, nothing was sent."""

    code: ClassVar[str] = "payment_file_changed"


class Handover(StrEnum):
    """Where a run's payment file is, as far as the folder shows."""

    ABSENT = "absent"
    WAITING = "waiting"
    TAKEN = "taken"


class AnswerKind(StrEnum):
    STATUS = "pain.002"
    STATEMENT = "camt.053"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class AnswerFile:
    """A file from the bank, not yet acknowledged. `problem` says why an UNREADABLE one has no content."""

    name: str
    kind: AnswerKind
    sha256: bytes
    content: bytes
    problem: str | None = None


class BankGateway(Protocol):
    """What payouts need of a bank. Every call may raise BankUnavailable."""

    def submit(self, payment: PaymentFile) -> None:
        """Hand over a run's payment file. Again with the same run and content: no effect.

        Raises PaymentFileError when the message cannot be written, PaymentFileChanged when other
        bytes were handed over for the run before.
        """

    def handover(self, run_id: UUID) -> Handover:
        """Whether the bank has taken the run's file, which says nothing about what it did with it."""

    def enquire(self, run_id: UUID) -> None:
        """Ask what became of a run. The answer is a status report; an open question is not repeated."""

    def answers(self) -> Iterator[AnswerFile]:
        """Files from the bank in the order of their names; each comes again until acknowledged or refused."""

    def acknowledge(self, answer: AnswerFile) -> None:
        """Move a booked answer to the archive, unless the bank has put other bytes in its place."""

    def refuse(self, answer: AnswerFile, problem: str) -> None:
        """Set aside an answer that cannot be used, with the reason beside it for a person."""


def payment_file_name(run_id: UUID) -> str:
    return f"payout-run-{run_id.hex}.xml"


def enquiry_file_name(run_id: UUID) -> str:
    return f"enquiry-{run_id.hex}.json"


class FolderBank:
    """A BankGateway over a folder. The folder itself must exist: a missing mount is never papered over.

    A bank that writes in place, not aside, is understood: a file without its end is left alone for a while.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def submit(self, payment: PaymentFile) -> None:
        content = write_payment_file(payment)
        name = payment_file_name(payment.run_id)
        with self._locked():
            # In the order in which the bank moves it, so that a file on its way is seen here or there.
            for place in ("outbox", "taken"):
                if self._compare(self._folder / place / name, content):
                    return
            write_durably(self._folder / "outbox" / name, content)

    def handover(self, run_id: UUID) -> Handover:
        name = payment_file_name(run_id)
        with self._reachable():
            if (self._folder / "outbox" / name).exists():
                return Handover.WAITING
            return Handover.TAKEN if (self._folder / "taken" / name).exists() else Handover.ABSENT

    def enquire(self, run_id: UUID) -> None:
        question = json.dumps({"original_message_id": run_id.hex}).encode()
        with self._locked():
            path = self._folder / "outbox" / enquiry_file_name(run_id)
            if not path.exists():
                write_durably(path, question)

    def answers(self) -> Iterator[AnswerFile]:
        with self._reachable():
            names = sorted(path.name for path in (self._folder / "inbox").glob("[!.]*") if path.is_file())
        for name in names:
            path = self._folder / "inbox" / name
            try:
                answer = None if _is_being_written(path) else read_answer(path)
            except OSError as error:
                # one file that cannot be opened must not keep the others; the next look tries it again
                log.error("bank_file_unreadable", file=name, error=str(error))
                continue
            if answer is not None:
                yield answer

    def acknowledge(self, answer: AnswerFile) -> None:
        with self._locked():
            self._set_aside(answer, "archive")

    def refuse(self, answer: AnswerFile, problem: str) -> None:
        with self._locked():
            reason = self._folder / "refused" / f"{_archive_name(answer)}.reason.txt"
            write_durably(reason, f"{problem}\n".encode())
            self._set_aside(answer, "refused")

    def _compare(self, path: Path, content: bytes) -> bool:
        """Whether this very file is there already. Raises PaymentFileChanged when it is another."""
        if not path.exists():
            return False
        if path.read_bytes() != content:
            raise PaymentFileChanged(f"{path.name} lies in {path.parent.name}/ with other content")
        return True

    def _set_aside(self, answer: AnswerFile, place: str) -> None:
        path = self._folder / "inbox" / answer.name
        if path.exists() and _fingerprint(path) == answer.sha256:
            path.replace(self._folder / place / _archive_name(answer))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One writer at a time on our side; the lock dies with its process, so a crash leaves none."""
        with self._reachable(), (self._folder / ".bekal.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _reachable(self) -> Iterator[None]:
        try:
            for place in ("outbox", "inbox", "archive", "refused"):
                (self._folder / place).mkdir(exist_ok=True)
            yield
        except OSError as error:
            raise BankUnavailable(f"the bank's folder {self._folder} cannot be used: {error}") from error


def write_durably(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees all of it or nothing, also after a power cut."""
    draft = path.with_name(f".{path.name}.draft")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_answer(path: Path) -> AnswerFile | None:
    """One file from the bank, wherever it lies; None when it is gone."""
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            problem = f"{size} bytes; at most {MAX_FILE_BYTES} are read"
            return AnswerFile(path.name, AnswerKind.UNREADABLE, _fingerprint(path), b"", problem)
        content = path.read_bytes()
    except FileNotFoundError:
        return None  # another worker has just acknowledged it
    kind = _kind(content)
    unknown = "neither a pain.002 nor a camt.053" if kind is AnswerKind.UNREADABLE else None
    return AnswerFile(path.name, kind, hashlib.sha256(content).digest(), content, unknown)


def _is_being_written(path: Path) -> bool:
    """Whether a file lacks its end and is young: half a document parses as little as a broken one."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _HEAD))
            has_end = file.read().rstrip().endswith(b"Document>")
            changed = os.fstat(file.fileno()).st_mtime
    except FileNotFoundError:
        return False
    return not has_end and abs(time.time() - changed) < _STILL_SECONDS


def _kind(content: bytes) -> AnswerKind:
    """By the message element, never by the file's name: banks name files as they like."""
    head = content[:_HEAD]
    if b"CstmrPmtStsRpt" in head:
        return AnswerKind.STATUS
    return AnswerKind.STATEMENT if b"BkToCstmrStmt" in head else AnswerKind.UNREADABLE


def _fingerprint(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _archive_name(answer: AnswerFile) -> str:
    """The name with the content's fingerprint: another file of the same name never overwrites it."""
    path = Path(answer.name)
    stem, suffix = path.stem[:_LONGEST_STEM], path.suffix[:_LONGEST_SUFFIX]
    return f"{stem}.{answer.sha256.hex()[:12]}{suffix}"
