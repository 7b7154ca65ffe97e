"""Processes that work at the same time, and the rate at which they do it together."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
_PATIENCE_SECONDS = 30


class WorkerFailed(RuntimeError):
    """A worker ended or said something else than expected; what it wrote is on standard error."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """Workers that wait for orders."""

    workers: Sequence[subprocess.Popen[str]]

    def begin(self, work: str, seconds: float) -> None:
        """Let all of them work; `rate()` collects what came of it."""
        for worker in self.workers:
            tell(worker, {"work": work, "seconds": seconds})

    def rate(self) -> float:
        """Wait for their answers and return how many transactions a second they wrote together."""
        answers = [listen(worker) for worker in self.workers]
        return sum(float(each["done"]) / float(each["seconds"]) for each in answers)

    def work(self, work: str, seconds: float) -> float:
        """Begin, and wait for the rate."""
        self.begin(work, seconds)
        return self.rate()


@contextmanager
def crowd(
    module: str, processes: int, settings: Mapping[str, Any], python: str = sys.executable
) -> Iterator[Crowd]:
    """Start `python -m module` so many times; they end with the block. Raises WorkerFailed."""
    with ExitStack() as stack:
        workers = [
            stack.enter_context(start(module, {**settings, "number": number}, python))
            for number in range(processes)
        ]
        for worker in workers:
            listen(worker)
        yield Crowd(workers)


@contextmanager
def start(
    module: str, settings: Mapping[str, Any], python: str = sys.executable
) -> Iterator[subprocess.Popen[str]]:
    """Start one module and hand it its settings."""
    worker = subprocess.Popen(
        [python, "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        tell(worker, settings)
        yield worker
    finally:
        _end(worker)


def tell(worker: subprocess.Popen[str], words: Mapping[str, Any]) -> None:
    """Write one line of JSON to a worker."""
    assert worker.stdin is not None
    worker.stdin.write(json.dumps(words) + "\n")
    worker.stdin.flush()


def listen(worker: subprocess.Popen[str]) -> dict[str, Any]:
    """Read one answer. Raises WorkerFailed."""
    assert worker.stdout is not None
    line = worker.stdout.readline()
    if not line:
        raise WorkerFailed(f"{worker.args!r} ended with {worker.wait(_PATIENCE_SECONDS)}")
    answer: dict[str, Any] = json.loads(line)
    return answer


def _end(worker: subprocess.Popen[str]) -> None:
    assert worker.stdin is not None and worker.stdout is not None
    worker.stdin.close()
    try:
        worker.wait(_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        worker.kill()
        worker.wait()
    worker.stdout.close()
