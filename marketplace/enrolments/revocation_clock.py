"""The deadline of the first purchase runs on when nothing that was bought remains.

Source: 'Revocation clock' in the rules.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.batches.models import Grant
from marketplace.enrolments.models import CANCELLED, Enrolment
from marketplace.schemes import calendar


def resume(session: Session, grants: Iterable[Grant], now: datetime, *, by_participant: bool) -> None:
    """Let the days that were left before the first purchase run on, for grants of which nothing remains."""
    stopped = {grant.id: grant for grant in grants if grant.first_purchase_at is not None}
    if not stopped:
        return
    remaining = session.scalars(
        select(Enrolment.grant_id).where(
            Enrolment.grant_id.in_(list(stopped)),
            Enrolment.price > Decimal(0),
            Enrolment.state.not_in(CANCELLED) | (Enrolment.paid_percent > 0),
        )
    ).all()
    deadlines: dict[int, datetime] = {}
    for grant_id in stopped.keys() - set(remaining):
        grant = stopped[grant_id]
        days = _days(grant, by_participant=by_participant)
        if days not in deadlines:
            deadlines[days] = calendar.end_of_period(session, now, days)
        _resume(grant, deadlines[days], by_participant=by_participant)
    session.flush()


def _resume(grant: Grant, deadline: datetime, *, by_participant: bool) -> None:
    grant.first_purchase_by = min(deadline, grant.spend_by)
    grant.first_purchase_at = None
    if by_participant:
        grant.clock_resumptions += 1


def _days(grant: Grant, *, by_participant: bool) -> int:
    """The unused days, and not fewer than the scheme leaves to whom it happens."""
    unused = timedelta(0)
    if grant.first_purchase_at is not None and grant.first_purchase_by is not None:
        unused = clock.local_date(grant.first_purchase_by) - clock.local_date(grant.first_purchase_at)
    if not by_participant:
        return max(unused.days, grant.scheme.resumed_days_other)
    return max(unused.days, 0 if grant.clock_resumptions else grant.scheme.resumed_days_participant)
