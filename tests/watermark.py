"""Sealing beside other tests: the watermark is the whole server's, so their transactions hold it back."""

import time
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from ledger import sealing

_PATIENCE_SECONDS = 60.0
"""The longest that a transaction of another test is open; who holds one open himself does not wait here."""


def wait_for_others(session: Session) -> None:
    """Wait until every database transaction that runs now, in any database of the server, has ended."""
    newest = session.scalar(
        text(
            "SELECT coalesce(pg_current_xact_id_if_assigned(), pg_snapshot_xmax(pg_current_snapshot()))::text"
        )
    )
    passed = text("SELECT pg_snapshot_xmin(pg_current_snapshot()) >= CAST(:newest AS xid8)")
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not session.scalar(passed, {"newest": newest}):
        if time.monotonic() > deadline:
            pytest.fail(f"a database transaction stayed open for {_PATIENCE_SECONDS:g} s")
        time.sleep(0.05)


def seal(session: Session, *arguments: Any, **options: Any) -> Any:
    """ledger.sealing.seal, once nothing older is still being written elsewhere."""
    wait_for_others(session)
    return sealing.seal(session, *arguments, **options)
