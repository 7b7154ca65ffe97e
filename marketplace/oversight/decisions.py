"""How a complaint ends by the office's word: closed, or upheld with what happens to the money.

Money takes the ways that it takes anyway: before the result is declared the purchase is refunded by the
programme, after that the provider's earning is held until somebody has looked. Nothing is posted here.
"""

import uuid
from collections.abc import Sequence

from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.enrolments import cancellation, earnings
from marketplace.enrolments.models import EarningState, Enrolment
from marketplace.errors import IllegalTransition
from marketplace.identity.models import Role, User
from marketplace.oversight import complaint_queries as queries
from marketplace.oversight import complaint_steps as steps
from marketplace.oversight.complaint_steps import Words
from marketplace.oversight.errors import AnotherPerson, FinanceDecides, NothingToRefund
from marketplace.oversight.models import Author, Complaint, ComplaintMessage, ComplaintState, Remedy

HOLD_CODE = "complaint"


def close(session: Session, complaint_id: uuid.UUID, actor: User, words: Words) -> Complaint:
    """End it without money. One that was handed on is closed by another person than who answered.

    Raises NotFound, ComplaintMoved, ComplaintEnded, AnotherPerson, and IllegalTransition before any answer.
    """
    found = steps.lock_for(session, complaint_id, words)
    if found is None:
        return queries.get(session, complaint_id)
    if found.state == ComplaintState.ESCALATED:
        _require_another(session, found, actor)
        found.decided_by = actor.id
    steps.end(session, found, ComplaintState.CLOSED)
    steps.write_for_office(session, found, actor, words, "complaint.closed")
    return found


def uphold(session: Session, complaint_id: uuid.UUID, actor: User, words: Words) -> Complaint:
    """Whoever complained is right: finance staff who did not answer it refund the purchase or hold the pay.

    Raises as close, and FinanceDecides and NothingToRefund.
    """
    found = steps.lock_for(session, complaint_id, words)
    if found is None:
        return queries.get(session, complaint_id)
    if not actor.has_role(Role.FINANCE):
        raise FinanceDecides("finance staff decide about money")
    _require_another(session, found, actor)
    remedy = find_remedy(found)
    if remedy is None or found.enrolment is None:
        raise NothingToRefund("nothing to give back or to hold")
    found.decided_by, found.remedy = actor.id, remedy.value
    # state, decider and remedy reach the table together: a CHECK wants them so
    with session.no_autoflush:
        steps.end(session, found, ComplaintState.UPHELD)
    _apply(session, found.enrolment, remedy, actor, found.number)
    steps.write_for_office(session, found, actor, words, "complaint.upheld")
    return found


def has_spoken(messages: Sequence[ComplaintMessage], actor: User) -> bool:
    """Whether somebody has answered for the office before: then another person decides."""
    return any(each.author == Author.OFFICE and each.written_by == actor.id for each in messages)


def find_remedy(complaint: Complaint) -> Remedy | None:
    """What upholding would do now, or None: only the participant's own purchase is given back."""
    enrolment = complaint.enrolment
    if enrolment is None or complaint.participant_id is None:
        return None
    if enrolment.is_live:
        return Remedy.REFUND
    earning = enrolment.earning
    return Remedy.HOLD if earning and earning.state != EarningState.PAID else None


def _apply(session: Session, enrolment: Enrolment, remedy: Remedy, actor: User, number: str) -> None:
    try:
        if remedy is Remedy.REFUND:
            cancellation.refund(session, enrolment.id, actor, number)
        elif enrolment.earning is not None:
            earnings.hold(session, enrolment.earning.id, HOLD_CODE, actor)
    except IllegalTransition as error:
        raise NothingToRefund("its money has moved meanwhile", at=clock.wall_now()) from error


def _require_another(session: Session, found: Complaint, actor: User) -> None:
    if has_spoken(queries.list_messages(session, found.id), actor):
        raise AnotherPerson("who answered does not decide")
