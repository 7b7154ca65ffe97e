"""From scenes to a story: every run, purchase, check-in and declaration at its hour."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from marketplace.dev.demo import aftermath, timetable, troupe
from marketplace.dev.demo.scenes import ALL, Scene, SelfPaced
from marketplace.dev.demo.story import Days, Story
from marketplace.dev.demo.timetable import Slot
from marketplace.dev.demo.troupe import Actor, Troupe
from marketplace.enrolments import waiting
from marketplace.payouts import incentives

_AFTER_START = timedelta(minutes=10)


@dataclass
class StagedRun:
    """One run of the story with its people. `run` exists once the story has opened it."""

    course: str
    actors: Sequence[Actor]
    _opened: list[uuid.UUID] = field(default_factory=list)

    @property
    def run(self) -> uuid.UUID:
        return self._opened[0]

    def open_scheduled(self, scene: Scene, session: Session) -> None:
        course = troupe.find_course(session, self.course)
        run = timetable.schedule(session, course, scene.slots, scene.seats)
        run.needs_confirmation = scene.confirms
        self._opened.append(run.id)

    def open_self_paced(self, days: Days, plan: SelfPaced, session: Session) -> None:
        course = troupe.find_course(session, self.course)
        starts_at, ends_at = days.at(plan.bought_on, 0), days.at(plan.bought_on + 60, 23)
        run = timetable.schedule_self_paced(session, course, starts_at, ends_at, plan.units)
        self._opened.append(run.id)


@dataclass
class Direction:
    """Puts scenes into a story and finds the people for them."""

    story: Story
    days: Days
    troupe: Troupe
    prices: dict[str, Decimal]
    staged: list[tuple[Scene, StagedRun]] = field(default_factory=list)

    def cast(self, scene: Scene) -> None:
        """One scheduled run: opened, sold, attended, and declared or cancelled."""
        staged = StagedRun(
            scene.course, self._actors(scene.course, scene.bought_on, scene.present, scene.extras)
        )
        self.staged.append((scene, staged))
        self._do(scene.bought_on, 7, partial(staged.open_scheduled, scene))
        self._do(scene.bought_on, 12, lambda session: troupe.buy(session, staged.actors, staged.run))
        for number, slot in enumerate(scene.slots):
            if slot.starts_at <= self.days.now and self._is_held(scene, slot):
                self._hold(scene, staged, number, slot)
        if scene.declared_on is not None:
            self._do(scene.declared_on, 16, lambda session: troupe.declare(session, staged.run))
            self._follow_up(scene.declared_on, staged)
        if scene.declared_on is not None and scene.corrected:
            self._do(scene.declared_on + 1, 11, lambda session: aftermath.correct(session, staged.run))
        if scene.message:
            self._do(-1, 17, lambda session: troupe.write_to(session, staged.run, scene.message))
        if scene.cancelled_on is not None:
            self._do(
                scene.cancelled_on, 15, lambda session: troupe.call_off(session, staged.run, scene.reason)
            )
        if scene.withdraws is not None:
            actor = self.troupe.named[scene.withdraws]
            self._do(-2, 20, lambda session: troupe.change_mind(session, actor, staged.run))
        if scene.in_line is not None:
            last = self.troupe.named[scene.in_line]
            self._do(-1, 20, lambda session: waiting.join(session, last.id, staged.run))

    def _follow_up(self, declared_on: int, staged: StagedRun) -> None:
        """Reviews on the next evening, incentives once certificates are final, as far as that is past."""
        final_on = declared_on + aftermath.INCENTIVE_AFTER
        if declared_on < -1:
            self._do(declared_on + 1, 19, lambda session: aftermath.review(session, staged.run))
        if final_on < 0:
            self._do(final_on, 4, incentives.judge_certificates)

    def cast_self_paced(self, plan: SelfPaced) -> None:
        """A run without hours; each person does a unit a day."""
        staged = StagedRun(plan.course, self._actors(plan.course, plan.bought_on, plan.present, plan.extras))
        self._do(plan.bought_on, 7, partial(staged.open_self_paced, self.days, plan))
        self._do(plan.bought_on, 12, lambda session: troupe.buy(session, staged.actors, staged.run))
        for number in range(plan.units):
            there = [actor for actor in staged.actors if _sessions(plan.present, actor) > number]
            act = partial(_do_unit, staged=staged, there=there, number=number)
            self._do(plan.bought_on + 1 + number, 20, act)

    def register_everybody(self) -> None:
        """Each on their day, at ten in the morning."""
        for number in sorted({actor.registered_on for actor in self.troupe.everybody}):
            arrivals = [actor for actor in self.troupe.everybody if actor.registered_on == number]
            self._do(number, 10, partial(_register, arrivals=arrivals))

    def _actors(self, course: str, bought_on: int, present: Mapping[str, int], extras: int) -> list[Actor]:
        price = self.prices[course]
        named = [self.troupe.named[key] for key in present]
        for actor in named:
            actor.budget -= price
        return [*named, *self.troupe.extras_for(course, price, extras, bought_on)]

    def _is_held(self, scene: Scene, slot: Slot) -> bool:
        return scene.cancelled_on is None or slot.ends_at < self.days.at(scene.cancelled_on, 15)

    def _hold(self, scene: Scene, staged: StagedRun, number: int, slot: Slot) -> None:
        there = [actor for actor in staged.actors if _sessions(scene.present, actor) > number]
        act = _upload if scene.uploaded else _check_in
        self.story.at(slot.starts_at + _AFTER_START, partial(act, staged=staged, there=there, number=number))

    def _do(self, number: int, hour: int, act: Callable[[Session], Any]) -> None:
        self.story.at(self.days.at(number, hour), act)


def _sessions(present: Mapping[str, int], actor: Actor) -> int:
    """To how many sessions somebody comes; extras come to everything that is held."""
    return present.get(actor.part.key, 0) if actor.part else ALL


def _check_in(session: Session, *, staged: StagedRun, there: Sequence[Actor], number: int) -> None:
    troupe.check_in(session, there, staged.run, number)


def _upload(session: Session, *, staged: StagedRun, there: Sequence[Actor], number: int) -> None:
    troupe.upload_list(session, there, staged.run, number)


def _do_unit(session: Session, *, staged: StagedRun, there: Sequence[Actor], number: int) -> None:
    troupe.do_unit(session, there, staged.run, number)


def _register(session: Session, *, arrivals: Sequence[Actor]) -> None:
    troupe.register(session, arrivals)
