"""A provider offers its course at certain times."""

import uuid

from sqlalchemy.orm import Session

from ledger import uuid7
from marketplace import clock
from marketplace.catalogue import version_queries as versions
from marketplace.catalogue.errors import RunPlanInvalid
from marketplace.catalogue.models import CourseState, Run, RunKind
from marketplace.catalogue.service import RunPlan, period_of, schedule_run
from marketplace.catalogue.writing import lock_provider
from marketplace.errors import IllegalTransition, NotFound
from marketplace.identity import audit
from marketplace.identity.models import User
from marketplace.schemes import queries as schemes


def offer_run(
    session: Session, provider_id: uuid.UUID, course_id: uuid.UUID, plan: RunPlan, actor: User, key: str = ""
) -> Run:
    """Offer a published course. A form that was sent before, by its `key`, has opened this run already.

    Raises NotFound, IllegalTransition (not published), RunPlanInvalid.
    """
    course = versions.find_course(session, course_id, provider_id)
    if course is None:
        raise NotFound(f"no course {course_id}")
    run_id = uuid.uuid5(course_id, f"{key} {plan}") if key else uuid7()
    if key:
        lock_provider(session, provider_id)
        opened = session.get(Run, run_id)
        if opened is not None:
            return opened
    if course.state != CourseState.PUBLISHED:
        raise IllegalTransition("only a published course is offered", current=course.state)
    check_times(session, plan)
    run = schedule_run(session, course, plan, run_id)
    audit.record(session, actor, "run.scheduled", f"run:{run.id}", course=course_id, seats=plan.seats)
    return run


def check_times(session: Session, plan: RunPlan) -> None:
    """Can anybody still buy it, and with money that lasts until its end? Raises RunPlanInvalid."""
    starts_at, ends_at = period_of(plan)
    first = ends_at if plan.kind is RunKind.SELF_PACED else starts_at
    if first <= clock.now(session):
        raise RunPlanInvalid("it lies in the past", fault="past")
    last_day = max(scheme.ends_on for scheme in schemes.list_schemes(session))
    if ends_at > clock.end_of_day(last_day):
        raise RunPlanInvalid("it ends after every scheme", fault="after_scheme", ends_on=last_day)
