"""A provider's own staff who buy its courses: what that earns waits for a person of the programme."""

import uuid
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from marketplace.enrolments.settlement import Verdict
from marketplace.providers import queries as providers

STAFF_BOUGHT = "staff_bought"


def hold_own(session: Session, provider_id: uuid.UUID, verdicts: Sequence[Verdict]) -> list[Verdict]:
    """The verdicts, those that would pay for somebody of the provider's staff held."""
    staff = {member.user_id for member in providers.list_staff(session, provider_id)}
    return [_held(each) if _is_own(each, staff) else each for each in verdicts]


def _is_own(verdict: Verdict, staff: set[uuid.UUID]) -> bool:
    return bool(verdict.paid_percent) and verdict.enrolment.participant.user_id in staff


def _held(verdict: Verdict) -> Verdict:
    return replace(verdict, hold_code=verdict.hold_code or STAFF_BOUGHT)
