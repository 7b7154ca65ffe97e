"""Surveys after the first incentive: a few questions each, every one of them paid once.

Which questions there are is the programme's; how many surveys a scheme pays, and how much, is the scheme's.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

import ledger
from marketplace import chart, clock
from marketplace.batches.models import Grant
from marketplace.enrolments.locks import lock_grant_of
from marketplace.errors import NotFound
from marketplace.payouts.errors import SurveyNotOpen
from marketplace.payouts.incentive_models import Incentive, IncentiveKind, SurveyResponse
from marketplace.payouts.incentives import Claim, earn

Questions = Mapping[str, tuple[str, ...]]

_FIVE = ("5", "4", "3", "2", "1")

SURVEYS: tuple[Questions, ...] = (
    {
        "useful": _FIVE,
        "pace": ("too_slow", "right", "too_fast"),
        "recommend": ("yes", "unsure", "no"),
    },
    {
        "work_before": ("employed", "business", "seeking", "home"),
        "work_now": ("employed", "business", "seeking", "home"),
        "income": ("higher", "same", "lower", "none"),
    },
    {
        "skill_used": ("daily", "weekly", "seldom", "never"),
        "next": ("another_course", "work", "business", "nothing"),
        "programme": _FIVE,
    },
)
"""By number, from 1: question codes with the codes of their options."""


@dataclass(frozen=True, slots=True)
class Cash:
    """What a participant has earned in money, in rupiah, and the surveys they can still be paid for."""

    owed: Decimal
    earned: list[Incentive]
    open_surveys: list[int]


def overview(session: Session, grant: Grant | None) -> Cash:
    """A participant's own money, oldest first, in three queries at most."""
    if grant is None:
        return Cash(Decimal(0), [], [])
    mine = select(Incentive).where(Incentive.participant_id == grant.participant_id)
    earned = list(session.scalars(mine.order_by(Incentive.earned_at, Incentive.id)))
    if not earned:
        return Cash(Decimal(0), [], [])
    answered = select(SurveyResponse.number).where(SurveyResponse.participant_id == grant.participant_id)
    left = set(numbers(grant)) - set(session.scalars(answered))
    return Cash(ledger.balance(session, chart.cash(grant.participant_id)), earned, sorted(left))


def get_questions(grant: Grant | None, number: int) -> Questions:
    """The questions of a survey that a participant's scheme has. Raises NotFound."""
    if grant is None or number not in numbers(grant):
        raise NotFound("no such survey")
    return SURVEYS[number - 1]


def answer(
    session: Session, participant_id: uuid.UUID, number: int, answers: Mapping[str, str]
) -> SurveyResponse:
    """Keep the answers, and pay for them; a repeat keeps the first answers and pays nothing more.

    Raises NotFound, SurveyNotOpen before the first incentive, and ValueError for answers that are none
    of the options.
    """
    grant = lock_grant_of(session, participant_id)
    questions = get_questions(grant, number)
    if grant is None or set(answers) != set(questions):
        raise ValueError("other questions than the survey's")
    if any(given not in questions[code] for code, given in answers.items()):
        raise ValueError("an answer that is no option")
    earlier = session.get(SurveyResponse, (participant_id, number), populate_existing=True)
    if earlier is not None:
        return earlier
    certificate_id = _certificate_of(session, participant_id)
    response = SurveyResponse(
        participant_id=participant_id, number=number, answers=dict(answers), answered_at=clock.now(session)
    )
    session.add(response)
    session.flush()
    if grant.scheme.survey_amount > 0:
        amount = grant.scheme.survey_amount
        earn(session, [Claim(grant, IncentiveKind.SURVEY, number, amount, certificate_id)])
    return response


def numbers(grant: Grant) -> range:
    """The surveys that a grant's scheme pays for."""
    return range(1, min(grant.scheme.survey_times, len(SURVEYS)) + 1)


def _certificate_of(session: Session, participant_id: uuid.UUID) -> uuid.UUID:
    """The certificate of the first incentive: what makes somebody one whom the programme asks."""
    first = (Incentive.kind == IncentiveKind.CERTIFICATE) & (Incentive.number == 1)
    found = session.scalar(
        select(Incentive.certificate_id).where(Incentive.participant_id == participant_id, first)
    )
    if found is None:
        raise SurveyNotOpen("surveys follow the first incentive")
    return found
