"""Roll-ups: what was posted to a folded account, summed once, so that readers add only what came after."""

from sqlalchemy.orm import Session

from ledger.calling import call
from ledger.errors import InvalidRequest

ENOUGH = 1000


def roll_up(session: Session, at_least: int = ENOUGH) -> int:
    """Sum up every folded account with at least so many new postings; return how many accounts that were.

    Readers are exact before, meanwhile and after: this only makes them quick. Postings of transactions that
    may still be under way wait for the next time. Where another session is at it, this one leaves it alone
    and returns 0. Raises InvalidRequest, WrongIsolation.
    """
    if not isinstance(at_least, int) or at_least < 1:
        raise InvalidRequest("a roll-up needs at least one new posting")
    (row,) = call(session, "SELECT ledger.roll_up(%s) AS accounts", (at_least,))
    accounts: int = row.accounts
    return accounts
