"""A plugin of pytest for tests/mutants.py: collects once, then a child process runs the tests of each mutant.

What a test reaches and how long it takes is learned from the original and kept, until the test or the ledger
changes. Servers and the fixtures of the session stay; a child inherits them and makes its own databases. What
is quick or noticed a neighbour comes first, and a child ends at the first test that fails.
"""

import gc
import json
import os
import resource
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from hashlib import sha256
from itertools import accumulate
from pathlib import Path

import pytest
from mutmut.mutation import trampoline
from mutmut.utils.format_utils import mangled_name_from_mutant_name

_RESULTS, _LEARNED, _LAST = Path("results.jsonl"), Path("learned.json"), Path("last.txt")
_SURVIVED, _KILLED = 0, 1
_CPU_SECONDS, _WALL_SECONDS, _TIMES = 2, 20, 10
_BYTES = 4 * 1024**3


class Runner:
    """What the tests are known to reach, and how a mutant is tried."""

    def __init__(self, items: Sequence[pytest.Item]) -> None:
        self.items = {item.nodeid: item for item in items}
        self.learned: dict[str, dict[str, object]] = {}
        self.seconds: dict[str, float] = {}
        self.reaching: dict[str, set[str]] = {}
        self.noticed: dict[str, Counter[str]] = {}
        self.functions: set[str] = set()
        self.is_all = bool(os.environ["MUTANTS_ALL"])
        self.patience = float(os.environ["MUTANTS_PATIENCE"])
        self.has_failed = False

    def learn(self, ends: float) -> bool:
        """Run on the original what is not known. False when time was up; RuntimeError where one fails."""
        known = json.loads(_LEARNED.read_text()) if _LEARNED.exists() else {}
        versions = _versions(self.items.values())
        trampoline.record_trampoline_hit = lambda function, caller=None: self.functions.add(function)
        try:
            for name in self.items:
                if known.get(name, {}).get("version") == versions[name]:
                    self.learned[name] = known[name]
                elif time.monotonic() < ends:
                    self.learned[name] = {"version": versions[name], **self.measure(name)}
        finally:
            _LEARNED.write_text(json.dumps(known | self.learned))
        for name, each in self.learned.items():
            self.seconds[name] = each["seconds"]
            for function in each["reaches"]:
                self.reaching.setdefault(function, set()).add(name)
        return len(self.learned) == len(self.items)

    def measure(self, name: str) -> dict[str, object]:
        self.functions.clear()
        start = time.monotonic()
        self.run([name], mutant="stats")
        return {"seconds": time.monotonic() - start, "reaches": sorted(self.functions)}

    def warm_up(self) -> None:
        """Run the quickest test of each file, so that children inherit the session's fixtures."""
        quickest: dict[Path, str] = {}
        for name in sorted(self.seconds, key=self.seconds.__getitem__):
            quickest.setdefault(self.items[name].path, name)
        self.run(list(quickest.values()), mutant="")

    def run(self, names: Iterable[str], mutant: str, before: Callable[[str], None] = str) -> None:
        """Run tests until one fails. What comes next is the session itself, so that its fixtures stay."""
        trampoline.set_mutant_under_test(mutant)
        for name in names:
            before(name)
            item = self.items[name]
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=item.session)
            if self.has_failed and mutant in ("", "stats"):
                raise RuntimeError(f"{name} fails without any mutant")
            if self.has_failed:
                return

    def outcome(self, mutant: str) -> dict[str, str]:
        """Try a mutant in a child: killed, survived, timeout, no test, or open while tests were left."""
        function = _function(mutant)
        reaching = self.reaching.get(function, set())
        if not reaching:
            return {"outcome": "no test" if self.is_all else "open"}
        noticed = self.noticed.setdefault(function, Counter())
        ordered = sorted(reaching, key=lambda name: self.seconds[name] / (1 + noticed[name]))
        ends = accumulate(self.seconds[name] for name in ordered)
        names = [name for name, end in zip(ordered, ends, strict=True) if end <= self.patience]
        ended, last = self.child(mutant, names)
        if ended == -signal.SIGALRM:  # a busy machine looks the same: once is no proof
            ended, last = self.child(mutant, names)
        if ended == _SURVIVED:
            return {"outcome": "survived" if self.is_all and names == ordered else "open"}
        noticed[last] += 1
        return {"outcome": "killed" if ended == _KILLED else "timeout", "by": last}

    def child(self, mutant: str, names: Sequence[str]) -> tuple[int, str]:
        """How a child ended (minus the signal, if by one), and the last test that it began."""
        child = os.fork()
        if child == 0:
            self.be_mutant(mutant, names)
        _, status = os.waitpid(child, 0)
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # what it started and left
        return os.waitstatus_to_exitcode(status), _LAST.read_text()

    def be_mutant(self, mutant: str, names: Sequence[str]) -> None:
        """The child's life. Nothing of pytest's own end may run in it."""
        code = _KILLED
        try:
            os.setsid()
            silence = os.open(os.devnull, os.O_WRONLY)
            for stream in (1, 2):
                os.dup2(silence, stream)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_AS, (_BYTES, _BYTES))
            self.run(names, mutant, before=self.limit)
            code = _KILLED if self.has_failed else _SURVIVED
        finally:
            os._exit(code)

    def limit(self, name: str) -> None:
        """Endless loops end by their own seconds of the processor, endless waits by those of the clock."""
        _LAST.write_text(name)
        used = resource.getrusage(resource.RUSAGE_SELF)
        allowed = used.ru_utime + used.ru_stime + _CPU_SECONDS + _TIMES * self.seconds[name]
        resource.setrlimit(resource.RLIMIT_CPU, (int(allowed) + 1, resource.RLIM_INFINITY))
        signal.alarm(int(_WALL_SECONDS + _TIMES * self.seconds[name]))


def _function(mutant: str) -> str:
    module, _, name = mutant.rpartition(".")
    return f"{module}.{mangled_name_from_mutant_name(name)}"


def _versions(items: Iterable[pytest.Item]) -> dict[str, str]:
    """Of each test: what its file, the tests' helpers and the ledger say."""
    shared = sha256()
    for path in sorted([*Path("ledger").glob("*.py"), *Path("tests").rglob("*.py")]):
        if not path.name.startswith(("test_", "mutant")):
            shared.update(path.read_bytes())
    files = {item.path for item in items}
    versions = {path: sha256(shared.digest() + path.read_bytes()).hexdigest() for path in files}
    return {item.nodeid: versions[item.path] for item in items}


_runner: list[Runner] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.failed:
        _runner[0].has_failed = True


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool:
    """In place of one round of tests: a round of those that are not known, and then one for each mutant."""
    runner = Runner(session.items)
    _runner.append(runner)
    ends = time.monotonic() + float(os.environ["MUTANTS_SECONDS"])
    if not runner.learn(ends):
        return True
    runner.warm_up()
    gc.freeze()  # a child that collects garbage would copy every page of its parent
    with _RESULTS.open("a") as results:
        for wanted in json.loads(Path(os.environ["MUTANTS_WANTED"]).read_text()):
            if time.monotonic() > ends:
                break
            results.write(json.dumps({**wanted, **runner.outcome(wanted["mutant"])}) + "\n")
            results.flush()
    return True
