"""Whether this participant may buy this run now, at what they saw. Pure: no query, no clock."""

from datetime import datetime, timedelta
from decimal import Decimal

from marketplace import clock
from marketplace.batches.models import Grant, GrantState
from marketplace.catalogue.models import Course, Run, RunKind, RunState
from marketplace.enrolments.errors import (
    BalanceExpired,
    ConfirmationClosed,
    CourseNotOnSale,
    CourseOutsideScheme,
    GrantMissing,
    OfferChanged,
    RunCancelled,
    RunStarted,
)
from marketplace.schemes.models import Scheme


def check(grant: Grant, run: Run, version_seen: int, price_seen: Decimal, now: datetime) -> None:
    """Raise the first reason against this purchase, the grant's before the course's."""
    _check_grant(grant, now)
    _check_run(run, now)
    _check_scheme(grant.scheme, run)
    if run.needs_confirmation and now >= confirmable_until(run, grant.scheme):
        raise ConfirmationClosed("too near to the start", starts_at=run.starts_at)
    _check_seen(run.course, version_seen, price_seen)


def sold_until(run: Run) -> datetime:
    """Scheduled runs are sold until they start, self-paced ones while their access lasts."""
    return run.ends_at if run.kind == RunKind.SELF_PACED else run.starts_at


def confirmable_until(run: Run, scheme: Scheme) -> datetime:
    """The last instant at which a provider can confirm a seat."""
    return sold_until(run) - timedelta(hours=scheme.confirmation_lead_hours)


def offered_until(run: Run, scheme: Scheme) -> datetime:
    """The last instant at which a free seat is kept for somebody in line."""
    return sold_until(run) - timedelta(hours=scheme.waiting_lead_hours)


def too_short(scheme: Scheme, course: Course) -> int | None:
    """The least hours that the scheme pays for, where this course has fewer or does not say; else None."""
    least = scheme.shortest_hours
    return least if least and (course.hours or 0) < least else None


def ends_too_late(scheme: Scheme, run: Run) -> bool:
    """Whether a run goes on after the scheme's last day, so that the scheme does not pay for it."""
    return run.ends_at > clock.end_of_day(scheme.ends_on)


def _check_grant(grant: Grant, now: datetime) -> None:
    if grant.state == GrantState.LAPSED or now > grant.spend_by:
        raise BalanceExpired("the scheme has ended", spend_by=grant.spend_by)
    if grant.state == GrantState.REVOKED or _is_forfeited(grant, now):
        raise BalanceExpired("nothing was bought in time", spend_by=grant.first_purchase_by)
    if grant.state != GrantState.ACTIVE:
        raise GrantMissing("no money in the training balance", state=grant.state)


def _is_forfeited(grant: Grant, now: datetime) -> bool:
    """A deadline ends at its instant, whether or not the sweep that takes the money back has run."""
    by = grant.first_purchase_by
    return grant.first_purchase_at is None and by is not None and now > by


def _check_run(run: Run, now: datetime) -> None:
    if run.state != RunState.OPEN:
        raise RunCancelled("the run is not open", state=run.state)
    if now >= sold_until(run):
        raise RunStarted("the run has started", starts_at=run.starts_at)
    if not run.course.is_on_sale:
        raise CourseNotOnSale("not published, or its provider is suspended", state=run.course.state)


def _check_scheme(scheme: Scheme, run: Run) -> None:
    least = too_short(scheme, run.course)
    if least is not None:
        raise CourseOutsideScheme("shorter than the scheme pays for", reason="shortest_hours", hours=least)
    if ends_too_late(scheme, run):
        raise CourseOutsideScheme("ends too late", reason="ends_after_scheme", ends_on=scheme.ends_on)


def _check_seen(course: Course, version_seen: int, price_seen: Decimal) -> None:
    if (course.version, course.price) != (version_seen, price_seen):
        raise OfferChanged("the offer changed", price=course.price, version=course.version)
