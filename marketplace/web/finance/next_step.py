"""What one person may do with a payout run now: exactly one thing, or why not."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.identity import queries as identity
from marketplace.identity.models import Role, User
from marketplace.payouts.models import PAYOUT_RUN_TRANSITIONS, PayoutRun, PayoutRunState
from marketplace.schemes.calendar import add_working_days, is_working_day
from marketplace.web.formatting import weekday_date

_NAMED = 3


class Action(StrEnum):
    SUBMIT = "submit"
    APPROVE = "approve"
    ASK_COLLEAGUE = "ask_colleague"
    WAIT_FOR_WORKING_DAY = "wait_for_working_day"
    READ = "read"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Step:
    """`detail` is who must act, or on which day one can."""

    action: Action
    detail: str = ""
    may_cancel: bool = False


def waits_for(run: PayoutRun, user: User) -> bool:
    """Whether a run goes on by this person's hand, by its row alone."""
    if not user.has_role(Role.FINANCE):
        return False
    to_approve = run.state == PayoutRunState.SUBMITTED and run.submitted_by != user.id
    return to_approve or run.state == PayoutRunState.PREPARED


def decide(session: Session, run: PayoutRun, user: User) -> Step:
    """The step that a run's state leaves to this person."""
    state = PayoutRunState(run.state)
    may_cancel = PayoutRunState.CANCELLED in PAYOUT_RUN_TRANSITIONS.get(state, ())
    if not may_cancel:
        return Step(Action.NOTHING)
    if not user.has_role(Role.FINANCE):
        return Step(Action.READ)
    if state is PayoutRunState.PREPARED:
        return Step(Action.SUBMIT, may_cancel=True)
    if run.submitted_by == user.id:
        return Step(Action.ASK_COLLEAGUE, _colleagues(session, user), may_cancel=True)
    today = clock.today(session)
    if not is_working_day(session, today):
        day = weekday_date(add_working_days(session, today, 1))
        return Step(Action.WAIT_FOR_WORKING_DAY, day, may_cancel=True)
    return Step(Action.APPROVE, may_cancel=True)


def _colleagues(session: Session, user: User) -> str:
    """Up to three people who could approve; nothing when there is nobody else."""
    others = [
        each.name or each.contact for each in identity.list_users(session, Role.FINANCE) if each.id != user.id
    ]
    return ", ".join(others[:_NAMED])
