"""A process that verifies a ledger, so that its memory is that of verify() and of nothing else."""

import resource
import time

from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from bench.worker import answer, settings
from ledger import verify

_KIB_PER_MIB = 1024


def main() -> None:
    """Verify the ledger that the settings name; tell how it goes, and what it took."""
    given = settings()
    with Session(create_engine(given["url"])) as session:
        count: int = session.execute(text("SELECT count(*) FROM ledger.transaction")).scalar_one()
        early = [0.0]

        def progress(transactions: int) -> None:
            if transactions <= count / 10 or not early[0]:
                early[0] = _peak()
            if transactions % (count // 10 // 2000 * 2000 or 2000) == 0:
                answer({"transactions": transactions, "count": count})

        start = time.perf_counter()
        report = verify(session, progress)
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
