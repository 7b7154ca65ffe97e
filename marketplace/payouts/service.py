"""From matured earnings to an approved payout run: prepared by beat, submitted by a person, approved
by another one. Nothing here posts money or talks to the bank; `sending` does."""

import uuid
from collections.abc import Iterable
from datetime import date

from sqlalchemy import exists, func, select, text, update
from sqlalchemy.orm import Session, aliased, selectinload

from marketplace import clock
from marketplace.errors import NotAllowed, NotFound
from marketplace.events import service as events
from marketplace.identity import audit
from marketplace.identity.models import Role, User
from marketplace.payouts import due
from marketplace.payouts.errors import NotAWorkingDay, NothingToRetry, SamePerson
from marketplace.payouts.models import (
    PAYOUT_RUN_TRANSITIONS,
    PAYOUT_TRANSITIONS,
    Payout,
    PayoutLine,
    PayoutRun,
    PayoutRunState,
    PayoutState,
)
from marketplace.providers.models import BankAccount
from marketplace.schemes import queries as schemes
from marketplace.schemes.calendar import is_working_day
from marketplace.states import move


def prepare(session: Session, scheme_code: str, day: date, actor: User | None = None) -> PayoutRun | None:
    """Put everything due into a run: one payout per provider. None when nothing is due.

    Beat (`actor` None) prepares the first run of a day only; finance staff may add further ones.
    What stays out is told by `queries.list_waiting`. Raises SchemeNotFound, NotAllowed.
    """
    if actor is not None:
        require_finance(actor)
    _one_at_a_time(session, scheme_code)
    sequence = _next_sequence(session, scheme_code, day)
    if actor is None and sequence > 1:
        return None
    scheme = schemes.get_scheme(session, scheme_code)
    assessed = due.assess(session, scheme, day, lock=True)
    if not assessed.payable:
        return None
    return _write_run(
        session, PayoutRun(scheme_code=scheme_code, day=day, sequence=sequence), assessed, actor
    )


def submit(session: Session, run_id: uuid.UUID, actor: User) -> PayoutRun:
    """Put a prepared run before a second person. Raises NotAllowed, NotFound, IllegalTransition."""
    require_finance(actor)
    run = lock_run(session, run_id)
    move(run, PayoutRunState.SUBMITTED, PAYOUT_RUN_TRANSITIONS)
    run.submitted_by, run.submitted_at = actor.id, clock.now(session)
    _audit(session, actor, "payout_run.submitted", run)
    return run


def approve(session: Session, run_id: uuid.UUID, actor: User) -> PayoutRun:
    """Let a submitted run go to the bank.

    Raises SamePerson for the one who submitted it, NotAWorkingDay, NotAllowed, NotFound,
    IllegalTransition.
    """
    require_finance(actor)
    run = lock_run(session, run_id)
    if run.submitted_by == actor.id:
        raise SamePerson(run_id=run.id)
    now = clock.now(session)
    today = clock.local_date(now)
    if not is_working_day(session, today):
        raise NotAWorkingDay(day=today)
    move(run, PayoutRunState.APPROVED, PAYOUT_RUN_TRANSITIONS)
    run.approved_by, run.approved_at = actor.id, now
    _audit(session, actor, "payout_run.approved", run)
    return run


def cancel(session: Session, run_id: uuid.UUID, actor: User, reason: str) -> PayoutRun:
    """Take back a run before its approval; its earnings are free for the next one."""
    require_finance(actor)
    run = lock_run(session, run_id)
    move(run, PayoutRunState.CANCELLED, PAYOUT_RUN_TRANSITIONS)
    run.cancelled_at, run.cancel_reason = clock.now(session), reason
    drop(session, lock_payouts(session, run.id), "run_cancelled")
    _audit(session, actor, "payout_run.cancelled", run, reason=reason)
    return run


