"""`make run`: the whole of Bekal in one terminal, until Ctrl-C."""

import time
from collections.abc import Mapping
from pathlib import Path

from marketplace.dev.signals import until_stopped
from marketplace.dev.stack import Stack, started
from marketplace.dev.supervisor import Say

INBOX_MARK = "[inbox]"
_LOOK_SECONDS = 0.2


def up(home: Path, environ: Mapping[str, str], say: Say, *, port: int, demo: bool) -> None:
    """Run until a signal. Raises DevelopmentError when something cannot be started."""
    if not environ.get("DATABASE_URL"):
        say("Embedded mode: for laptops, CI and demos, never for real money.")
    with until_stopped(), started(home, environ, say, port=port) as stack:
        if demo:
            stack.flask("dev", "seed")
        stack.start_processes()
        _introduce(stack, say)
        _look_after(stack, say)
    say("stopped")


def _introduce(stack: Stack, say: Say) -> None:
    """Addresses first; the last line is the one that scripts wait for."""
    layout = stack.supervisor.layout
    say(f"pages        {stack.url}/")
    say(f"sign in as   {stack.url}/dev/inbox  (every demo person, and every message sent)")
    say(f"data folder  {layout.home}")
    say(f"logs         {layout.log}")
    if stack.embedded:
        say(f"engines      {layout.addresses}  (PostgreSQL on a private socket, Valkey on loopback)")
    say(f"ready {stack.url}")


def _look_after(stack: Stack, say: Say) -> None:
    while True:
        stack.supervisor.look_after()
        for line in stack.new_lines("worker", INBOX_MARK):
            say(line[line.index(INBOX_MARK) :])
        time.sleep(_LOOK_SECONDS)
