"""`python -m bench.pages`: how fast the catalogue's pages are, against a bare page in the same run."""

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bench import rates, shelves
from bench.crowd import crowd
from bench.figures import Figure, at_least, compared, table, write_json
from bench.server import Server, serving, settings_that_matter
from marketplace.dev import services
from marketplace.dev.postgres import APPLICATION, OWNER
from marketplace.dev.supervisor import Supervisor
from marketplace.dev.valkey import free_port

_WORKERS = "2"
_PROCESSES, _THREADS = 2, 8
_SEARCHES = 200
_GOAL = 0.5


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when everything was measured, goals met or not."""
    options = _parser().parse_args(arguments)
    with serving(_say) as server:
        head = f"{settings_that_matter(server)}; {options.courses:,} courses; {os.cpu_count()} cores"
        shelves.build(server, options.courses)
        _say(f"{options.courses:,} courses are on the shelves")
        figures = _measure(server, rates.Rounds(options.rounds, options.seconds))
    print(head, table(figures), sep="\n\n", flush=True)
    if options.json:
        write_json(figures, options.json)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("bench.pages", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    parser.add_argument("--courses", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=5, help="turns that each contender has")
    parser.add_argument("--seconds", type=float, default=4, help="length of a turn")
    return parser


def _measure(server: Server, rounds: rates.Rounds) -> list[Figure]:
    with _web(server) as (bare, web):
        works = {
            "bare": (bare, ["/"]),
            "front": (web, ["/kursus"]),
            "searches": (web, shelves.searches(_SEARCHES)),
            # a name that the search does not know makes an address that nobody asked for before
            "searches anew": (web, [f"{each}&baru={{n}}" for each in shelves.searches(_SEARCHES)]),
        }
        with crowd("bench.reader", _PROCESSES, {"works": works, "threads": _THREADS}) as readers:
            found = rates.measure({name: rates.turn(readers, name) for name in works}, rounds, _say)
    floor = found["bare"]
    return [
        Figure("floor: Flask renders 10 KB", floor, "pages/s"),
        at_least("catalogue, everything", found["front"], "pages/s", floor, _GOAL),
        at_least(f"catalogue, {_SEARCHES} searches in turn", found["searches"], "pages/s", floor, _GOAL),
        compared("catalogue, every search for the first time", found["searches anew"], "pages/s", floor),
    ]


@contextmanager
def _web(server: Server) -> Iterator[tuple[int, int]]:
    """The bare page and Bekal, each by the same server with as many workers; their ports."""
    environ = {
        "BEKAL_ENV": "development",
        "BEKAL_HOME": str(server.folder / "web"),
        "DATABASE_URL": server.url(APPLICATION, shelves.DATABASE),
        "DATABASE_OWNER_URL": server.url(OWNER, shelves.DATABASE),
        "REDIS_URL": server.redis_url,
        "WEB_CONCURRENCY": _WORKERS,
    }
    with Supervisor(server.folder / "web", _say) as supervisor:
        ports = free_port(), free_port()
        web = services.web(ports[1], environ)
        services.wait_for_web(supervisor.start(web), ports[1])
        plain = services.web(ports[0], environ)
        command = [*plain.command[:-1], "bench.bare:create_app"]
        supervisor.start(replace(plain, name="bare", command=command))
        time.sleep(2)  # it has no page that says so, and nothing to wait for
        yield ports


_began = time.monotonic()


def _say(words: str) -> None:
    print(f"bench {time.monotonic() - _began:6.0f} s  {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
