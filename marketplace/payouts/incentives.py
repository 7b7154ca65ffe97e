"""Incentives: pulled from certificates that have become final, from the reserve into the participant's cash.

A participant's grant is locked first, so that whatever they earn is decided one after the other.
"""

import calendar as days_of_months
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Exists, exists, select
from sqlalchemy.orm import Session

import ledger
from marketplace import chart, clock
from marketplace.batches.models import Grant
from marketplace.enrolments.learning_models import Certificate
from marketplace.enrolments.models import UNDOUBTED, Earning, Enrolment
from marketplace.events import service as events
from marketplace.notifications import service as notifications
from marketplace.payouts import incentive_letters as letters
from marketplace.payouts.incentive_models import Incentive, IncentiveKind, Obstacle
from marketplace.schemes.models import Scheme


@dataclass(frozen=True, slots=True)
class Claim:
    """One amount to be earned: the participant's `number`-th of its kind, proven by a certificate."""

    grant: Grant
    kind: IncentiveKind
    number: int
    amount: Decimal
    certificate_id: uuid.UUID
    next_at: datetime | None = None


def judge_certificates(session: Session, limit: int = 200) -> int:
    """Decide the incentive of certificates that can no longer be corrected; how many were earned.

    Each is judged once. One whose earning is held waits until somebody has looked.
    """
    now = clock.now(session)
    wanted = session.scalars(
        select(Certificate.id)
        .where(Certificate.judged_at.is_(None), Certificate.final_at < now, ~_is_held())
        .order_by(Certificate.final_at, Certificate.id)
        .limit(limit)
    ).all()
    if not wanted:
        return 0
    of_these = select(Enrolment.grant_id).join(Certificate).where(Certificate.id.in_(wanted))
    grants = _lock_grants(session, session.scalars(of_these).all())
    due = _unjudged(session, wanted)
    claims: dict[uuid.UUID, Claim] = {}
    for certificate in due:
        certificate.judged_at = now
        grant = grants[certificate.enrolment.grant_id]
        if obstacle_of(certificate, grant.scheme) is None:
            claims.setdefault(grant.participant_id, _first(certificate, grant, now))
    session.flush()
    known = _have_earned(session, claims)
    return len(earn(session, [each for owner, each in claims.items() if owner not in known]))


def pay_instalments(session: Session, limit: int = 200) -> int:
    """Earn the monthly instalments that are due, where the scheme has several; returns how many.

    None follows a certificate that has been revoked since.
    """
    now = clock.now(session)
    due = select(Incentive.participant_id).where(Incentive.next_at <= now).order_by(Incentive.next_at)
    owners = session.scalars(due.limit(limit)).all()
    if not owners:
        return 0
    of_these = select(Grant.id).where(Grant.participant_id.in_(owners))
    grants = _lock_grants(session, session.scalars(of_these).all())
    by_owner = {each.participant_id: each for each in grants.values()}
    rows = session.scalars(
        select(Incentive)
        .where(Incentive.participant_id.in_(by_owner), Incentive.next_at <= now)
        .execution_options(populate_existing=True)
    ).all()
    claims = []
    for last in rows:
        if last.certificate.revoked_at is None:
            claims.append(_following(last, by_owner[last.participant_id]))
        last.next_at = None
    session.flush()
    return len(earn(session, claims))


def earn(session: Session, claims: Sequence[Claim]) -> list[Incentive]:
    """Move these amounts from the reserve to their owners' cash, and tell them. Grants are locked."""
    if not claims:
        return []
    ledger.open_accounts(session, [chart.cash(each.grant.participant_id) for each in claims])
    posted = ledger.post_many(session, [_request(each) for each in claims])
    now = clock.now(session)
    earned = [_row(claim, each.id, now) for claim, each in zip(claims, posted, strict=True)]
    session.add_all(earned)
    session.flush()
    events.record_many(session, [_happening(each) for each in earned])
    people = zip(claims, earned, strict=True)
    users = ((claim.grant.participant.user, each) for claim, each in people)
    notifications.notify_many(
        session, [notifications.message_to(user, *letters.earned(each, user.locale)) for user, each in users]
    )
    return earned


