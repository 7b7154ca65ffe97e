"""A participant's enrolments in the order in which they ask for something."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from marketplace.catalogue.models import RunSession
from marketplace.enrolments.learning_models import Certificate
from marketplace.enrolments.models import LIVE, Enrolment
from marketplace.enrolments.progress import Progress
from marketplace.enrolments.queries import list_for_participant

_LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Learning:
    """One enrolment with the session that is on or comes next, and its valid certificate, if any."""

    progress: Progress
    coming: RunSession | None
    certificate: Certificate | None

    @property
    def enrolment(self) -> Enrolment:
        return self.progress.enrolment


def list_learning(session: Session, participant_id: uuid.UUID, now: datetime) -> list[Learning]:
    """All of a participant's enrolments in three queries: by their next session, the ended ones last."""
    mine = list_for_participant(session, participant_id)
    coming = _next_meetings(session, participant_id, now)
    certified = _certificates(session, [each.enrolment.id for each in mine])
    found = [Learning(each, coming.get(each.enrolment.id), certified.get(each.enrolment.id)) for each in mine]
    return sorted(found, key=_urgency)


def _urgency(each: Learning) -> tuple[bool, datetime]:
    """Sorting is stable: what is equally urgent stays as it came, newest first."""
    starts_at = each.coming.starts_at if each.coming else None
    return not each.enrolment.is_live, starts_at or _LAST


def _next_meetings(session: Session, participant_id: uuid.UUID, now: datetime) -> dict[uuid.UUID, RunSession]:
    rows = session.execute(
        select(Enrolment.id, RunSession)
        .join(RunSession, RunSession.run_id == Enrolment.run_id)
        .where(
            Enrolment.participant_id == participant_id, Enrolment.state.in_(LIVE), RunSession.ends_at >= now
        )
        .ext(distinct_on(Enrolment.id))
        .order_by(Enrolment.id, RunSession.starts_at)
    )
    return {row[0]: row[1] for row in rows}


def _certificates(session: Session, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Certificate]:
    valid = select(Certificate).where(Certificate.enrolment_id.in_(ids), Certificate.revoked_at.is_(None))
    return {each.enrolment_id: each for each in session.scalars(valid)}
