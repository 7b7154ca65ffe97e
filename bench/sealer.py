"""A worker that seals: everything that waits, a few times a second, signing as production does."""

import time

from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session

from bench.worker import serve, settings
from ledger import Signer, new_signer, seal

_PAUSE_SECONDS = 0.25


class Sealer:
    """`drain` seals until nothing waits, `seal` once; each seal is counted."""

    def __init__(self, engine: Engine, signer: Signer) -> None:
        self._engine = engine
        self._signer = signer

    def do(self, work: str) -> int:
        """Seal, and answer how many seals that made."""
        if work == "drain":
            return self._drain()
        time.sleep(_PAUSE_SECONDS)
        return int(self._seal())

    def _drain(self) -> int:
        made = 0
        while self._seal():
            made += 1
        return made

    def _seal(self) -> bool:
        with Session(self._engine) as session, session.begin():
            return seal(session, self._signer) is not None


if __name__ == "__main__":
    given = settings()
    serve(1, Sealer(create_engine(given["url"]), new_signer("bench.example/log")).do)
