"""A provider's own staff who buy its courses: what that earns waits for a person of the programme."""

import uuid
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Exists, exists
from sqlalchemy.orm import Session

from marketplace.enrolments.settlement import Verdict
from marketplace.providers import queries as providers
from marketplace.providers.models import ProviderStaff

STAFF_BOUGHT = "staff_bought"


def is_staff(user_id: uuid.UUID, provider_id: uuid.UUID) -> Exists:
    """Whether a buyer acts for the provider whose course it is; asked by the purchase's own INSERT."""
    return exists().where(ProviderStaff.user_id == user_id, ProviderStaff.provider_id == provider_id)


def hold_own(session: Session, provider_id: uuid.UUID, verdicts: Sequence[Verdict]) -> list[Verdict]:
    """The verdicts, those that would pay for somebody of the provider's staff held: of then or of now."""
    staff = {member.user_id for member in providers.list_staff(session, provider_id)}
    return [_held(each) if _is_own(each, staff) else each for each in verdicts]


def _is_own(verdict: Verdict, staff: set[uuid.UUID]) -> bool:
    enrolment = verdict.enrolment
    return bool(verdict.paid_percent) and (
        enrolment.bought_by_staff or enrolment.participant.user_id in staff
    )


def _held(verdict: Verdict) -> Verdict:
    return replace(verdict, hold_code=verdict.hold_code or STAFF_BOUGHT)
