"""Announcements: what the programme office tells everybody, participants or providers, while it is true."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from ledger import uuid7
from marketplace import clock
from marketplace.errors import NotFound
from marketplace.identity import audit
from marketplace.identity.models import User
from marketplace.oversight.errors import AnnouncementInvalid
from marketplace.oversight.models import Announcement, Audience, Severity

LONGEST = 300
_MOST_SHOWN = 3
_REMEMBERED = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Draft:
    """An announcement to be: its words in Indonesian and English, from when until when (wall time)."""

    severity: Severity
    audience: Audience
    text_id: str
    text_en: str
    starts_at: datetime
    ends_at: datetime


def announce(session: Session, draft: Draft, actor: User, key: str) -> Announcement:
    """Have it shown in its time. The same form sent twice announces once. Raises AnnouncementInvalid."""
    if draft.ends_at <= draft.starts_at:
        raise AnnouncementInvalid("ends before it starts", fault="order")
    if draft.ends_at <= clock.wall_now():
        raise AnnouncementInvalid("over already", fault="past")
    made = session.scalar(
        insert(Announcement)
        .values(
            id=uuid7(),
            written_by=actor.id,
            key=key,
            severity=draft.severity.value,
            audience=draft.audience.value,
            text_id=draft.text_id,
            text_en=draft.text_en,
            written_at=clock.wall_now(),
            starts_at=draft.starts_at,
            ends_at=draft.ends_at,
        )
        .on_conflict_do_nothing(index_elements=["written_by", "key"])
        .returning(Announcement.id)
    )
    written = (Announcement.written_by == actor.id, Announcement.key == key)
    found = session.scalars(select(Announcement).where(*written)).one()
    if made is not None:
        audit.record(
            session, actor, "announcement.made", f"announcement:{found.id}", severity=found.severity,
            audience=found.audience, starts_at=found.starts_at, ends_at=found.ends_at,
        )  # fmt: skip
    return found


def end_now(session: Session, announcement_id: uuid.UUID, actor: User) -> Announcement:
    """Show it no longer, or never. What is over stays as it was. Raises NotFound."""
    found = session.get(Announcement, announcement_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound("no such announcement")
    now = clock.wall_now()
    if found.ends_at > now:
        found.ends_at, found.ended_by = max(now, found.starts_at), actor.id
        session.flush()
        audit.record(session, actor, "announcement.ended", f"announcement:{found.id}")
    return found


def list_current(session: Session, audiences: Collection[Audience]) -> Sequence[Announcement]:
    """What these readers are to see now, the newest first; a page has room for three."""
    now = clock.wall_now()
    valid = (Announcement.starts_at <= now, Announcement.ends_at > now, Announcement.audience.in_(audiences))
    found = select(Announcement).where(*valid).order_by(Announcement.id.desc())
    return session.scalars(found.limit(_MOST_SHOWN)).all()


def list_all(session: Session, limit: int = 50) -> Sequence[Announcement]:
    """For the office: to come, current and past, newest first."""
    return session.scalars(select(Announcement).order_by(Announcement.id.desc()).limit(limit)).all()


def list_public(session: Session, limit: int = 20) -> Sequence[Announcement]:
    """What everybody was told within ninety days, and what is told now; never what was taken back."""
    now = clock.wall_now()
    told = (
        Announcement.audience == Audience.EVERYBODY,
        Announcement.starts_at <= now,
        Announcement.ends_at > now - _REMEMBERED,
        Announcement.ends_at > Announcement.starts_at,
    )
    found = select(Announcement).where(*told).order_by(Announcement.starts_at.desc(), Announcement.id)
    return session.scalars(found.limit(limit)).all()
