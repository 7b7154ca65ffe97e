"""The known position is one for a whole server: a transaction in another database may hold it back."""

import time

from sqlalchemy import text
from sqlalchemy.orm import Session

import ledger


def all_is_known(session: Session, seconds: float = 60) -> int:
    """Wait until everything that is committed here is known; return the position."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        position = ledger.known_position(session)
        latest = session.execute(
            text("SELECT coalesce(max(position), 0) FROM ledger.transaction")
        ).scalar_one()
        session.rollback()
        if latest < position:
            return position
        time.sleep(0.02)
    raise AssertionError(f"something has been under way for {seconds} s")
