"""Stable pages: the place after the last row seen, not a number of rows to skip.

A row that appears or disappears between two pages shifts nothing.
"""

import base64
import binascii
import json
import re
import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, Numeric, cast, func, select

from marketplace.catalogue.errors import CursorInvalid
from marketplace.catalogue.filters import Filters, Sort, is_buyable, text_query
from marketplace.catalogue.models import Course, Run

_NEVER = Decimal(10**12)  # seconds; after any start
_KEY = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")


@dataclass(frozen=True, slots=True)
class Cursor:
    """Sort key and id of the last row of a page."""

    key: Decimal
    last_id: uuid.UUID


def sort_key(filters: Filters, now: datetime) -> ColumnElement[Decimal]:
    """A number that rises in the wanted order; equal ones are told apart by the course's id."""
    if filters.sort is Sort.CHEAPEST:
        return Course.price.expression
    if filters.sort is Sort.SOONEST:
        return _soonest(now)
    query = text_query(filters)
    if filters.sort is Sort.BEST and query is not None:
        # asked for once, and not again for every course, also by a plan that is kept for all words
        once = select(query).scalar_subquery()
        return cast(-func.round(cast(func.ts_rank(Course.search, once), Numeric), 6), Numeric)
    return cast(-func.coalesce(Course.rating, 0), Numeric)


def encode_cursor(key: Decimal, last_id: uuid.UUID) -> str:
    """The cursor as text for an address."""
    return base64.urlsafe_b64encode(json.dumps([f"{key:f}", last_id.hex]).encode()).decode().rstrip("=")


def decode_cursor(text: str) -> Cursor:
    """Read a cursor. Raises CursorInvalid for anything that encode_cursor did not make."""
    try:
        key, last_id = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not _KEY.fullmatch(key):
            raise ValueError("no number that the database knows")
        return Cursor(Decimal(key), uuid.UUID(last_id))
    except (ValueError, TypeError, AttributeError, binascii.Error, RecursionError) as error:
        raise CursorInvalid("not a page of this list") from error


def _soonest(now: datetime) -> ColumnElement[Decimal]:
    """Start of the soonest run with seats, in seconds; courses without one come last.

    Self-paced runs count from their own start, not from now, or they would move between two pages.
    """
    start = (
        select(func.extract("epoch", func.min(Run.starts_at)))
        .where(Run.course_id == Course.id, is_buyable(now), Run.seats_taken < Run.seats)
        .scalar_subquery()
    )
    return cast(func.round(func.coalesce(start, _NEVER)), Numeric)
