"""Identifiers by the example of RFC 9562; no database is asked."""

from uuid import UUID

import pytest

from ledger import uuid7

# appendix A.6: the moment, the fraction of its millisecond, and what was random
MILLISECONDS, FRACTION, RANDOM = 0x017F22E279B0, 0xCC3, 0x18C4DC0C0C07398F


def test_identifiers_are_the_published_one_and_ones_that_sort_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nanoseconds = MILLISECONDS * 1_000_000 + FRACTION * 1_000_000 // 4096 + 1
    clock = iter([nanoseconds, nanoseconds, 0, nanoseconds + 1_000_000])
    monkeypatch.setattr("ledger.ids._last_tick", 0)
    monkeypatch.setattr("ledger.ids.time.time_ns", lambda: next(clock))
    monkeypatch.setattr("ledger.ids.secrets.randbits", {62: RANDOM}.__getitem__)
    made = [uuid7() for _ in range(4)]
    # the clock stood still, went back, and was a millisecond later
    assert made == [
        UUID("017f22e2-79b0-7cc3-98c4-dc0c0c07398f"),
        UUID("017f22e2-79b0-7cc4-98c4-dc0c0c07398f"),
        UUID("017f22e2-79b0-7cc5-98c4-dc0c0c07398f"),
        UUID("017f22e2-79b1-7cc3-98c4-dc0c0c07398f"),
    ]
    assert (made[0].version, made[0].variant) == (7, "specified in RFC 4122")
