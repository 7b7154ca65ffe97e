"""Mutation of the ledger on servers that run all the while: `python -m tests.mutants MUTMUT [MODULES]`.

Each mutant runs the tests that cover its function in a process of its own, and those may want a database:
with servers that are there already this takes a second instead of ten. Prints the score of each module.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from marketplace.dev.engines import running
from tests.servers import plain

_RESULT = re.compile(r"^\s*ledger\.(\w+)\.\S+: ([a-z ]+)$")
NOTICED = frozenset({"killed", "timeout", "segfault", "caught by type check"})


def scores(lines: Iterable[str]) -> list[tuple[str, int, int, int]]:
    """Module, mutants, noticed, per cent noticed; the whole at the end. What did not run does not count."""
    found: dict[str, Counter[bool]] = {}
    for line in lines:
        match = _RESULT.match(line)
        if match and match[2] not in ("not checked", "skipped"):
            for module in (match[1], "all"):
                found.setdefault(module, Counter())[match[2] in NOTICED] += 1
    rows = [
        (name, each.total(), each[True], 100 * each[True] // each.total()) for name, each in found.items()
    ]
    return sorted(rows, key=lambda row: (row[0] == "all", row[0]))


def main(mutmut: str, *modules: str) -> int:
    """Run mutmut over these modules, or all. Returns 1 where fewer than 95 of 100 mutants were noticed."""
    with tempfile.TemporaryDirectory(prefix="bekal-mutants-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        with running(Path(folder) / "home", {}, print, durable=False, temporary=True) as engines:
            admin = plain(make_url(engines.database_admin_url))
            with psycopg.connect(admin, autocommit=True) as connection:
                # the suite refuses a server that holds an installation's database
                connection.execute("DROP DATABASE bekal")
            servers = {"DATABASE_URL": engines.database_admin_url, "REDIS_URL": engines.redis_url}
            environ = os.environ | servers | {"TMPDIR": folder}
            command = [mutmut, "run", "--max-children", os.environ.get("TEST_WORKERS", "1"), *modules]
            subprocess.run(command, env=environ, check=True)
    listed = subprocess.run([mutmut, "results", "--all", "true"], capture_output=True, text=True, check=True)
    rows = scores(listed.stdout.splitlines())
    for row in rows:
        print("{:<22} {:>5} mutants {:>5} noticed {:>4} %".format(*row))
    return int(not rows or rows[-1][3] < 95)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
