"""What a provider may still change of a run, and who is told.

While nobody has a seat, everything. Once somebody has, or has been in a session of it, the times and the
number of sessions are what they bought and stay; the number of seats (never below those taken), the place and
the topics may change until the run is over, and everybody in it is told of another place. Seats that are
added are offered to who stands in line before anybody else can buy them.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.catalogue import offering
from marketplace.catalogue import service as catalogue
from marketplace.catalogue.errors import RunPlanInvalid, RunSold, SeatsTaken
from marketplace.catalogue.models import Run, RunSession, RunState
from marketplace.catalogue.service import RunPlan
from marketplace.enrolments import locks, waiting
from marketplace.enrolments.models import Attendance, CheckInFailure, Enrolment
from marketplace.enrolments.staff import require_staff
from marketplace.errors import IllegalTransition
from marketplace.events import service as events
from marketplace.identity import audit
from marketplace.identity.models import User
from marketplace.notifications import service as notifications

_MOVED = {
    "id": ("Tempat kelas berubah: {title}", "Tempatnya sekarang: {place}. Waktunya tetap."),
    "en": ("Another place for your run: {title}", "It now takes place here: {place}. The times stay."),
}


@dataclass(frozen=True, slots=True)
class RunChange:
    """Seats, place and a topic for each session; `plan` where the times are to change too."""

    seats: int
    place: str
    topics: Sequence[str]
    plan: RunPlan | None = None


def change_run(session: Session, run_id: uuid.UUID, change: RunChange, actor: User) -> Run:
    """Change a run for its provider. Raises NotFound, IllegalTransition (over, cancelled or settled),
    SeatsTaken, RunSold, RunPlanInvalid."""
    run, enrolments = locks.lock_run(session, run_id)
    require_staff(session, actor, run.course.provider_id)
    if run.state != RunState.OPEN or run.ends_at <= clock.now(session):
        raise IllegalTransition("the run is over", current=run.state)
    if change.seats < run.seats_taken:
        raise SeatsTaken("fewer seats than were bought", taken=run.seats_taken)
    if change.plan is not None:
        _replan(session, run, change.plan, is_sold=bool(enrolments) or has_fixed_times(session, run))
    else:
        _rename(run, change.topics)
    moved = run.place != change.place
    run.seats, run.place = change.seats, change.place
    session.flush()
    waiting.offer_free_seats(session, run)
    if moved:
        _tell(session, run, enrolments)
    facts = {"seats": run.seats, "place": run.place, "starts_at": run.starts_at, "ends_at": run.ends_at}
    audit.record(session, actor, "run.changed", f"run:{run.id}", **facts)
    events.record(session, "run.changed", run.id, run.course.provider_id, **facts)
    return run


def has_fixed_times(session: Session, run: Run) -> bool:
    """Whether somebody has a seat, or has left a trace in a session that outlasts a seat given back."""
    traces = (exists().where(each.session_id == RunSession.id) for each in (Attendance, CheckInFailure))
    visited = exists().where(RunSession.run_id == run.id, or_(*traces))
    return run.seats_taken > 0 or bool(session.scalar(select(visited)))


def _replan(session: Session, run: Run, plan: RunPlan, *, is_sold: bool) -> None:
    if is_sold:
        raise RunSold("somebody has a seat")
    offering.check_times(session, plan)
    catalogue.replan(session, run, plan)


def _rename(run: Run, topics: Sequence[str]) -> None:
    if len(topics) != len(run.sessions):
        raise RunPlanInvalid("a topic for each session")
    for meeting, topic in zip(run.sessions, topics, strict=True):
        meeting.topic = topic


def _tell(session: Session, run: Run, enrolments: Sequence[Enrolment]) -> None:
    letters = []
    for user in (enrolment.participant.user for enrolment in enrolments):
        subject, body = _MOVED.get(user.locale, _MOVED["id"])
        place = (
            run.place
            or {"id": "diberitahukan lembaga", "en": "the provider will tell you"}[
                user.locale if user.locale in _MOVED else "id"
            ]
        )
        letters.append(
            notifications.message_to(user, subject.format(title=run.course.title), body.format(place=place))
        )
    notifications.notify_many(session, letters)
