"""A skip may not hide in CI."""

import pytest

from tests.skips import count_exempt, forbid_skip


def _skipped(reason: str) -> pytest.TestReport:
    return pytest.TestReport(
        nodeid="tests/test_x.py::test_x",
        location=("tests/test_x.py", 1, "test_x"),
        keywords={},
        outcome="skipped",
        longrepr=("tests/test_x.py", 1, f"Skipped: {reason}"),
        when="call",
    )


def test_a_skip_fails_where_everything_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEKAL_REQUIRE_ALL", "1")
    report = _skipped("no browser")
    forbid_skip(report)
    assert report.outcome == "failed"
    assert "no browser" in str(report.longrepr)


def test_a_skip_for_missing_real_data_or_root_is_let_through_and_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BEKAL_REQUIRE_ALL", "1")
    reports = [
        _skipped(reason) for reason in ("data: no catalogue", "root: a closed folder", "data: no schema")
    ]
    for report in reports:
        forbid_skip(report)
        assert report.outcome == "skipped"
    assert count_exempt(reports) == "2 for want of data, 1 for want of root"
    assert count_exempt([]) == "none"


def test_a_skip_is_a_skip_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BEKAL_REQUIRE_ALL", raising=False)
    report = _skipped("no browser")
    forbid_skip(report)
    assert report.outcome == "skipped"
