"""`python -m bench`: measures, prints a table, writes JSON where asked. Progress goes to standard error."""

import argparse
import os
import platform
import shutil
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from bench import bulk, peers, rates
from bench.figures import Figure, table, write_json
from bench.server import Server, serving, settings_that_matter

_BYTES_PER_POSTING, _BYTES_PER_TRANSACTION, _BYTES_BESIDE = 300, 1000, 3 * 1024**3


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when everything was measured, goals met or not."""
    options = _parser().parse_args(arguments)
    with serving(_say) as server:
        _require_room(server, options)
        head = f"{settings_that_matter(server)}; {server.disk()}; {_machine()}"
        _say(head)
        figures = _measure(server, options)
    print(head, table(figures), sep="\n\n", flush=True)
    if options.json:
        write_json(figures, options.json)
    return 0


def _measure(server: Server, options: argparse.Namespace) -> list[Figure]:
    rounds, payers = rates.Rounds(options.rounds, options.seconds), options.payers
    with ExitStack() as stack:
        contending = stack.enter_context(rates.contenders(server, payers))
        peer_runs = stack.enter_context(peers.contenders(server, payers, _say)) if options.peers else {}
        medians = rates.measure({**contending, **peer_runs}, rounds, _say)
    figures = rates.figures(medians) + peers.figures(medians, list(peer_runs))
    figures += bulk.filled(server, options.transactions, payers, _say)
    return [*figures, bulk.folded_balance(server, options.rows, payers, _say)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("bench", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    parser.add_argument("--peers", action="store_true", help="install other ledgers and measure them beside")
    parser.add_argument("--rounds", type=int, default=5, help="turns that each contender has")
    parser.add_argument("--seconds", type=float, default=4, help="length of a turn")
    parser.add_argument("--payers", type=int, default=2000, help="accounts that the purchases are paid from")
    parser.add_argument("--rows", type=int, default=10_000_000, help="postings of the folded account")
    parser.add_argument("--transactions", type=int, default=1_000_000, help="transactions to verify")
    return parser


def _require_room(server: Server, options: argparse.Namespace) -> None:
    """Stop before the disk is full. Raises SystemExit."""
    rows = options.rows * _BYTES_PER_POSTING + options.transactions * _BYTES_PER_TRANSACTION
    needed, free = rows + _BYTES_BESIDE, shutil.disk_usage(server.folder).free
    if free < needed:
        gib = 1024**3
        sys.exit(
            f"bench: {server.folder} has {free / gib:.0f} GiB free and {needed / gib:.0f} are needed; "
            "name another disk with TMPDIR, or fewer ROWS and TRANSACTIONS"
        )


def _machine() -> str:
    return f"{os.cpu_count()} cores, Python {platform.python_version()}"


_began = time.monotonic()


def _say(words: str) -> None:
    print(f"bench {time.monotonic() - _began:6.0f} s  {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
