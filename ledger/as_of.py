"""The two axes of the past: what was effective before an instant, and what was known below a position.

A position is that of the writing database transaction. Nothing is ever added below the known position, so a
reading at a position stays the same for ever, whatever is dated back later.
"""

from datetime import datetime

from sqlalchemy import func, text
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import LateralFromClause

from ledger.errors import InvalidPosition
from ledger.models import Account
from ledger.requests import check_instant


def known_position(session: Session) -> int:
    """Return the position below which everything is known by now; take it to read the same again later.

    It stays below every transaction that is still under way, the session's own included.
    """
    position: int = session.execute(text("SELECT ledger.watermark()")).scalar_one()
    return position


def check_as_of(session: Session, as_of: object, known_at: object) -> None:
    """Raise InvalidEffectiveAt or InvalidPosition where a reading could not be answered for good."""
    if as_of is not None:
        check_instant(as_of, "what a balance is read as of")
    if known_at is None:
        return
    if not isinstance(known_at, int) or isinstance(known_at, bool) or known_at < 0:
        raise InvalidPosition("a position is a whole number, zero or more")
    if known_at > known_position(session):
        raise InvalidPosition("not everything below this position is known yet", str(known_at))


def sums(as_of: datetime | None, known_at: int | None) -> LateralFromClause:
    """Debits and credits of each account of the enclosing query, in one statement with it."""
    if as_of is not None:
        function = func.ledger.sums_effective(Account.id, as_of, known_at)
    elif known_at is not None:
        function = func.ledger.sums_known(Account.id, known_at)
    else:
        function = func.ledger.sums(Account.id)
    return function.table_valued("debits", "credits").lateral()
