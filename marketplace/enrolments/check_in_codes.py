"""The six digits on the provider's screen: made, compared, and not to be guessed.

Codes live by the clock on the wall, whatever programme time is doing.
"""

import hmac
import uuid
from base64 import b32encode
from datetime import datetime, timedelta

import pyotp
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.catalogue.models import RunSession
from marketplace.encryption import vault
from marketplace.enrolments.errors import CheckInBlocked, CheckInCodeWrong
from marketplace.enrolments.models import CheckInFailure, Enrolment

CODE_SECONDS = 30
MOST_FAILURES = 10
PAUSE = timedelta(minutes=5)


def current_code(meeting: RunSession, at: datetime | None = None) -> tuple[str, int]:
    """The six digits of this half minute and the seconds until they change."""
    seconds = int((at or clock.wall_now()).timestamp())
    return _totp(meeting.id).at(seconds), CODE_SECONDS - seconds % CODE_SECONDS


def require_code(session: Session, enrolment: Enrolment, meeting: RunSession, typed: str) -> None:
    """Compare what was typed, and count it when it is wrong. The enrolment's row must be locked.

    Raises CheckInCodeWrong, and CheckInBlocked for five minutes after ten wrong codes.
    """
    earlier = session.get(CheckInFailure, (enrolment.id, meeting.id), populate_existing=True)
    now = clock.wall_now()
    if earlier is not None and earlier.blocked_until is not None and now < earlier.blocked_until:
        raise CheckInBlocked("too many wrong codes", until=earlier.blocked_until)
    if _is_right(meeting, typed, now):
        return
    if earlier is None:
        earlier = CheckInFailure(enrolment_id=enrolment.id, session_id=meeting.id, failures=0)
        session.add(earlier)
    left = _count(earlier, now)
    session.flush()
    raise CheckInCodeWrong("not the code on the screen", left=left)


def _count(failure: CheckInFailure, now: datetime) -> int:
    """One more wrong code; how many may follow before the pause, which starts the count anew."""
    failure.failures += 1
    left = MOST_FAILURES - failure.failures
    if left <= 0:
        failure.failures = 0
        failure.blocked_until = now + PAUSE
    return left


def _is_right(meeting: RunSession, typed: str, now: datetime) -> bool:
    """The code of this half minute or of the one before: people need time to type."""
    given = "".join(typed.split()).encode()
    accepted = [current_code(meeting, now - timedelta(seconds=age))[0] for age in (0, CODE_SECONDS)]
    matches = [hmac.compare_digest(given, code.encode()) for code in accepted]
    return any(matches)


def _totp(meeting_id: uuid.UUID) -> pyotp.TOTP:
    """A secret per session that nobody stores: it follows from the installation's key."""
    secret = b32encode(vault().blind_index("check-in", str(meeting_id))).decode()
    return pyotp.TOTP(secret.rstrip("="), digits=6, interval=CODE_SECONDS)