def obstacle_of(certificate: Certificate, scheme: Scheme) -> Obstacle | None:
    """Why it earns nothing: not paid for, too short, not valid, or the scheme has no incentive; else None."""
    if not (scheme.incentive_times > 0 and scheme.incentive_amount > 0):
        return Obstacle.NO_INCENTIVE
    if certificate.revoked_at is not None:
        return Obstacle.REVOKED
    if not certificate.enrolment.price:
        return Obstacle.FREE
    is_long_enough = scheme.shortest_hours is None or (certificate.hours or 0) >= scheme.shortest_hours
    return None if is_long_enough else Obstacle.SHORT


def _first(certificate: Certificate, grant: Grant, now: datetime) -> Claim:
    times, amount = grant.scheme.incentive_times, grant.scheme.incentive_amount
    next_at = _month_after(now) if times > 1 else None
    return Claim(grant, IncentiveKind.CERTIFICATE, 1, amount, certificate.id, next_at)


def _following(last: Incentive, grant: Grant) -> Claim:
    number = last.number + 1
    has_more = number < grant.scheme.incentive_times and last.next_at is not None
    next_at = _month_after(last.next_at) if has_more and last.next_at else None
    return Claim(
        grant, IncentiveKind.CERTIFICATE, number, grant.scheme.incentive_amount, last.certificate_id, next_at
    )


def _month_after(moment: datetime) -> datetime:
    """The same day of the next month, or its last day where it has no such day."""
    local = moment.astimezone(clock.ZONE)
    year, month = local.year + local.month // 12, local.month % 12 + 1
    day = min(local.day, days_of_months.monthrange(year, month)[1])
    return local.replace(year=year, month=month, day=day)


def _is_held() -> Exists:
    """Somebody still has to look at what the certificate rests on."""
    return exists().where(Earning.enrolment_id == Certificate.enrolment_id, Earning.state.not_in(UNDOUBTED))


def _lock_grants(session: Session, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Grant]:
    found = session.scalars(
        select(Grant)
        .where(Grant.id.in_(ids))
        .order_by(Grant.id)
        .with_for_update(of=Grant, key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    return {each.id: each for each in found}


def _unjudged(session: Session, ids: Collection[uuid.UUID]) -> Sequence[Certificate]:
    return session.scalars(
        select(Certificate)
        .where(Certificate.id.in_(ids), Certificate.judged_at.is_(None))
        .order_by(Certificate.final_at, Certificate.id)
        .with_for_update(of=Certificate)
        .execution_options(populate_existing=True)
    ).all()


def _have_earned(session: Session, owners: Collection[uuid.UUID]) -> set[uuid.UUID]:
    earned = (Incentive.kind == IncentiveKind.CERTIFICATE) & Incentive.participant_id.in_(owners)
    return set(session.scalars(select(Incentive.participant_id).where(earned)))


def _request(claim: Claim) -> ledger.TransactionRequest:
    owner = claim.grant.participant_id
    posting = ledger.Posting(chart.reserve(claim.grant.scheme_code), chart.cash(owner), claim.amount)
    return ledger.TransactionRequest(
        key=f"incentive:{owner}:{claim.kind}:{claim.number}",
        kind="incentive" if claim.kind is IncentiveKind.CERTIFICATE else "survey",
        postings=[posting],
        reference=f"certificate:{claim.certificate_id}",
    )


def _row(claim: Claim, transaction_id: uuid.UUID, now: datetime) -> Incentive:
    return Incentive(
        participant_id=claim.grant.participant_id,
        kind=claim.kind.value,
        number=claim.number,
        amount=claim.amount,
        certificate_id=claim.certificate_id,
        earned_at=now,
        next_at=claim.next_at,
        transaction_id=transaction_id,
    )


def _happening(each: Incentive) -> events.Happening:
    data: dict[str, object] = {"kind": each.kind, "number": each.number, "amount": each.amount}
    return events.Happening("incentive.earned", each.id, None, data)
