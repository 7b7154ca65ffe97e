"""Kills clerks, sealers and their database connections at random, and puts others in their place."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random

from sqlalchemy import text

from tests.commands import fork_server
from tests.ledger.clerks import Log, work, work_as_sealer
from tests.ledger.conftest import Database
from tests.live import wait_until

CLERKS = 4
_PATIENCE_SECONDS = 120.0
# half of the time somebody who has executed and not committed
_TERMINATE = text("""
SELECT state, pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'clerk'
ORDER BY :waiting AND state = 'idle in transaction' DESC, random() LIMIT 1
""")

_CONNECTIONS = text(
    "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'clerk'"
)


@dataclass
class Killer:
    """Four clerks and a sealer on one database, with their logs in one folder."""

    database: Database
    folder: Path
    luck: Random
    is_naive: bool = False
    staff: dict[int, BaseProcess] = field(default_factory=dict)
    terminated: Counter[str] = field(default_factory=Counter)
    killed: int = 0

    def run(self, seconds: float, is_enough: Callable[["Killer"], bool]) -> None:
        """Let them work and die for so long and until it is enough; at the end all are killed at once."""
        start = time.monotonic()
        try:
            while time.monotonic() - start < seconds or not is_enough(self):
                assert time.monotonic() - start < seconds + _PATIENCE_SECONDS, self.deaths()
                self._fill()
                time.sleep(self.luck.uniform(0.02, 0.3))
                self._strike()
        finally:
            for each in self.staff.values():
                each.kill()
            for each in self.staff.values():
                each.join()
            # a commit may be under way whose client is dead
            wait_until(lambda: not self._connections())

    def logs(self) -> list[Log]:
        """What the clerks wrote down."""
        return [Log(self._path(number)).read() for number in range(CLERKS)]

    def deaths(self) -> Counter[str]:
        """Where they died by their own hand, and how often from outside."""
        files = [*self.logs(), Log(self._path(CLERKS)).read()]
        own = Counter(where for log in files for where in log.deaths)
        return own + Counter({"killed": self.killed}) + self.terminated

    def _strike(self) -> None:
        if self.luck.random() < 0.3:
            victim = self.luck.choice(list(self.staff.values()))
            victim.kill()
            victim.join()
            self.killed += 1
            return
        with self.database.superuser.begin() as superuser:
            for state, done in superuser.execute(_TERMINATE, {"waiting": self.luck.random() < 0.5}):
                self.terminated[f"terminated {state}"] += done

    def _connections(self) -> int:
        with self.database.superuser.begin() as superuser:
            return len(superuser.execute(_CONNECTIONS).all())

    def _fill(self) -> None:
        """Put somebody in the place of each who is dead."""
        for number in range(CLERKS + 1):
            if number not in self.staff or not self.staff[number].is_alive():
                self.staff[number] = self._start(number)

    def _start(self, number: int) -> BaseProcess:
        # forked from a process without threads that has everything imported already
        context = fork_server()
        url = self.database.app.url.update_query_dict({"application_name": "clerk"})
        arguments = (
            url.render_as_string(hide_password=False),
            str(self._path(number)),
            number,
            self.luck.getrandbits(32),
            self.is_naive,
        )
        process = context.Process(
            target=work if number < CLERKS else work_as_sealer, args=arguments, daemon=True
        )
        process.start()
        return process

    def _path(self, number: int) -> Path:
        return self.folder / f"{number}.log"
