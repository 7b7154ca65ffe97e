"""A journey through the pages of the running installation: who takes part, and what was there before."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy.orm import Session

from marketplace.catalogue.models import Course
from marketplace.db import transaction
from marketplace.enrolments.models import Enrolment
from marketplace.identity.models import User
from tests import factories
from tests.journeys.town import Town
from tests.marketplace.enrolments.scenes import buy
from tests.web.screens import Hand, Open


@dataclass
class Play:
    """The running installation, who is in this journey, and what they hold in their hands."""

    town: Town
    open: Open
    people: dict[str, uuid.UUID | None]
    size: dict[str, int]
    script: bool
    word: str = field(default_factory=lambda: f"x{uuid.uuid4().hex[:8]}")
    """A word that is in the titles of this journey only."""

    @contextmanager
    def scene(self) -> Iterator[Session]:
        """A transaction in which what was there before is made."""
        with self.town.live.inside(), transaction() as current:
            yield current

    def come(self, **people: User | None) -> None:
        """Name those who will open a browser."""
        self.people.update({name: user.id if user else None for name, user in people.items()})

    def hand(self, who: str, path: str) -> Hand:
        """Somebody opens their browser at this address."""
        hand = Hand(self.open(who, self.size, java_script_enabled=self.script))
        hand.go(path)
        return hand

    def course(self, current: Session, title: str, **more: object) -> Course:
        """A course whose title has this journey's word."""
        return factories.make_course(current, title=f"{title} {self.word}", **more)  # type: ignore[arg-type]


def make_buyer(current: Session, name: str = "Rina Lestari") -> User:
    """Somebody with a whole balance."""
    grant = factories.make_grant(current)
    grant.participant.full_name = name
    return grant.participant.user


def sell(current: Session, course: Course, *names: str, sessions: int = 1) -> list[Enrolment]:
    """A class that begins in five minutes, bought by these."""
    run = factories.make_run(current, course, starts_in=timedelta(minutes=5), sessions=sessions)
    sold = []
    for name in names:
        grant = factories.make_grant(current)
        grant.participant.full_name = name
        sold.append(buy(current, run, grant))
    return sold
