"""A transaction that only read ends without costing the next one its plans."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace import db
from marketplace.identity import queries
from tests import factories

_PREPARED = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%FROM user_session%'"
_OFTEN = 6
"""psycopg prepares what one connection is asked for the sixth time."""


def _read(session: Session) -> None:
    for _time in range(_OFTEN):
        queries.find_session(session, "a token of nobody")
        session.rollback()


def test_what_pages_ask_for_is_planned_once(session: Session) -> None:
    _read(session)
    assert session.scalar(text(_PREPARED)) == 1


def test_psycopg_forgets_its_plans_at_a_rollback(session: Session) -> None:
    """Negative control: after something was written, the transaction ends as it was told to."""
    _read(session)
    user = factories.make_user(session)
    session.flush()
    session.rollback()
    assert session.scalar(text(_PREPARED)) == 0
    assert session.get(type(user), user.id) is None
    with db.transaction() as current:
        kept = factories.make_user(current).id
    assert session.get(type(user), kept) is not None
