"""Long files of enrolments: asked for, written by a worker, kept for a day and then emptied.

Who writes them (the words are those of the pages) is the edge's matter; here is the row that is their queue.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.enrolments.errors import TooManyExports
from marketplace.enrolments.tracking_models import (
    EXPORT_TRANSITIONS,
    EnrolmentExport,
    ExportKind,
    ExportState,
)
from marketplace.errors import NotFound
from marketplace.identity import audit
from marketplace.identity.models import User
from marketplace.states import move

KEPT = timedelta(hours=24)
"""Personal data in a file that nobody fetched does not lie about for ever."""

MOST_WAITING = 3
_LEASE = timedelta(minutes=3)
"""Longer than a task may take, so that a file has one writer."""

_MOST_ATTEMPTS = 3
_NAMES = ("(^|&)q=[^&]*", "")
"""The part of an address that somebody typed, and what stays of it."""


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody wants written: the list's query, the kind of file, in which language, and how long."""

    kind: ExportKind
    query: str
    language: str
    rows: int


def request(session: Session, provider_id: uuid.UUID, order: Order, actor: User) -> EnrolmentExport:
    """Ask for a file; who asks for the same one again while it waits gets that.

    Raises TooManyExports when the provider has several waiting.
    """
    waiting = session.scalars(
        select(EnrolmentExport).where(
            EnrolmentExport.provider_id == provider_id, EnrolmentExport.state == ExportState.REQUESTED
        )
    ).all()
    for each in waiting:
        if (each.kind, each.query, each.language) == (order.kind, order.query, order.language):
            return each
    if len(waiting) >= MOST_WAITING:
        raise TooManyExports("several files wait", waiting=len(waiting))
    export = EnrolmentExport(
        provider_id=provider_id,
        requested_by=actor.id,
        kind=order.kind.value,
        query=order.query,
        language=order.language,
        rows=order.rows,
        requested_at=clock.wall_now(),
    )
    session.add(export)
    session.flush()
    audit.record(session, actor, "enrolment.export", f"export:{export.id}", kind=order.kind, rows=order.rows)
    return export


def get_export(session: Session, export_id: uuid.UUID, provider_id: uuid.UUID) -> EnrolmentExport:
    """A provider's file. Raises NotFound, for another provider's too."""
    own = (EnrolmentExport.id == export_id) & (EnrolmentExport.provider_id == provider_id)
    found = session.scalar(select(EnrolmentExport).where(own))
    if found is None:
        raise NotFound("no such file")
    return found


def get_content(session: Session, export_id: uuid.UUID, provider_id: uuid.UUID) -> bytes:
    """What a finished file holds. Raises NotFound, also when it is not finished or has expired."""
    content = get_export(session, export_id, provider_id).content
    if content is None:
        raise NotFound("the file has no content")
    return content


def list_recent(session: Session, provider_id: uuid.UUID, limit: int) -> Sequence[EnrolmentExport]:
    """A provider's files in any state, the latest first."""
    found = select(EnrolmentExport).where(EnrolmentExport.provider_id == provider_id)
    latest = found.order_by(EnrolmentExport.requested_at.desc(), EnrolmentExport.id.desc())
    return session.scalars(latest.limit(limit)).all()


def list_waiting(session: Session, limit: int = 20) -> Sequence[uuid.UUID]:
    """Files that nobody is writing, the oldest first."""
    waiting = select(EnrolmentExport.id).where(EnrolmentExport.state == ExportState.REQUESTED, _is_free())
    return session.scalars(waiting.order_by(EnrolmentExport.requested_at).limit(limit)).all()


def claim(session: Session, export_id: uuid.UUID) -> EnrolmentExport | None:
    """Take a file for writing; None when it is written, in other hands, or failed too often: then it forgets
    whom it searched for, as one that has expired."""
    found = session.scalar(
        select(EnrolmentExport)
        .where(EnrolmentExport.id == export_id, EnrolmentExport.state == ExportState.REQUESTED, _is_free())
        .with_for_update(skip_locked=True)
    )
    if found is None:
        return None
    if found.attempts >= _MOST_ATTEMPTS:
        move(found, ExportState.FAILED, EXPORT_TRANSITIONS)
        found.query = _nameless()
        session.flush()
        return None
    found.attempts += 1
    found.started_at, found.written = clock.wall_now(), 0
    session.flush()
    return found


def note_progress(session: Session, export_id: uuid.UUID, written: int) -> None:
    """How many rows are written so far."""
    session.execute(update(EnrolmentExport).where(EnrolmentExport.id == export_id).values(written=written))


def finish(session: Session, export_id: uuid.UUID, content: bytes, written: int) -> None:
    """Keep the file for a day. Whoever is second changes nothing."""
    found = session.get_one(EnrolmentExport, export_id, with_for_update=True)
    if found.state != ExportState.REQUESTED:
        return
    found.content, found.written, found.expires_at = content, written, clock.wall_now() + KEPT
    move(found, ExportState.FINISHED, EXPORT_TRANSITIONS)
    session.flush()


def expire(session: Session) -> int:
    """Empty the files whose day is over, and forget whom they searched for by name; how many."""
    over = (EnrolmentExport.state == ExportState.FINISHED) & (EnrolmentExport.expires_at <= func.now())
    emptied = update(EnrolmentExport).where(over)
    emptied = emptied.values(
        state=ExportState.EXPIRED.value,
        content=None,
        query=_nameless(),
    )
    return len(session.execute(emptied.returning(EnrolmentExport.id)).all())


def _nameless() -> Any:
    """A file's query without whom it searched for by name."""
    return func.regexp_replace(EnrolmentExport.query, *_NAMES)


def _is_free() -> ColumnElement[bool]:
    return or_(EnrolmentExport.started_at.is_(None), EnrolmentExport.started_at < clock.wall_now() - _LEASE)
