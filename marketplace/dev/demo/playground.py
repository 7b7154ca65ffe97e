"""What every step of the demonstration has at hand: the installation, its readers, and eight clients."""

import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from marketplace.dev import programme_clock
from marketplace.dev.demo.mailbox import Mailbox
from marketplace.dev.demo.people import Person
from marketplace.dev.demo.reading import Reader
from marketplace.dev.demo.report import Report
from marketplace.dev.demo.story import Days
from marketplace.dev.demo.visitors import Page, Visitor
from marketplace.dev.errors import DevelopmentError
from marketplace.dev.layout import CHECKOUT
from marketplace.dev.stack import Stack
from marketplace.dev.supervisor import log_tail

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Size:
    """How much happens."""

    participants: int = 1000
    purchases: int = 2000
    clients: int = 8
    runs: int = 80


@dataclass
class Playground:
    """One demonstration under way. `guests` are signed-in visitors by their contact."""

    stack: Stack
    size: Size
    report: Report
    reader: Reader
    mailbox: Mailbox
    bank_folder: Path
    owner_url: str
    days: Days
    people: list[Person] = field(default_factory=list)
    guests: dict[str, Visitor] = field(default_factory=dict)

    def command(self, *arguments: str, accept: Sequence[int] = (0,)) -> str:
        """Run a `flask` command as an operator would; what it printed. Raises DevelopmentError."""
        done = subprocess.run(
            [sys.executable, "-m", "flask", *arguments],
            env=self.stack.environ,
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in accept:
            raise DevelopmentError(
                f"`flask {' '.join(arguments)}` ended with {done.returncode}:\n{done.stdout}{done.stderr}"
            )
        return done.stdout

    def everybody(self, items: Iterable[T], act: Callable[[T], R], words: str) -> list[R]:
        """Have eight clients work through the items at once; the results in order of the items."""
        waiting, results = list(items), []
        with ThreadPoolExecutor(self.size.clients) as clients:
            for result in clients.map(act, waiting):
                results.append(result)
                self.report.progress(f"{words} {len(results)}/{len(waiting)}")
        self.watch()
        return results

    def sign_in(self, contact: str) -> Visitor:
        """Somebody's browser, signed in with a one-time code at the first time."""
        if contact not in self.guests:
            self.arrive(contact)
        return self.guests[contact]

    def sign_in_all(self, contacts: Iterable[str]) -> None:
        """Have several people sign in at once."""
        self.everybody(sorted(set(contacts) - self.guests.keys()), self.sign_in, "signing in")

    def arrive(self, contact: str) -> Page:
        """Ask for a code, read it in one's messages, type it; the page that one comes to."""
        visitor = Visitor(self.stack.port)
        visitor.must(visitor.open("/masuk").form("/masuk"), {"contact": contact})
        code = self.mailbox.take_code(contact)
        self.guests[contact] = visitor
        return visitor.proceed(visitor.remember("/masuk/kode"), {"code": code})

    def travel(self, instant: datetime) -> None:
        """Let programme time pass up to an instant, as `flask dev clock advance` does."""
        left = instant - self.reader.now()
        if left > timedelta():
            programme_clock.advance(self.owner_url, left)

    def watch(self) -> None:
        """Raises DevelopmentError with the end of its log when a process has died."""
        for child in self.stack.supervisor.children:
            if child.process.poll() is not None:
                name, code = child.program.name, child.process.returncode
                raise DevelopmentError(
                    f"{name} ended with {code}; the end of its log:\n{log_tail(child.log)}"
                )
