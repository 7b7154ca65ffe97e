"""The only clock.

Programme time (deadlines, sessions, maturity, holds) is wall time plus an offset that only the
database's owner may write, so that weeks can pass in a demo by the product's own jobs. Codes,
sign-in sessions and retries use wall time.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import cast
from zoneinfo import ZoneInfo

from sqlalchemy import Interval, func, select, type_coerce
from sqlalchemy.orm import Session

from marketplace.db import OFFSET

ZONE = ZoneInfo("Asia/Jakarta")
_CENTRAL, _EASTERN = ZoneInfo("Asia/Makassar"), ZoneInfo("Asia/Jayapura")
_PROVINCES = {
    _CENTRAL: frozenset({"51", "52", "53", "63", "64", "65", "71", "72", "73", "74", "75", "76"}),
    _EASTERN: frozenset({"81", "82", "91", "92", "93", "94", "95", "96"}),
}
"""Where people live by another clock than the programme's, by the official codes of provinces."""


def zone_of(province_code: str) -> ZoneInfo:
    """The zone that people of a province live by: WIB, WITA or WIT; WIB where the province is not known."""
    return next((zone for zone, codes in _PROVINCES.items() if province_code in codes), ZONE)


def wall_now() -> datetime:
    """The time on the wall, in UTC."""
    return datetime.now(UTC)


AHEAD = type_coerce(func.ledger.now() - func.clock_timestamp(), Interval)
"""How far programme time is ahead, as a column of any statement; `note_offset` takes what it gave."""


def offset(session: Session) -> timedelta:
    """How far programme time is ahead of the wall. Read once in a transaction."""
    if OFFSET not in session.info:
        note_offset(session, session.scalars(_ASK).one())
    return cast(timedelta, session.info[OFFSET])


def note_offset(session: Session, ahead: timedelta) -> None:
    """A statement of this transaction that has read AHEAD beside its own spares another."""
    session.info[OFFSET] = ahead


_ASK = select(AHEAD)


def now(session: Session) -> datetime:
    """Programme time, in UTC."""
    return wall_now() + offset(session)


def today(session: Session) -> date:
    """Programme date in the programme's zone, Asia/Jakarta."""
    return local_date(now(session))


def local_date(instant: datetime) -> date:
    """The programme's calendar date of an instant."""
    return instant.astimezone(ZONE).date()


def end_of_day(day: date) -> datetime:
    """23:59:59 of a day in the programme's zone: the last instant of a period that ends that day."""
    return datetime.combine(day, time(23, 59, 59), ZONE).astimezone(UTC)


def start_of_day(day: date) -> datetime:
    """Midnight with which a day begins in the programme's zone."""
    return datetime.combine(day, time(0), ZONE).astimezone(UTC)
