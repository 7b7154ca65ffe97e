"""What completing or cancelling a run would do to everybody in it, for the page that asks before."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.catalogue.models import Run
from marketplace.enrolments import conflicts
from marketplace.enrolments.completion import judge
from marketplace.enrolments.evidence import gather
from marketplace.enrolments.models import LIVE, SEATED, EnrolmentState
from marketplace.enrolments.progress import Progress
from marketplace.enrolments.provider_queries import list_for_run
from marketplace.enrolments.settlement import Verdict


@dataclass(frozen=True, slots=True)
class Outcome:
    """How somebody's enrolment would end, its attendance, and every code that would hold what it pays."""

    progress: Progress
    verdict: Verdict
    hold_codes: Sequence[str] = ()


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
    return [Outcome(*each) for each in zip(found, verdicts, codes, strict=True)]
