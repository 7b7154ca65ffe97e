"""Lists that change while somebody watches: a script asks for the changed part, mostly in vain.

The version of a provider's business is the newest of its events, so that an unchanged list costs two looks
at an index and no rendering. The page itself is complete without the script.
"""

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flask import Response, make_response, request
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.events import queries as events
from marketplace.web.formatting import local, zone_name
from marketplace.web.language import current_language

CLOCK = "Bekal-Clock"
"""The header with the programme's time of an answer, as the script shows it."""

_SECONDS = 10
_ROUND = timedelta(minutes=5)
"""Words that only time changes (a class has begun) are renewed after so long at the latest."""


@dataclass(frozen=True, slots=True)
class Region:
    """Where a page's changing part is asked for, how it was when the page was made, and how often to ask."""

    href: str
    version: str
    seconds: int = _SECONDS


def version(session: Session, provider_id: uuid.UUID) -> str:
    """Something that is another whenever a provider's lists are. Costs one query.

    Besides the newest event the late ones are counted: an event may become visible after a newer one.
    """
    now = clock.now(session)
    since = _floor(now) - _ROUND
    newest, count = events.newest_of_provider(session, provider_id, since)
    return digest(f"{since.timestamp()} {newest} {count} {current_language()}")


def digest(said: str) -> str:
    """A short name for what a part says, good for an ETag."""
    return hashlib.sha256(said.encode()).hexdigest()[:20]


def answer(known: str, now: datetime, render: Callable[[], str]) -> Response:
    """The part as it is now, or 304 for whoever holds this version already."""
    is_known = known in request.if_none_match
    response = make_response("", 304) if is_known else make_response(render())
    response.set_etag(known)
    response.headers[CLOCK] = f"{local(now):%H.%M.%S} {zone_name()}"
    return response


def _floor(now: datetime) -> datetime:
    return datetime.fromtimestamp(now.timestamp() // _ROUND.total_seconds() * _ROUND.total_seconds(), UTC)
