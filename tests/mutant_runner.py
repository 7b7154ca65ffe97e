"""A plugin of pytest for tests/mutants.py: collects once, then a child process runs the tests of each mutant.

The first round runs every test on the original and notes which functions it reaches. Servers and the fixtures
of the session stay; a child inherits them and makes its own databases. The quickest tests come first, and a
child ends at the first that fails.
"""

import json
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from mutmut.mutation import trampoline
from mutmut.utils.format_utils import mangled_name_from_mutant_name

_RESULTS = Path("results.jsonl")
_PATIENCE_SECONDS = 20.0
_SURVIVED, _KILLED = 0, 1


class Runner:
    """What the first round found out, and how a mutant is tried."""

    def __init__(self, items: Sequence[pytest.Item]) -> None:
        self.items = items
        self.seconds: dict[int, float] = {}
        self.reaching: dict[str, set[int]] = {}
        self.current = 0
        self.has_failed = False

    def learn(self) -> None:
        """Run every test on the original. Raises RuntimeError where one fails."""
        os.environ["MUTANT_UNDER_TEST"] = "stats"
        trampoline.record_trampoline_hit = self.note
        for number, item in enumerate(self.items):
            self.current, start = number, time.monotonic()
            self.run([number])
            self.seconds[number] = time.monotonic() - start
            if self.has_failed:
                raise RuntimeError(f"{item.nodeid} fails without any mutant")
        os.environ["MUTANT_UNDER_TEST"] = ""

    def note(self, function: str, caller: str | None = None) -> None:
        self.reaching.setdefault(function, set()).add(self.current)

    def run(self, numbers: Sequence[int]) -> None:
        """Run tests until one fails. What comes next is the session itself, so that its fixtures stay."""
        for number in numbers:
            item = self.items[number]
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=item.session)
            if self.has_failed:
                return

    def outcome(self, mutant: str) -> str:
        """Try a mutant in a child process: killed, survived, timeout, or no test that reaches it."""
        module, _, name = mutant.rpartition(".")
        reaching = self.reaching.get(f"{module}.{mangled_name_from_mutant_name(name)}", set())
        if not reaching:
            return "no test"
        numbers = sorted(reaching, key=self.seconds.__getitem__)
        child = os.fork()
        if child == 0:
            self.be_mutant(mutant, numbers)
        return _wait(child, _PATIENCE_SECONDS + 3 * sum(self.seconds[each] for each in numbers))

    def be_mutant(self, mutant: str, numbers: Sequence[int]) -> None:
        """The child's life. Nothing of pytest's own end may run in it."""
        code = _KILLED
        try:
            os.setsid()
            silence = os.open(os.devnull, os.O_WRONLY)
            for stream in (1, 2):
                os.dup2(silence, stream)
            trampoline.set_mutant_under_test(mutant)
            self.run(numbers)
            code = _KILLED if self.has_failed else _SURVIVED
        finally:
            os._exit(code)


def _wait(child: int, seconds: float) -> str:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return "survived" if status == _SURVIVED else "killed"
        time.sleep(0.002)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "timeout"


_runner: list[Runner] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.failed:
        _runner[0].has_failed = True


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool:
    """In place of one round of tests: one round, and then one for each mutant that has no result yet."""
    runner = Runner(session.items)
    _runner.append(runner)
    runner.learn()
    wanted = os.environ.get("MUTANTS", "").split()
    lines = _RESULTS.read_text().splitlines() if _RESULTS.exists() else []
    known = {json.loads(line)["mutant"] for line in lines}
    with _RESULTS.open("a") as results:
        for listed in sorted(Path("ledger").glob("*.py.meta")):
            if wanted and listed.name.partition(".")[0] not in wanted:
                continue
            for mutant in json.loads(listed.read_text())["exit_code_by_key"]:
                if mutant not in known:
                    line = {"mutant": mutant, "outcome": runner.outcome(mutant)}
                    results.write(json.dumps(line) + "\n")
                    results.flush()
    return True
