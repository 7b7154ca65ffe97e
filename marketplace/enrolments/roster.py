"""Who is in a run, a page at a time: a run may have thousands of people."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from marketplace.enrolments.models import Earning, Enrolment
from marketplace.enrolments.progress import Progress, progress_select, read_progress, standing_earning
from marketplace.participants.models import Participant


@dataclass(frozen=True, slots=True)
class Roster:
    """Some of a run's people, by name; `next_after` is where the next page begins (None: nowhere).

    Of all of them: how many there are, and until when a result can be corrected (None: every one stands).
    """

    people: list[Progress]
    next_after: uuid.UUID | None
    total: int
    correctable_until: datetime | None


def read_roster(
    session: Session, run_id: uuid.UUID, now: datetime, after: uuid.UUID | None = None, size: int = 50
) -> Roster:
    """Everybody who bought a run, cancelled purchases too, from those after one enrolment on.

    An enrolment of another run has nobody after it.
    """
    total, last = session.execute(
        select(func.count(), func.max(Earning.matures_at).filter(Enrolment.completed_at.is_not(None)))
        .select_from(Enrolment)
        .outerjoin(Earning, standing_earning())
        .where(Enrolment.run_id == run_id)
    ).one()
    place = tuple_(Participant.full_name, Enrolment.id)
    rows = progress_select().join(Participant, Enrolment.participant_id == Participant.id)
    rows = rows.where(Enrolment.run_id == run_id).order_by(Participant.full_name, Enrolment.id)
    if after is not None:
        named = select(Participant.full_name).join(Enrolment, Enrolment.participant_id == Participant.id)
        named = named.where(Enrolment.id == after, Enrolment.run_id == run_id)
        rows = rows.where(place > tuple_(named.scalar_subquery(), after))
    found = read_progress(session, rows.limit(size + 1))
    next_after = found[size - 1].enrolment.id if len(found) > size else None
    return Roster(found[:size], next_after, total, last if last and last > now else None)
