"""The acts of the demonstration's people. Each is what the page behind it would do, by its service."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.batches import service as batches
from marketplace.catalogue.models import Course, Run
from marketplace.dev.demo.people import Person, people
from marketplace.dev.demo.scenes import PARTS, Part
from marketplace.enrolments import attendance, completion, run_messages, service
from marketplace.enrolments.models import Enrolment
from marketplace.enrolments.service import PurchaseRequest
from marketplace.identity import service as identity
from marketplace.identity.models import User
from marketplace.participants import service as participants
from marketplace.participants.service import Registration
from marketplace.providers import queries as providers

_SEED = 1945
_MOST = 200
_COURSES_EACH = 2


@dataclass(slots=True)
class Actor:
    """A participant of the story. `budget` is what the planning still lets them spend."""

    person: Person
    locale: str
    registered_on: int
    budget: Decimal
    part: Part | None = None
    participant_id: uuid.UUID | None = None
    user_id: uuid.UUID | None = None
    taken: set[str] = field(default_factory=set)

    @property
    def id(self) -> uuid.UUID:
        assert self.participant_id is not None  # the story registers everybody before they act
        return self.participant_id

    def is_free_for(self, course: str) -> bool:
        """Whether an extra may take another course, and this one."""
        return course not in self.taken and len(self.taken) < _COURSES_EACH


class Troupe:
    """Everybody who takes part: the named people, and as many extras as the scenes need."""

    def __init__(self, budget: Decimal) -> None:
        self._crowd = iter(people(_MOST, _SEED))
        self._budget = budget
        self.named = {part.key: self._join(part.registered_on, part) for part in PARTS}
        self.extras: list[Actor] = []

    def extras_for(self, course: str, price: Decimal, count: int, bought_on: int) -> list[Actor]:
        """Some who can pay and are not in the course already; others register the day before."""
        able = [
            each
            for each in self.extras
            if each.budget >= price and each.registered_on < bought_on and each.is_free_for(course)
        ][:count]
        while len(able) < count:
            able.append(self._join(bought_on - 1))
            self.extras.append(able[-1])
        for each in able:
            each.budget -= price
            each.taken.add(course)
        return able

    @property
    def everybody(self) -> list[Actor]:
        return [*self.named.values(), *self.extras]

    def _join(self, registered_on: int, part: Part | None = None) -> Actor:
        return Actor(next(self._crowd), part.locale if part else "id", registered_on, self._budget, part)


def register(session: Session, actors: Iterable[Actor]) -> None:
    """Make logins, register, award, and credit the money."""
    ids = []
    for actor in actors:
        person = actor.person
        user = identity.create_user(session, name=person.name, contact=person.email, locale=actor.locale)
        stated = Registration(person.name, person.nik, person.kk, person.birth_date, person.province_code)
        actor.user_id = user.id
        actor.participant_id = participants.register(session, user, stated).id
        ids.append(actor.id)
    batches.award(session, ids)
    batches.activate_awarded(session)


def buy(session: Session, actors: Iterable[Actor], run_id: uuid.UUID) -> None:
    """Buy a seat each, as seen on the review page."""
    run = session.get_one(Run, run_id)
    seen = (run.course.version, run.course.price, run.needs_confirmation)
    for actor in actors:
        key = f"seed:{actor.id.hex}:{run_id.hex}"
        service.purchase(session, PurchaseRequest(actor.id, run_id, key, *seen))


def change_mind(session: Session, actor: Actor, run_id: uuid.UUID) -> None:
    """Cancel one's own purchase."""
    [enrolment_id] = _enrolments(session, [actor], run_id)
    service.cancel(session, enrolment_id, actor.id)


def check_in(session: Session, actors: Iterable[Actor], run_id: uuid.UUID, number: int) -> None:
    """Type the code of the screen, in session `number` (from 0)."""
    meeting = session.get_one(Run, run_id).sessions[number]
    code, _ = attendance.current_code(meeting)
    for actor in actors:
        attendance.check_in(session, actor.id, meeting.id, code)


def do_unit(session: Session, actors: Iterable[Actor], run_id: uuid.UUID, number: int) -> None:
    """Finish unit `number` (from 0) of a self-paced run."""
    unit = session.get_one(Run, run_id).sessions[number]
    for actor in actors:
        attendance.mark_unit(session, actor.id, unit.id)


def upload_list(session: Session, actors: Sequence[Actor], run_id: uuid.UUID, number: int) -> None:
    """The provider sends its own list of session `number` (from 0)."""
    meeting = session.get_one(Run, run_id).sessions[number]
    ids = _enrolments(session, actors, run_id)
    attendance.upload_attendance(session, meeting.id, ids, staff_of_run(session, run_id))


def declare(session: Session, run_id: uuid.UUID) -> None:
    """The provider declares the run completed."""
    completion.complete_run(session, run_id, staff_of_run(session, run_id))


def write_to(session: Session, run_id: uuid.UUID, text: str) -> None:
    """The provider writes to everybody in the run."""
    run_messages.send(session, run_id, text, staff_of_run(session, run_id))


def call_off(session: Session, run_id: uuid.UUID, reason: str) -> None:
    """The provider cancels its run."""
    service.cancel_run(session, run_id, staff_of_run(session, run_id), reason)


def staff_of_run(session: Session, run_id: uuid.UUID) -> User:
    """Who acts for the provider of a run."""
    return staff_of(session, session.get_one(Run, run_id).course.provider_id)


def staff_of(session: Session, provider_id: uuid.UUID) -> User:
    """Who acts for a provider: the first who was added."""
    return providers.list_staff(session, provider_id)[0].user


def find_course(session: Session, source_id: str) -> Course:
    """A course of the demonstration's catalogue."""
    return session.scalars(select(Course).where(Course.source_id == source_id)).one()


def _enrolments(session: Session, actors: Sequence[Actor], run_id: uuid.UUID) -> list[uuid.UUID]:
    ids = [actor.id for actor in actors]
    wanted = (Enrolment.run_id == run_id, Enrolment.participant_id.in_(ids))
    return list(session.scalars(select(Enrolment.id).where(*wanted)))
