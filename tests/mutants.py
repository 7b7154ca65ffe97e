"""Mutation of the ledger: `python -m tests.mutants [MODULES]`, in the environment that `make mutants` makes.

mutmut writes every mutant of ledger/ down beside its original; `tests.mutant_runner` runs the tests that
reach it. Servers are started once. Results are kept in mutants/results.jsonl; what has one is not run again.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import mutmut.__main__ as mutmut
import psycopg
from mutmut.mutation.trampoline import set_mutant_under_test
from sqlalchemy import make_url

from marketplace.dev.engines import running
from tests.servers import plain

FOLDER = Path("mutants")
RESULTS = FOLDER / "results.jsonl"
GOAL = 95
# tests with generated examples, and those that wait for a crowd: the others must be enough
LEFT_OUT = ("generated", "with_another_implementation", "anything_changed", "at_once", "while_others")


def generate() -> None:
    """Write the mutants of ledger/ and copies of everything else into a folder of their own."""
    set_mutant_under_test("mutant_generation")
    FOLDER.mkdir(exist_ok=True)
    mutmut.copy_src_dir()
    mutmut.copy_also_copy_files()
    mutmut.setup_source_paths()
    mutmut.store_lines_covered_by_tests()
    mutmut.create_mutants(1)


def run(modules: Iterable[str]) -> None:
    """Run the tests against each mutant of these modules; none named means all."""
    with tempfile.TemporaryDirectory(prefix="bekal-mutants-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        with running(Path(folder) / "home", {}, print, durable=False, temporary=True) as engines:
            with psycopg.connect(plain(make_url(engines.database_admin_url)), autocommit=True) as connection:
                # the suite refuses a server that holds an installation's database
                connection.execute("DROP DATABASE bekal")
            environ = {
                "DATABASE_URL": engines.database_admin_url,
                "REDIS_URL": engines.redis_url,
                "TMPDIR": folder,
                "MUTANTS": " ".join(modules),
            }
            options = ["-p", "tests.mutant_runner", "-p", "no:cacheprovider", "-p", "no:xdist", "-q"]
            selection = ["-k", " and ".join(f"not {each}" for each in LEFT_OUT), "tests/ledger"]
            command = [sys.executable, "-m", "pytest", *options, *selection]
            subprocess.run(command, env=os.environ | environ, cwd=FOLDER, check=True)


def scores(results: Iterable[str]) -> list[tuple[str, int, int, int]]:
    """Module, mutants, noticed, per cent noticed; the whole at the end."""
    found: dict[str, Counter[bool]] = {}
    for line in results:
        result = json.loads(line)
        for module in (result["mutant"].split(".")[1], "all"):
            found.setdefault(module, Counter())[result["outcome"] in ("killed", "timeout")] += 1
    rows = []
    for name, each in sorted(found.items(), key=lambda item: (item[0] == "all", item[0])):
        rows.append((name, each.total(), each[True], 100 * each[True] // each.total()))
    return rows


def main(*modules: str) -> int:
    """Generate, run, and print the scores. Returns 1 where fewer than 95 of 100 mutants were noticed."""
    generate()
    run(modules)
    rows = scores(RESULTS.read_text().splitlines())
    for row in rows:
        print("{:<22} {:>5} mutants {:>5} noticed {:>4} %".format(*row))
    return int(rows[-1][3] < GOAL)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
