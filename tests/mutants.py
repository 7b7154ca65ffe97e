"""Mutation of the ledger: `python -m tests.mutants [MODULES]`, in the environment that `make mutants` makes.

mutmut writes every mutant of ledger/ down beside its original; `tests.mutant_runner` runs the tests that
reach it. Results are kept in mutants/results.jsonl, until the function changes. A sample is always the same
one, and a larger one contains it.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from math import ceil, sqrt
from pathlib import Path

import mutmut.__main__ as mutmut
import psycopg
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.utils.format_utils import mangled_name_from_mutant_name
from sqlalchemy import make_url

from marketplace.dev.engines import running
from tests.servers import plain, quick_folder

FOLDER = Path("mutants")
RESULTS, STAMP = FOLDER / "results.jsonl", FOLDER / "stamp"
COPIED = ("ledger", "tests", "bank_sandbox", "docs", "marketplace", "migrations", "static", "templates")
GOAL = 95
SEED = "bekal"
TESTS = ["tests/ledger"]
# tests with generated examples, those that wait for a crowd, and one of a file that must stand alone, which a
# mutated one does not: the others must be enough
LEFT_OUT = (
    "machine", "generated", "with_another_implementation", "anything_changed", "at_once", "while_others",
    "killed_clerks", "knows_nothing_else",
)  # fmt: skip
NOTICED = ("killed", "timeout")
_CONFIDENCE = 1.96  # 95 of 100


def generate() -> None:
    """Write the mutants of ledger/ and copies of everything else into a folder of their own, if need be."""
    set_mutant_under_test("mutant_generation")
    FOLDER.mkdir(exist_ok=True)
    version = _version()
    if STAMP.exists() and STAMP.read_text() == version:
        return
    # mutmut leaves what is there, also a schema that has changed since
    for folder in COPIED:
        shutil.rmtree(FOLDER / folder, ignore_errors=True)
    mutmut.copy_src_dir()
    mutmut.copy_also_copy_files()
    mutmut.setup_source_paths()
    mutmut.store_lines_covered_by_tests()
    mutmut.create_mutants(1)
    STAMP.write_text(version)


def _version() -> str:
    """Of everything that is copied."""
    paths = [Path("pyproject.toml"), *(each for folder in COPIED for each in Path(folder).rglob("*.*"))]
    changes = sorted(f"{each} {each.stat().st_mtime_ns}" for each in paths if each.suffix != ".pyc")
    return sha256("\n".join(changes).encode()).hexdigest()


def modules() -> dict[str, list[dict[str, str]]]:
    """Every module's mutants with the version of their function, in an order that chance and SEED made."""
    found = {}
    for listed in sorted((FOLDER / "ledger").glob("*.py.meta")):
        meta = json.loads(listed.read_text())
        rows = []
        for mutant in meta["exit_code_by_key"]:
            function = mangled_name_from_mutant_name(mutant.rpartition(".")[2])
            rows.append({"mutant": mutant, "of": meta["hash_by_function_name"][function]})
        rows.sort(key=lambda row: sha256(f"{SEED} {row['mutant']}".encode()).digest())
        found[listed.name.partition(".")[0]] = rows
    return found


def sample(rows: list[dict[str, str]], per_cent: int) -> list[dict[str, str]]:
    """The first of them, whose order is chance."""
    return rows[: ceil(len(rows) * per_cent / 100)]


def results() -> dict[tuple[str, str], str]:
    """Outcome by mutant and version; the last one counts."""
    lines = RESULTS.read_text().splitlines() if RESULTS.exists() else []
    found = map(json.loads, lines)
    return {(each["mutant"], each["of"]): each["outcome"] for each in found}


