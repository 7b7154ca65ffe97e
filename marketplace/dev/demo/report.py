"""What the demonstration prints: one aligned line a step on stdout, a counter on stderr on a terminal."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_TITLE, _WORDS = 24, 92
_BETWEEN_DRAWINGS = 0.2

Say = Callable[[str], None]


@dataclass
class Step:
    """One step while it runs: facts are collected here and printed with its seconds."""

    facts: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def add(self, fact: str) -> None:
        """Something for the step's own line."""
        self.facts.append(fact)

    def note(self, line: str) -> None:
        """A line below it."""
        self.lines.append(line)


@dataclass
class Report:
    """Numbers the steps."""

    say: Say
    _number: int = 0
    _drawn_at: float = 0.0

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Print the step when it has succeeded."""
        self._number += 1
        started, step = time.monotonic(), Step()
        self.progress(title)
        yield step
        self._clear()
        seconds = time.monotonic() - started
        facts = ", ".join(step.facts)
        self.say(f"{self._number:>2}  {title:<{_TITLE}}{facts:<{_WORDS}}{seconds:>6.1f} s")
        for line in step.lines:
            self.say(f"      {line}")

    def progress(self, words: str) -> None:
        """A line that is overwritten, on a terminal alone."""
        if sys.stderr.isatty() and time.monotonic() - self._drawn_at > _BETWEEN_DRAWINGS:
            self._drawn_at = time.monotonic()
            sys.stderr.write(f"\r\x1b[K    {words} ...")
            sys.stderr.flush()

    def _clear(self) -> None:
        self._drawn_at = 0.0
        if sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
