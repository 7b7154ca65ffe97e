"""What happens to an earning after completion: held by a person, paid by the bank, come back."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, lazyload

from marketplace.enrolments import certificates
from marketplace.enrolments.errors import ResultFinal
from marketplace.enrolments.models import EARNING_TRANSITIONS, Earning, EarningState, Enrolment
from marketplace.errors import IllegalTransition, NotAllowed, NotFound
from marketplace.events import service as events
from marketplace.identity import audit
from marketplace.identity.models import Role, User
from marketplace.states import move


def hold(session: Session, earning_id: uuid.UUID, code: str, actor: User | None) -> Earning:
    """Keep an earning out of payouts, for a reason the provider sees. A repeat changes nothing.

    Raises NotFound, NotAllowed for anyone but finance staff, and IllegalTransition when it is paid.
    """
    _require_finance(actor)
    earning = _lock(session, [earning_id])[0]
    if earning.state == EarningState.HELD:
        return earning
    move(earning, EarningState.HELD, EARNING_TRANSITIONS)
    earning.hold_code = code
    _record(session, earning, "earning.held", actor, code)
    return earning


def unhold(session: Session, earning_id: uuid.UUID, actor: User | None, reason: str | None = None) -> Earning:
    """Let a held earning be paid again, and its certificate be issued. The reason goes into the audit log.

    Raises NotFound, NotAllowed, and IllegalTransition when paid.
    """
    _require_finance(actor)
    earning = _lock(session, [earning_id])[0]
    if earning.state == EarningState.ACCRUED:
        return earning
    if earning.state == EarningState.PAID:
        raise IllegalTransition("paid already", current=earning.state, target=EarningState.ACCRUED.value)
    code = earning.hold_code
    move(earning, EarningState.ACCRUED, EARNING_TRANSITIONS)
    earning.hold_code = None
    _record(session, earning, "earning.released", actor, code, reason)
    certificates.follow(session, [earning.enrolment])
    return earning


def pay(session: Session, earning_ids: Sequence[uuid.UUID], at: datetime) -> None:
    """The bank's statement shows these as paid. Raises NotFound and IllegalTransition."""
    for earning in _lock(session, earning_ids):
        move(earning, EarningState.PAID, EARNING_TRANSITIONS)
        earning.paid_at = at
    session.flush()


def unpay(session: Session, earning_ids: Sequence[uuid.UUID]) -> None:
    """The bank gave the money back: these wait for another payout. Raises NotFound and IllegalTransition."""
    for earning in _lock(session, earning_ids):
        if earning.state != EarningState.PAID:
            raise IllegalTransition("not paid", current=earning.state, target=EarningState.ACCRUED.value)
        move(earning, EarningState.ACCRUED, EARNING_TRANSITIONS)
        earning.paid_at = None
    session.flush()


def lock(session: Session, earning_id: uuid.UUID) -> Earning:
    """An earning as it is now, locked. Raises NotFound."""
    return _lock(session, [earning_id])[0]


def lock_standing(session: Session, enrolment: Enrolment) -> Earning | None:
    """The earning of an enrolment as it is now, locked; None where it has none, or only corrected ones."""
    found = select(Earning.id).where(Earning.enrolment_id == enrolment.id, _stands())
    ids = session.scalars(found).all()
    return _lock(session, ids)[0] if ids else None


def lock_resting_on(session: Session, attendance_ids: Sequence[uuid.UUID]) -> Sequence[Earning]:
    """The earnings whose evidence is one of these attendances, locked."""
    found = select(Earning.id).where(Earning.evidence_id.in_(attendance_ids), _stands())
    return _lock(session, session.scalars(found).all())


def supersede(session: Session, earning: Earning) -> str | None:
    """Take a locked earning out of everything, its result being corrected; the code it was held by, if any.

    Raises IllegalTransition when it is paid, and ResultFinal when a payout holds it: the database knows.
    """
    code, earning.hold_code = earning.hold_code, None
    move(earning, EarningState.CORRECTED, EARNING_TRANSITIONS)
    try:
        session.flush()
    except IntegrityError as refusal:
        raise ResultFinal("a payout holds it") from refusal
    return code


def _stands() -> ColumnElement[bool]:
    return Earning.state != EarningState.CORRECTED


def _lock(session: Session, earning_ids: Sequence[uuid.UUID]) -> Sequence[Earning]:
    """These earnings as they are now, locked in order of id. Raises NotFound when one is missing."""
    found = session.scalars(
        select(Earning)
        .where(Earning.id.in_(earning_ids))
        .order_by(Earning.id)
        .options(lazyload(Earning.enrolment))
        .with_for_update(of=Earning, key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    if len(found) != len(set(earning_ids)):
        raise NotFound("no such earning")
    return found


def _require_finance(actor: User | None) -> None:
    if actor is not None and not actor.has_role(Role.FINANCE):
        raise NotAllowed("finance staff decide about holds")


def _record(
    session: Session,
    earning: Earning,
    what: str,
    actor: User | None,
    code: str | None,
    reason: str | None = None,
) -> None:
    session.flush()
    events.record(session, what, earning.id, provider_id=earning.provider_id, code=code, net=earning.net)
    said = {} if reason is None else {"reason": reason}
    audit.record(session, actor, what, f"earning:{earning.id}", code=code, net=earning.net, **said)
