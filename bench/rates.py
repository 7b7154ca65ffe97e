"""Transactions a second: every contender takes its turn in every round, and the medians are compared."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median

from bench import books, floor
from bench.crowd import Crowd, crowd
from bench.figures import Figure, at_least, compared
from bench.server import Server
from marketplace.dev.postgres import APPLICATION, OWNER

Contender = Callable[[float], float]
"""Works for so many seconds and returns transactions a second."""

DATABASE = "books"
PROVIDERS = 200
PROCESSES, THREADS = 2, 4
CLIENTS = PROCESSES * THREADS
PURCHASE = """
\\set payer random(1, {payers})
SELECT id, replayed, commitment, codes, balances FROM ledger.post(
    uuidv7(), 'purchase:' || gen_random_uuid(), 'purchase',
    ARRAY['benefit:' || lpad(to_hex(:payer::integer), 32, '0')], ARRAY['escrow:' || lpad('', 32, '0')],
    ARRAY[100.00], p_reference => 'enrolment:' || gen_random_uuid());
"""


@dataclass(frozen=True, slots=True)
class Rounds:
    """How often each contender has its turn, and for how many seconds."""

    number: int
    seconds: float


@contextmanager
def contenders(server: Server, payers: int) -> Iterator[dict[str, Contender]]:
    """The floor and ourselves, ready to run; the order is the order of the turns."""
    floor.build(server, payers)
    books.build(server, DATABASE, payers, PROVIDERS)
    settings = {
        "url": server.url(APPLICATION, DATABASE),
        "payers": payers,
        "providers": PROVIDERS,
        "threads": THREADS,
    }
    with ExitStack() as stack:
        buyers = stack.enter_context(crowd("bench.purchases", PROCESSES, settings))
        sealer = stack.enter_context(crowd("bench.sealer", 1, settings))
        yield {
            "floor": _scripted(server, OWNER, floor.DATABASE, floor.PURCHASE.format(payers=payers)),
            "function": _scripted(server, APPLICATION, DATABASE, PURCHASE.format(payers=payers)),
            **{work: turn(buyers, work) for work in ("hot", "spread", "batch 100", "batch 1000")},
            "unsealed": turn(buyers, "hot"),
            "sealed": _sealed(buyers, sealer),
        }


def measure(
    contending: Mapping[str, Contender], rounds: Rounds, say: Callable[[str], None]
) -> dict[str, float]:
    """Let everybody warm up, then run the rounds; return each contender's median."""
    rates: dict[str, list[float]] = {name: [] for name in contending}
    for number in range(rounds.number + 1):
        for name, run in contending.items():
            rate = run(rounds.seconds if number else min(rounds.seconds, 1))
            say(f"round {number}/{rounds.number}: {name} {rate:,.0f}/s{'' if number else ' (warming up)'}")
            if number:
                rates[name].append(rate)
    return {name: median(found) for name, found in rates.items()}


def figures(rates: Mapping[str, float]) -> list[Figure]:
    """The medians as figures; a rate's floor is pgbench's, unless its name says otherwise."""
    least = rates["floor"]
    return [
        Figure("floor: one CTE by pgbench", least, "tx/s"),
        compared("post() bare, by pgbench", rates["function"], "tx/s", least),
        at_least("post() through a Session, hot provider", rates["hot"], "tx/s", least, 0.4),
        at_least("post_many() in hundreds", rates["batch 100"], "tx/s", least, 4),
        at_least("post_many() in thousands", rates["batch 1000"], "tx/s", least, 4),
        at_least("hot provider to spread providers", rates["hot"], "tx/s", rates["spread"], 0.9),
        at_least("sealing on to sealing off", rates["sealed"], "tx/s", rates["unsealed"], 0.95),
    ]


def _scripted(server: Server, role: str, database: str, script: str) -> Contender:
    return lambda seconds: floor.pgbench(server, role, database, script, CLIENTS, seconds)


def turn(workers: Crowd, work: str) -> Contender:
    """A crowd that does one kind of work."""
    return lambda seconds: workers.work(work, seconds)


def _sealed(buyers: Crowd, sealer: Crowd) -> Contender:
    """Purchases while somebody seals them; what the other turns left is sealed before."""

    def run(seconds: float) -> float:
        sealer.work("drain", 0)
        sealer.begin("seal", seconds)
        rate = buyers.work("hot", seconds)
        sealer.rate()
        return rate

    return run