def run(wanted: list[dict[str, str]], tests: list[str], seconds: float, patience: float) -> None:
    """Run the tests against these mutants, and begin with no further one after so many seconds.

    ``patience`` is for how many seconds' worth of tests a mutant is tried.
    """
    with tempfile.TemporaryDirectory(
        prefix="bekal-mutants-", dir=quick_folder(), ignore_cleanup_errors=True
    ) as folder:
        Path(folder).chmod(0o711)
        listed = Path(folder) / "wanted.json"
        listed.write_text(json.dumps(wanted))
        given = {"TMPDIR": folder, "MUTANTS_WANTED": str(listed)}
        given |= {"MUTANTS_SECONDS": str(seconds), "MUTANTS_PATIENCE": str(patience)}
        given |= {"MUTANTS_ALL": "yes" if tests == TESTS else ""}
        options = ["-p", "tests.mutant_runner", "-p", "no:cacheprovider", "-p", "no:xdist", "-o", "timeout=0"]
        # nobody reads why a test failed
        options += ["--tb=native", "--assert=plain"]
        selection = ["-q", "-k", " and ".join(f"not {each}" for each in LEFT_OUT), *tests]
        command = [sys.executable, "-m", "pytest", *options, *selection]
        with _servers(Path(folder) / "home") as addresses:
            subprocess.run(command, env=os.environ | addresses | given, cwd=FOLDER, check=True)


@contextmanager
def _servers(home: Path) -> Iterator[Mapping[str, str]]:
    """Those that are named, else our own."""
    if os.environ.get("DATABASE_URL"):
        yield {}
        return
    with running(home, {}, print, durable=False, temporary=True) as engines:
        with psycopg.connect(plain(make_url(engines.database_admin_url)), autocommit=True) as connection:
            # the suite refuses a server that holds an installation's database
            connection.execute("DROP DATABASE bekal")
        yield {"DATABASE_URL": engines.database_admin_url, "REDIS_URL": engines.redis_url}


def interval(noticed: int, tried: int, of: int) -> tuple[float, float]:
    """Wilson's interval for a share in per cent, narrowed by how much of the whole was tried."""
    share, z = noticed / tried, _CONFIDENCE * sqrt((of - tried) / max(of - 1, 1))
    middle = share + z * z / (2 * tried)
    reach = z * sqrt(share * (1 - share) / tried + z * z / (4 * tried * tried))
    return 100 * (middle - reach) / (1 + z * z / tried), 100 * (middle + reach) / (1 + z * z / tried)


def report(found: Mapping[str, list[dict[str, str]]]) -> float:
    """Print a row for each module, and what was not noticed. Returns the share noticed, in per cent."""
    known, total, weighted, of = results(), Counter[str](), 0.0, 0
    for name, rows in found.items():
        outcomes = [known[key] for each in rows if (key := (each["mutant"], each["of"])) in known]
        if not outcomes:
            continue
        noticed = sum(each in NOTICED for each in outcomes)
        low, high = interval(noticed, len(outcomes), len(rows))
        print(
            f"{name:<20} {len(rows):>5} mutants {len(outcomes):>5} tried {noticed:>5} noticed "
            f"{100 * noticed / len(outcomes):6.1f} %  {low:5.1f} to {high:5.1f}"
        )
        total += Counter({"tried": len(outcomes), "noticed": noticed})
        weighted, of = weighted + len(rows) * noticed / len(outcomes), of + len(rows)
    share = 100 * weighted / max(of, 1)
    tried, noticed = total["tried"], total["noticed"]
    print(f"{'together':<20} {of:>5} mutants {tried:>5} tried {noticed:>5} noticed {share:6.1f} %")
    return share


def main(arguments: list[str] | None = None) -> int:
    """Generate, run, and print the scores. Returns 1 where fewer than 95 of 100 mutants were noticed."""
    parser = argparse.ArgumentParser(description="Would the tests notice a change of the ledger?")
    parser.add_argument("modules", nargs="*", help="all, unless some are named")
    parser.add_argument("--sample", type=int, default=100, help="per cent of each module's mutants")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin with none after that")
    parser.add_argument("--patience", type=float, default=float("inf"), help="seconds of tests for a mutant")
    parser.add_argument("--tests", nargs="+", default=TESTS, help="some: to be quick; what they miss is open")
    parser.add_argument("--again", action="store_true", help="also those that were not noticed before")
    given = parser.parse_args(arguments)
    generate()
    found, known, wanted = modules(), results(), []
    for name in given.modules or found:
        for each in sample(found[name], given.sample):
            outcome = known.get((each["mutant"], each["of"]))
            if outcome is None or (given.again and outcome not in NOTICED):
                wanted.append(each)
    if wanted:
        run(wanted, given.tests, given.seconds, given.patience)
    return int(report(found) < GOAL)


if __name__ == "__main__":
    sys.exit(main())
