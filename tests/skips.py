"""Where nothing may be missing (BEKAL_REQUIRE_ALL=1), a skipped test is a failed one.

Exempt are tests of real data that is not part of the project: their reason begins with `data:`.
"""

import os
from collections.abc import Generator
from typing import Any

import pytest

EXEMPT = "data:"


def forbid_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure where the environment asks for everything."""
    if os.environ.get("BEKAL_REQUIRE_ALL") != "1" or not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = _reason(report.longrepr)
    if not reason.startswith(EXEMPT):
        report.outcome = "failed"
        report.longrepr = f"skipped although BEKAL_REQUIRE_ALL=1: {reason}"


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
