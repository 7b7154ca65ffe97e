"""The bench measures what it says and writes it down; with sizes this small only the form is looked at."""

import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from bench.crowd import WorkerFailed, crowd
from bench.figures import Figure, at_least, at_most, table
from tests.servers import ROOT

TINY = ["--rounds", "1", "--seconds", "0.1", "--payers", "10", "--rows", "1000", "--transactions", "20"]
EXPECTED = {
    "floor: one CTE by pgbench": "tx/s",
    "post() bare, by pgbench": "tx/s",
    "post() through a Session, hot provider": "tx/s",
    "post_many() in hundreds": "tx/s",
    "post_many() in thousands": "tx/s",
    "hot provider to spread providers": "tx/s",
    "sealing on to sealing off": "tx/s",
    "a purchase on disk, indexes included": "bytes",
    "the same, sealed": "bytes",
    "verify() of 31 transactions, signed seals: 1": "s",
    "its memory, against that after a tenth": "MiB",
    "balance() of a folded account, 2,000 postings": "ms",
}


@pytest.mark.thorough
def test_every_figure_is_in_the_table_and_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    done = subprocess.run(
        [sys.executable, "-m", "bench", *TINY, "--json", str(file)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    written = json.loads(file.read_text())
    names = [field.name for field in fields(Figure)]
    assert [list(each) for each in written] == [names] * len(EXPECTED)
    assert {each["name"]: each["unit"] for each in written} == EXPECTED
    assert all(each["value"] > 0 for each in written if each["unit"] != "bytes")
    assert all((each["goal"] is None) == (each["met"] is None) for each in written)
    for name in EXPECTED:
        assert name in done.stdout
    assert "fsync on" in done.stdout
    # one line of progress for each contender and each stage
    assert {"hot", "sealed"} <= {line.split()[5] for line in done.stderr.splitlines() if "round 1/1" in line}
    assert "verify" in done.stderr and "folded account" in done.stderr


def test_a_figure_says_whether_its_goal_is_met() -> None:
    assert at_least("a", 4, "tx/s", 10, 0.4).met is True
    assert at_least("a", 3.9, "tx/s", 10, 0.4).met is False
    assert at_most("a", 5, "ms", 5).met is True
    assert at_most("a", 5.1, "ms", 5).met is False


def test_the_table_says_so_in_words_under_the_same_headings() -> None:
    lines = table(
        [at_most("quick", 4, "ms", 5, 400), at_most("slow", 6, "ms", 5), Figure("bare", 1234.5, "tx/s")]
    ).splitlines()
    assert lines[0].split() == ["what", "value", "unit", "floor", "ratio", "goal", "met"]
    assert [line.split() for line in lines[2:]] == [
        ["quick", "4", "ms", "400", "0.01", "value", "<=", "5", "yes"],
        ["slow", "6", "ms", "value", "<=", "5", "NO"],
        ["bare", "1,234", "tx/s"],
    ]


def test_a_worker_that_fails_ends_the_bench_instead_of_counting_as_slow() -> None:
    with pytest.raises(WorkerFailed), crowd("bench.purchases", 1, {"url": "nowhere"}):
        raise AssertionError("unreachable: the worker has no such settings")
