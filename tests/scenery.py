"""A scene that many tests want, made once for a worker of the suite and then copied with its database."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from flask import Flask

from marketplace import clock
from marketplace.config import Settings
from marketplace.db import db
from tests.marketplace.payouts.world import set_programme_time
from tests.servers import Servers

T = TypeVar("T")


@dataclass(frozen=True)
class Scenery(Generic[T]):
    """A database with a scene in it, what is there, and when that was made."""

    servers: Servers
    settings: Settings
    database: str
    made: T
    made_at: datetime

    def put_up(self, app: Flask, database: str) -> T:
        """Make a test's database a copy of it, at the hour in which it was made."""
        with app.app_context():
            db.engine.dispose()
        self.servers.clone(database, self.database)
        set_programme_time(self.settings.database_owner_url, self.made_at)
        return self.made


def make_current(app: Flask) -> None:
    """Another test may have made an application of its own, whose Celery then became the current one."""
    app.extensions["celery"].set_default()
    app.extensions["celery"].set_current()


@contextmanager
def paint(
    servers: Servers, settings: Settings, app: Flask, name: str, make: Callable[[], T]
) -> Iterator[Scenery[T]]:
    """`make` commits a scene to an empty database, and returns what tests must know of it: ids, no rows."""
    database = settings.database_url.rpartition("/")[2].partition("?")[0]
    servers.clone(database)
    make_current(app)
    with app.app_context():
        made = make()
        made_at = clock.now(db.session())
        db.session.remove()
        db.engine.dispose()
    servers.clone(f"{database}_{name}", database)
    yield Scenery(servers, settings, f"{database}_{name}", made, made_at)
    servers.drop(f"{database}_{name}")
