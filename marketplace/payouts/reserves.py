"""The reserve of grants that have ended: it goes back once nothing of it can be earned any more."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.orm import Session

import ledger
from marketplace import chart, clock
from marketplace.batches.models import Grant, GrantState
from marketplace.enrolments.learning_models import Certificate
from marketplace.enrolments.models import SEATED, UNDOUBTED, Earning, Enrolment
from marketplace.payouts import surveys
from marketplace.payouts.incentive_models import Incentive, SurveyResponse

CORRECTABLE = timedelta(days=60)
"""Longer than any result can be corrected: five working days, with every holiday in between."""


def return_unused(session: Session, limit: int = 200) -> int:
    """Return what lapsed grants cannot earn any more from the reserve to the fund; how many were decided.

    A grant waits while a course of its owner runs, is held or may be corrected, and until its certificates
    are judged and its instalments earned. What surveys may still earn stays: they have no last day.
    """
    now = clock.now(session)
    rows = select(Grant).where(Grant.state == GrantState.LAPSED, Grant.reserve_returned_at.is_(None))
    ended = session.scalars(
        rows.where(*nothing_open(now))
        .order_by(Grant.id)
        .limit(limit)
        .with_for_update(of=Grant, key_share=True, skip_locked=True)
    ).all()
    if not ended:
        return 0
    left = _left(session, ended)
    ledger.post_many(session, [_request(grant, left[grant.id]) for grant in ended if left[grant.id] > 0])
    for grant in ended:
        grant.reserve_returned_at = now
    session.flush()
    return len(ended)


def nothing_open(now: datetime) -> Sequence[ColumnElement[bool]]:
    """That no certificate can come any more, and none that is there has still to be decided or paid."""
    mine = Enrolment.grant_id == Grant.id
    since = func.coalesce(Enrolment.corrected_at, Enrolment.completed_at)
    held = exists().where(Earning.enrolment_id == Enrolment.id, Earning.state.not_in(UNDOUBTED))
    unjudged = exists().where(Certificate.enrolment_id == Enrolment.id, Certificate.judged_at.is_(None))
    runs = Enrolment.state.in_(SEATED) | (since > now - CORRECTABLE)
    due = (Incentive.participant_id == Grant.participant_id) & Incentive.next_at.is_not(None)
    return ~exists().where(mine, runs | held | unjudged), ~exists().where(due)


def _left(session: Session, grants: Sequence[Grant]) -> dict[uuid.UUID, Decimal]:
    """What of each grant's share of the reserve was neither earned nor can be, in three queries at most."""
    owners = [grant.participant_id for grant in grants]
    sums = select(Incentive.participant_id, func.sum(Incentive.amount)).group_by(Incentive.participant_id)
    earned = _by_owner(session, sums.where(Incentive.participant_id.in_(owners)))
    counts = select(SurveyResponse.participant_id, func.count()).group_by(SurveyResponse.participant_id)
    answered = _by_owner(session, counts.where(SurveyResponse.participant_id.in_(owners)))
    left = {}
    for grant in grants:
        owner, scheme = grant.participant_id, grant.scheme
        # surveys are for those who have earned something
        still_open = len(surveys.numbers(grant)) - int(answered.get(owner, 0)) if owner in earned else 0
        spoken_for = earned.get(owner, Decimal(0)) + still_open * scheme.survey_amount
        left[grant.id] = scheme.reserve_per_grant - spoken_for
    return left


def _by_owner(session: Session, rows: Select[uuid.UUID, Any]) -> dict[uuid.UUID, Any]:
    return dict(session.execute(rows).all())


def _request(grant: Grant, amount: Decimal) -> ledger.TransactionRequest:
    posting = ledger.Posting(chart.reserve(grant.scheme_code), chart.fund(grant.scheme_code), amount)
    return ledger.TransactionRequest(
        key=f"reserve:{grant.id}", kind="revocation", postings=[posting], reference=f"grant:{grant.id}"
    )
