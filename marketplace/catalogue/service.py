"""Runs and their seats."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session

from ledger import uuid7
from marketplace import clock
from marketplace.catalogue.errors import NoSeats, RunPlanInvalid
from marketplace.catalogue.models import Course, Run, RunKind, RunSession, RunState
from marketplace.events import service as events

MOST_SEATS = 100_000
_MOST_SESSIONS = 500


@dataclass(frozen=True, slots=True)
class PlannedSession:
    """One promised meeting; without times, one unit of a self-paced run."""

    topic: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RunPlan:
    """A run to be offered. `starts_at` and `ends_at` (of access) are given for self-paced runs alone."""

    kind: RunKind
    sessions: Sequence[PlannedSession]
    seats: int
    place: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    needs_confirmation: bool = False


def schedule_run(session: Session, course: Course, plan: RunPlan, run_id: uuid.UUID | None = None) -> Run:
    """Offer a course at certain times. Raises RunPlanInvalid."""
    starts_at, ends_at = period_of(plan)
    run = Run(
        id=run_id or uuid7(),
        course=course,
        kind=plan.kind.value,
        starts_at=starts_at,
        ends_at=ends_at,
        place=plan.place,
        seats=plan.seats,
        seats_taken=0,
        needs_confirmation=plan.needs_confirmation,
        state=RunState.OPEN.value,
        created_at=clock.now(session),
        sessions=_sessions(plan),
    )
    session.add(run)
    session.flush()
    events.record(session, "run.scheduled", run.id, course.provider_id, course=course.id, seats=plan.seats)
    return run


def ask_confirmation(session: Session, run: Run, needed: bool) -> None:
    """Let purchases of a run wait for the provider's word, or not, from now on."""
    if run.needs_confirmation != needed:
        run.needs_confirmation = needed
        provider_id = run.course.provider_id
        events.record(session, "run.changed", run.id, provider_id, needs_confirmation=needed)


def replan(session: Session, run: Run, plan: RunPlan) -> None:
    """Put other sessions in the place of a run's, which nobody has a seat in. Raises RunPlanInvalid."""
    run.starts_at, run.ends_at = period_of(plan)
    kept = run.sessions[: len(plan.sessions)]
    for meeting, each in zip(kept, plan.sessions, strict=False):
        meeting.topic, meeting.starts_at, meeting.ends_at = each.topic, each.starts_at, each.ends_at
    for meeting in run.sessions[len(plan.sessions) :]:
        session.delete(meeting)
    run.sessions = [*kept, *_sessions(plan)[len(kept) :]]
    session.flush()


def period_of(plan: RunPlan) -> tuple[datetime, datetime]:
    """When a planned run begins and ends. Raises RunPlanInvalid."""
    _check_size(plan)
    return _self_paced_period(plan) if plan.kind is RunKind.SELF_PACED else _meetings_period(plan)


def take_seat(session: Session, run_id: uuid.UUID) -> None:
    """Take one seat of an open run, whoever else is trying. Raises NoSeats."""
    if session.execute(_TAKE_SEAT, {"run": run_id}).scalar_one_or_none() is None:
        raise NoSeats("no seat left", run=str(run_id))


_TAKE_SEAT = (
    update(Run)
    .where(Run.id == bindparam("run"), Run.state == RunState.OPEN, Run.seats_taken < Run.seats)
    .values(seats_taken=Run.seats_taken + 1)
    .returning(Run.seats_taken)
    .execution_options(synchronize_session="fetch")
)


def release_seat(session: Session, run_id: uuid.UUID) -> None:
    """Give one seat back."""
    session.execute(
        update(Run).where(Run.id == run_id, Run.seats_taken > 0).values(seats_taken=Run.seats_taken - 1)
    )


def _check_size(plan: RunPlan) -> None:
    if not 1 <= plan.seats <= MOST_SEATS:
        raise RunPlanInvalid(f"a run has 1 to {MOST_SEATS} seats")
    if not 1 <= len(plan.sessions) <= _MOST_SESSIONS:
        raise RunPlanInvalid(f"a run promises 1 to {_MOST_SESSIONS} sessions")


def _meetings_period(plan: RunPlan) -> tuple[datetime, datetime]:
    """First start and last end. Meetings follow one another, since nobody can be in two."""
    end: datetime | None = None
    for each in plan.sessions:
        if each.starts_at is None or each.ends_at is None or each.starts_at >= each.ends_at:
            raise RunPlanInvalid("every session needs a start and a later end")
        if end is not None and each.starts_at < end:
            raise RunPlanInvalid("sessions are in order and do not overlap")
        end = each.ends_at
    first = plan.sessions[0].starts_at
    assert first is not None and end is not None  # the loop has seen at least one session
    return first, end


def _self_paced_period(plan: RunPlan) -> tuple[datetime, datetime]:
    if plan.starts_at is None or plan.ends_at is None or plan.starts_at >= plan.ends_at:
        raise RunPlanInvalid("a self-paced run needs a start and a later end of access")
    if any(each.starts_at or each.ends_at for each in plan.sessions):
        raise RunPlanInvalid("the units of a self-paced run have no times")
    return plan.starts_at, plan.ends_at


def _sessions(plan: RunPlan) -> list[RunSession]:
    return [
        RunSession(sequence=number, topic=each.topic, starts_at=each.starts_at, ends_at=each.ends_at)
        for number, each in enumerate(plan.sessions, start=1)
    ]
