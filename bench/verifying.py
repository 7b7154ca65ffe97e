"""A process that verifies a ledger, so that its memory is that of verify() and of nothing else."""

import resource
import time

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from bench.worker import answer, settings
from ledger import read_key, verify

_KIB_PER_MIB = 1024


def main() -> None:
    """Verify the ledger that the settings name; tell how it goes, and what it took."""
    given = settings()
    with Session(create_engine(given["url"])) as session:
        early = [0.0]
        told = [0]

        def progress(done: int, steps: int) -> None:
            if done <= steps / 10 or not early[0]:
                early[0] = _peak()
            if done * 10 // steps > told[0]:
                told[0] = done * 10 // steps
                answer({"done": done, "steps": steps})

        start = time.perf_counter()
        report = verify(session, progress, keys=[read_key(given["key"])])
        answer(
            {
                "seconds": time.perf_counter() - start,
                "transactions": report.transactions,
                "sound": report.is_sound,
                "problem": str(report.problem),
                "early_mib": early[0] or _peak(),
                "peak_mib": _peak(),
            }
        )


def _peak() -> float:
    """The most that this process has had in memory so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KIB_PER_MIB


if __name__ == "__main__":
    main()
