"""The audit trail: who did what to which thing. Rows are only ever added."""

from collections.abc import Sequence
from typing import TypeAlias

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.events.snapshot import snapshot
from marketplace.identity.models import AuditEntry, User

Actor: TypeAlias = User | str | None
"""A login, an operator at the machine (`cli:name`), or None: Bekal itself."""


_OPERATOR = "audit.operator"


def act_through(session: Session, operator: str) -> None:
    """Lines of this session in a login's name also name the operator who typed that name at a machine."""
    session.info[_OPERATOR] = operator


def record(session: Session, actor: Actor, action: str, subject: str, **details: object) -> AuditEntry:
    """Add one line. `details` hold ids and figures, never personal data."""
    if isinstance(actor, User) and _OPERATOR in session.info:
        details["operator"] = session.info[_OPERATOR]
    entry = AuditEntry(
        recorded_at=clock.wall_now(),
        actor_id=actor.id if isinstance(actor, User) else None,
        actor=_name(actor),
        action=action,
        subject=subject,
        details=snapshot(details),
    )
    session.add(entry)
    session.flush()
    return entry


def list_entries(session: Session, subject: str, limit: int = 100) -> Sequence[AuditEntry]:
    """What was done to one thing, newest first."""
    found = select(AuditEntry).where(AuditEntry.subject == subject)
    return session.scalars(
        found.order_by(AuditEntry.recorded_at.desc(), AuditEntry.id.desc()).limit(limit)
    ).all()


def _name(actor: Actor) -> str:
    if isinstance(actor, User):
        return f"user:{actor.id}"
    return actor or "system"
