"""One-time codes: six digits for ten minutes, on the wall's clock.

At most five codes go to a contact in fifteen minutes and each may be tried five times, so a guesser
has 25 chances in a million a quarter of an hour. Every live code of a contact is accepted, because
messages overtake each other; a wrong try counts against all of them.
"""

import hmac
import secrets
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from ledger import uuid7
from marketplace import clock
from marketplace.encryption import vault
from marketplace.identity.errors import CodeExpired, CodeWrong, RateLimited
from marketplace.identity.models import SignInCode

LIFETIME = timedelta(minutes=10)
WINDOW = timedelta(minutes=15)
CODES_PER_WINDOW = 5
ATTEMPTS = 5


def issue(session: Session, contact: str) -> str:
    """Make a code for a contact and return it for sending. Raises RateLimited."""
    now = clock.wall_now()
    _lock(session, contact)
    _check_rate(session, contact, now)
    code = f"{secrets.randbelow(10**6):06d}"
    row_id = uuid7()
    session.add(
        SignInCode(
            id=row_id,
            contact=contact,
            code_hash=_hash(row_id, code),
            created_at=now,
            expires_at=now + LIFETIME,
        )
    )
    session.flush()
    return code


def redeem(session: Session, contact: str, code: str) -> None:
    """Use a code up. Raises CodeWrong, which counts the attempt, and CodeExpired."""
    tried = _count_attempt(session, contact)
    if not tried:
        raise CodeExpired("no live code")
    matching = [row for row in tried if hmac.compare_digest(row.code_hash, _hash(row.id, code))]
    if not matching:
        raise CodeWrong("the code does not match", left=ATTEMPTS - min(row.attempts for row in tried))
    for row in tried:
        row.used_at = clock.wall_now()
    session.flush()


def _count_attempt(session: Session, contact: str) -> Sequence[SignInCode]:
    """Raise the count of every live code in one statement: parallel guesses wait for each other."""
    counted = update(SignInCode).where(*_live(contact)).values(attempts=SignInCode.attempts + 1)
    return session.scalars(
        counted.returning(SignInCode),
        execution_options={"synchronize_session": False, "populate_existing": True},
    ).all()


def _live(contact: str) -> tuple[ColumnElement[bool], ...]:
    return (
        SignInCode.contact == contact,
        SignInCode.used_at.is_(None),
        SignInCode.expires_at > clock.wall_now(),
        SignInCode.attempts < ATTEMPTS,
    )


def _lock(session: Session, contact: str) -> None:
    """Two requests at once count each other's codes."""
    key = int.from_bytes(vault().blind_index("sign_in_lock", contact)[:8], signed=True)
    session.execute(select(func.pg_advisory_xact_lock(key)))


def _check_rate(session: Session, contact: str, now: datetime) -> None:
    recent = session.scalars(
        select(SignInCode.created_at)
        .where(SignInCode.contact == contact, SignInCode.created_at > now - WINDOW)
        .order_by(SignInCode.created_at.desc())
        .limit(CODES_PER_WINDOW)
    ).all()
    if len(recent) == CODES_PER_WINDOW:
        wait = recent[-1] + WINDOW - now
        raise RateLimited("too many codes", retry_after=max(1, round(wait.total_seconds())))


def _hash(row_id: uuid.UUID, code: str) -> bytes:
    """Keyed, since six digits without a key are tried out in a moment; bound to its row."""
    return vault().blind_index(f"sign_in_code:{row_id}", code)
