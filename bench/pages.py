"""`python -m bench.pages`: how fast pages and purchases are, against bare ones in the same run."""

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from urllib.parse import urlencode

from bench import population, rates, shelves
from bench.crowd import Crowd, crowd
from bench.figures import Figure, at_least, compared, table, write_json
from bench.population import People
from bench.server import Server, serving, settings_that_matter
from marketplace.config import load_settings
from marketplace.dev import services
from marketplace.dev.postgres import APPLICATION, OWNER
from marketplace.dev.supervisor import Supervisor
from marketplace.dev.valkey import free_port

_WORKERS = "2"
_PROCESSES, _THREADS = 2, 8
_SEARCHES = 200
_KEPT_SECONDS = 10
_CATALOGUE, _HOME, _PURCHASE = 0.5, 0.3, 0.5

Request = tuple[str, str, str]
"""Address, cookie, form."""


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when everything was measured, goals met or not."""
    options = _parser().parse_args(arguments)
    with serving(_say) as server:
        head = (
            f"{settings_that_matter(server)}; {options.courses:,} courses; {options.enrolments:,} enrolments"
        )
        shelves.build(server, options.courses)
        _say(f"{options.courses:,} courses are on the shelves")
        people = population.settle(load_settings(_environ(server)), options.enrolments)
        _say(f"{options.enrolments:,} enrolments, and {population.READERS} people at their telephones")
        figures = _measure(server, people, rates.Rounds(options.rounds, options.seconds))
    print(f"{head}; {os.cpu_count()} cores", table(figures), sep="\n\n", flush=True)
    if options.json:
        write_json(figures, options.json)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("bench.pages", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    parser.add_argument("--courses", type=int, default=50_000)
    parser.add_argument("--enrolments", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=5, help="turns that each contender has")
    parser.add_argument("--seconds", type=float, default=4, help="length of a turn")
    return parser


def _measure(server: Server, people: People, rounds: rates.Rounds) -> list[Figure]:
    with _web(server) as (bare, web):
        works = _works(people, bare, web, rounds.number + 1)
        settings = {"works": works, "threads": _THREADS, "processes": _PROCESSES}
        names = dict.fromkeys(name.partition(" #")[0] for name in works)
        with crowd("bench.reader", _PROCESSES, settings) as readers:
            found = rates.measure({name: _turn(readers, name) for name in names}, rounds, _say)
    page, ledger = found["bare page"], found["bare purchase"]
    return [
        Figure("floor: Flask renders 10 KB", page, "pages/s"),
        at_least("catalogue, everything", found["front"], "pages/s", page, _CATALOGUE),
        at_least(f"catalogue, {_SEARCHES} searches in turn", found["searches"], "pages/s", page, _CATALOGUE),
        compared("catalogue, every search for the first time", found["searches anew"], "pages/s", page),
        at_least("home of a participant", found["home"], "pages/s", page, _HOME),
        Figure("floor: Flask calls the ledger once", ledger, "posts/s"),
        at_least("purchase, from form to receipt", found["purchase"], "purchases/s", ledger, _PURCHASE),
    ]


def _works(people: People, bare: int, web: int, turns: int) -> dict[str, tuple[int, list[Request]]]:
    """Each kind of work: the port that does it, and what is asked for in turn.

    The same words with other marks before them find the same, and are a search that nothing is kept of, in no
    memory and under no address: those of a turn have as many dashes as turns began.
    """
    searches = [each.replace("q=", "q={}+") for each in shelves.searches(_SEARCHES)]
    once = [urlencode({"debit": each, "credit": people.escrow}) for each in people.accounts]
    return {
        "bare page": (bare, [("/", "", "")]),
        "front": (web, [("/kursus", "", "")]),
        **{
            f"searches #{turn}": (web, [(each.format("-" * turn), "", "") for each in searches])
            for turn in range(1, turns + 1)
        },
        "searches anew": (web, [(each.format("{n}"), "", "") for each in searches]),
        "home": (web, [("/beranda", cookie, "") for cookie in people.cookies]),
        "bare purchase": (bare, [("/", "", form) for form in once]),
        "purchase": (web, people.purchases),
    }


def _environ(server: Server) -> dict[str, str]:
    return {
        "BEKAL_ENV": "development",
        "BEKAL_HOME": str(server.folder / "web"),
        "DATABASE_URL": server.url(APPLICATION, shelves.DATABASE),
        "DATABASE_OWNER_URL": server.url(OWNER, shelves.DATABASE),
        "REDIS_URL": server.redis_url,
        "WEB_CONCURRENCY": _WORKERS,
    }


def _turn(readers: Crowd, work: str) -> rates.Contender:
    """A turn of searches begins with none kept, and is longer than a process keeps its own."""
    if work != "searches":
        return rates.turn(readers, work)
    begun = count(1)

    def turn(seconds: float) -> float:
        length = max(seconds, _KEPT_SECONDS * 1.5) if seconds > 1 else seconds
        return readers.work(f"{work} #{next(begun)}", length)

    return turn


@contextmanager
def _web(server: Server) -> Iterator[tuple[int, int]]:
    """The bare page and Bekal, each by the same server with as many workers; their ports."""
    environ = _environ(server)
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
