"""The bank's process: runs until SIGTERM or SIGINT."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from bank_sandbox.bank import TREASURY_ACCOUNT, Bank, FolderInUseError
from bank_sandbox.log import BrokenLogError
from bank_sandbox.rules import RulesError


def main() -> int:
    """0 after an orderly end, 1 when the folder is in use or its log broken, 2 for wrong rules."""
    options = _parser().parse_args()
    stop = _stop_on_signal()
    try:
        bank = Bank(options.folder, behaviour=options.behaviour, account=options.account)
    except RulesError as error:
        print(f"bank sandbox: {error}", file=sys.stderr)
        return 2
    except (FolderInUseError, BrokenLogError) as error:
        print(f"bank sandbox: {error}", file=sys.stderr)
        return 1
    known = len(bank.state.payments)
    print(f"bank sandbox: {options.folder}, account {options.account}, {known} payments known", flush=True)
    if options.once:
        bank.tick()
    else:
        _run(bank, options.poll, stop)
    bank.close()
    return 0


def _stop_on_signal() -> threading.Event:
    """Set up before the start line is printed: whoever reads it may send a signal at once."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _run(bank: Bank, poll: float, stop: threading.Event) -> None:
    complaint = ""
    while not stop.is_set():
        try:
            bank.tick()
            complaint = ""
        except RulesError as error:
            # Said once, not five times a second; nothing is taken until the file is mended.
            if str(error) != complaint:
                print(f"bank sandbox: {error}", file=sys.stderr, flush=True)
            complaint = str(error)
        stop.wait(poll)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bank_sandbox", description="A bank that speaks through files.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--behaviour", type=Path, help="rules file; FOLDER/behaviour.json unless given")
    parser.add_argument("--account", default=TREASURY_ACCOUNT, help="the account kept here")
    parser.add_argument("--poll", type=float, default=0.2, metavar="SECONDS")
    parser.add_argument("--once", action="store_true", help="one round, then end")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
