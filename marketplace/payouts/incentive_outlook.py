"""Why somebody's first incentive has not come: what it waits for, or why their certificates earn none."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.batches.models import Grant
from marketplace.enrolments.learning_models import Certificate
from marketplace.enrolments.models import UNDOUBTED, Earning
from marketplace.payouts.incentive_models import Obstacle
from marketplace.payouts.incentives import obstacle_of


class Wait(StrEnum):
    """What a certificate that would earn waits for: its last day of correction, the next look of the job
    that judges, or somebody who looks at its evidence."""

    CORRECTABLE = "correctable"
    DUE = "due"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Outlook:
    """The certificate that is nearest to an incentive, and what keeps it."""

    certificate: Certificate
    why: Wait | Obstacle


def outlook(session: Session, grant: Grant | None, own: Sequence[Certificate]) -> Outlook | None:
    """Of somebody's certificates, newest first: one that may still earn before one that does not. One query
    at most; None without any certificate. Whoever has earned has no use for it."""
    if grant is None or not own:
        return None
    hopeful = [each for each in own if each.judged_at is None and obstacle_of(each, grant.scheme) is None]
    if hopeful:
        held = _held(session, hopeful)
        free = [each for each in hopeful if each.enrolment_id not in held]
        chosen = (free or hopeful)[-1]
        return Outlook(chosen, _wait_of(chosen, held, clock.now(session)))
    last = own[0]
    return Outlook(last, obstacle_of(last, grant.scheme) or Wait.DUE)


def _wait_of(certificate: Certificate, held: set[uuid.UUID], now: datetime) -> Wait:
    if certificate.enrolment_id in held:
        return Wait.HELD
    return Wait.DUE if certificate.final_at < now else Wait.CORRECTABLE


def _held(session: Session, own: Sequence[Certificate]) -> set[uuid.UUID]:
    ids = [each.enrolment_id for each in own]
    doubted = Earning.enrolment_id.in_(ids) & Earning.state.not_in(UNDOUBTED)
    return set(session.scalars(select(Earning.enrolment_id).where(doubted)))
