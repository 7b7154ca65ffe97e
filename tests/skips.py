"""Where nothing may be missing (BEKAL_REQUIRE_ALL=1), a skipped test is a failed one.

Exempt are tests of real data that is not part of the project, whose reason begins with `data:`, and those
that only root can run, with `root:`. The summary counts them.
"""

import os
from collections import Counter
from collections.abc import Generator, Iterable
from typing import Any

import pytest

EXEMPT = ("data:", "root:")


def forbid_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure where the environment asks for everything."""
    if not _requires_all() or not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = _reason(report.longrepr)
    if not reason.startswith(EXEMPT):
        report.outcome = "failed"
        report.longrepr = f"skipped although BEKAL_REQUIRE_ALL=1: {reason}"


def count_exempt(reports: Iterable[pytest.TestReport | pytest.CollectReport]) -> str:
    """How many skips were let through, and why, in one line."""
    found = Counter(_reason(each.longrepr).partition(":")[0] for each in reports)
    return ", ".join(f"{count} for want of {what}" for what, count in sorted(found.items())) or "none"


def _requires_all() -> bool:
    return os.environ.get("BEKAL_REQUIRE_ALL") == "1"


def _reason(representation: Any) -> str:
    text = representation[2] if isinstance(representation, tuple) else str(representation)
    return str(text).removeprefix("Skipped: ")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    forbid_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    forbid_skip(report)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _requires_all():
        skipped = terminalreporter.stats.get("skipped", [])
        terminalreporter.write_line(f"skipped although everything is required: {count_exempt(skipped)}")
