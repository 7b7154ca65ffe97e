"""One process of a crowd: a few threads that do the same work until the time is up.

Peers run this too, in environments of their own, so it needs the standard library alone. The first line of
standard input holds the settings, each further one an order, ``{"work": "hot", "seconds": 3}``, which is
answered by one line on standard output; all of them are JSON.
"""

import json
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

Do = Callable[[str], int]
"""Does one piece of the named work and says how many transactions that was."""


def settings() -> dict[str, Any]:
    """Read what whoever started us wants us to know."""
    # not among the arguments, which every user of the machine can list: there is a password in it
    given: dict[str, Any] = json.loads(sys.stdin.readline())
    return given


def serve(threads: int, do: Do) -> None:
    """Say that we are ready, then carry out orders until nobody gives any more."""
    answer({"ready": True})
    with ThreadPoolExecutor(threads) as pool:
        for line in sys.stdin:
            order = json.loads(line)
            answer(_carry_out(pool, threads, do, order["work"], order["seconds"]))


def answer(words: dict[str, object]) -> None:
    """Write one line of JSON to whoever started us."""
    print(json.dumps(words), flush=True)


def _carry_out(
    pool: ThreadPoolExecutor, threads: int, do: Do, work: str, seconds: float
) -> dict[str, object]:
    # all meet here first: so each thread takes one share, and keeps the connection that it opened before
    together = threading.Barrier(threads)

    def share() -> tuple[int, float]:
        together.wait()
        start, done = time.monotonic(), do(work)
        while (passed := time.monotonic() - start) < seconds:
            done += do(work)
        return done, passed

    shares = [each.result() for each in [pool.submit(share) for _ in range(threads)]]
    return {"done": sum(done for done, _ in shares), "seconds": max(passed for _, passed in shares)}
