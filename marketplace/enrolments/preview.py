"""What completing or cancelling a run would do to everybody in it, for the page that asks before."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, lazyload

from marketplace import clock
from marketplace.batches.models import Grant
from marketplace.catalogue.models import Run
from marketplace.enrolments import conflicts
from marketplace.enrolments.completion import judge
from marketplace.enrolments.evidence import gather
from marketplace.enrolments.models import LIVE, SEATED, Enrolment, EnrolmentState
from marketplace.enrolments.progress import Progress
from marketplace.enrolments.provider_queries import list_for_run
from marketplace.enrolments.settlement import Verdict, is_spendable


@dataclass(frozen=True, slots=True)
class Outcome:
    """How somebody's enrolment would end, its attendance, and every code that would hold what it pays.

    `is_spendable`: what comes back goes to their balance, not to the state.
    """

    progress: Progress
    verdict: Verdict
    hold_codes: Sequence[str] = ()
    is_spendable: bool = True


def preview_completion(session: Session, run: Run) -> Sequence[Outcome]:
    """What declaring a run's completion now would pay, by name. Changes nothing."""
    return _preview(session, run, None)


def preview_cancellation(session: Session, run: Run) -> Sequence[Outcome]:
    """What cancelling a run now would refund and pay, by name. Changes nothing."""
    return _preview(session, run, EnrolmentState.CANCELLED_BY_PROVIDER)


def _preview(session: Session, run: Run, cut_short_as: EnrolmentState | None) -> Sequence[Outcome]:
    evidence = gather(session, run, begun_by=clock.now(session) if cut_short_as else None)
    concerned = SEATED if cut_short_as else LIVE
    found = [each for each in list_for_run(session, run.id) if each.enrolment.state in concerned]
    verdicts = [judge(each.enrolment, evidence, cut_short_as) for each in found]
    codes = conflicts.list_codes(session, run.course.provider_id, verdicts)
    spendable = _list_spendable(session, run)
    homes = [each.enrolment.grant_id in spendable for each in found]
    return [Outcome(*each) for each in zip(found, verdicts, codes, homes, strict=True)]


def _list_spendable(session: Session, run: Run) -> set[uuid.UUID]:
    """The grants of a run's buyers to which money that comes back goes."""
    now, buyers = clock.now(session), select(Enrolment.grant_id).where(Enrolment.run_id == run.id)
    grants = session.scalars(select(Grant).where(Grant.id.in_(buyers)).options(lazyload("*")))
    return {each.id for each in grants if is_spendable(each, now)}