def retry(session: Session, payout_id: uuid.UUID, actor: User) -> PayoutRun | None:
    """Try the money of a rejected or returned payout again: unblock the account, prepare a run.

    The new run needs two people like any other, which is what makes one person's word enough here.
    None when the money still waits, for instance for a new account. Raises NothingToRetry (also when
    all of it is in a later payout already), NotAllowed, NotFound.
    """
    require_finance(actor)
    payout = session.get(Payout, payout_id)
    if payout is None:
        raise NotFound(f"no payout {payout_id}")
    if payout.state not in (PayoutState.FAILED, PayoutState.RETURNED) or _is_taken_over(session, payout):
        raise NothingToRetry(payout.state, state=payout.state)
    session.execute(
        update(BankAccount).where(BankAccount.provider_id == payout.provider_id).values(blocked_code=None)
    )
    audit.record(session, actor, "payout.retried", payout.label, reason_code=payout.reason_code)
    return prepare(session, payout.run.scheme_code, clock.today(session), actor)


def drop(session: Session, payouts: Iterable[Payout], reason_code: str) -> None:
    """Cancel payouts that were never sent and release their earnings."""
    for payout in payouts:
        move(payout, PayoutState.CANCELLED, PAYOUT_TRANSITIONS)
        payout.reason_code = reason_code
        release_lines(session, payout)
        record_event(session, "payout.canceled", payout)


def release_lines(session: Session, payout: Payout) -> None:
    """Free a payout's earnings, so that a later run can pay them."""
    session.execute(
        update(PayoutLine)
        .where(PayoutLine.payout_id == payout.id, PayoutLine.released_at.is_(None))
        .values(released_at=clock.now(session))
    )


def require_finance(actor: User) -> None:
    """Raises NotAllowed for everyone but finance staff."""
    if not actor.has_role(Role.FINANCE):
        raise NotAllowed("only finance staff handle payouts")


def lock_run(session: Session, run_id: uuid.UUID) -> PayoutRun:
    """The run as it is now, locked. Raises NotFound."""
    run = session.get(PayoutRun, run_id, with_for_update=True, populate_existing=True)
    if run is None:
        raise NotFound(f"no payout run {run_id}")
    return run


def lock_payouts(session: Session, run_id: uuid.UUID) -> list[Payout]:
    """The payouts of a run, locked in the order of their ids."""
    return list(
        session.scalars(
            select(Payout)
            .where(Payout.run_id == run_id)
            .order_by(Payout.id)
            .with_for_update(of=Payout)
            .options(selectinload(Payout.bank_account))
            .execution_options(populate_existing=True)
        )
    )


def record_event(session: Session, type: str, payout: Payout) -> None:
    """Tell the provider's systems what became of a payout."""
    events.record(
        session,
        type,
        payout.id,
        provider_id=payout.provider_id,
        amount=int(payout.amount),
        state=payout.state,
        reason_code=payout.reason_code,
    )


def _is_taken_over(session: Session, payout: Payout) -> bool:
    """Whether later payouts hold all of a payout's earnings."""
    own, later = aliased(PayoutLine), aliased(PayoutLine)
    live = exists().where(later.earning_id == own.earning_id, later.released_at.is_(None))
    free = select(own.id).where(own.payout_id == payout.id, ~live)
    return session.scalar(free.limit(1)) is None


def _one_at_a_time(session: Session, scheme_code: str) -> None:
    """Two workers at the same hour: the second waits here and then finds the first one's run."""
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": f"payouts:{scheme_code}"})


def _next_sequence(session: Session, scheme_code: str, day: date) -> int:
    last = session.scalar(
        select(func.max(PayoutRun.sequence)).where(PayoutRun.scheme_code == scheme_code, PayoutRun.day == day)
    )
    return (last or 0) + 1


def _write_run(session: Session, run: PayoutRun, assessed: due.Due, actor: User | None) -> PayoutRun:
    run.prepared_at, run.prepared_by = clock.now(session), actor.id if actor else None
    session.add(run)
    session.flush()
    for claim, account in assessed.payable:
        _write_payout(session, run, claim, account)
    session.flush()
    _audit(session, actor, "payout_run.prepared", run, payouts=len(assessed.payable))
    return run


def _write_payout(session: Session, run: PayoutRun, claim: due.Claim, account: BankAccount) -> None:
    payout = Payout(run=run, provider_id=claim.provider_id, bank_account_id=account.id, amount=claim.amount)
    payout.lines = [PayoutLine(earning_id=each.id, amount=each.net) for each in claim.earnings]
    session.add(payout)
    session.flush()
    record_event(session, "payout.created", payout)


def _audit(session: Session, actor: User | None, action: str, run: PayoutRun, **details: object) -> None:
    audit.record(session, actor, action, f"payout_run:{run.id}", **details)
