"""`flask dev seed|demo` and the small commands that `demo` is made of.

The demonstration's modules are loaded by the command that needs them: every other command, and every
web and worker process, would pay for them at its start.
"""

import json
import os
import sys
from pathlib import Path

import click
from flask.cli import with_appcontext

from marketplace import clock
from marketplace.cli.guards import guarded, say, settings
from marketplace.db import run_in_transaction
from marketplace.db import session as db_session
from marketplace.schemes import queries as schemes

_COUNT = click.IntRange(1, 100_000)


@click.command("seed")
@with_appcontext
def seed_command() -> None:
    """Fill an empty installation with five weeks of a running programme; once."""
    from marketplace.dev.demo.seed import seed

    guarded(lambda: seed(settings(), say))


@click.command("demo")
@click.option("--catalogue", type=click.Path(path_type=Path), help="A CSV file in place of the demo's own.")
@click.option(
    "--participants", type=_COUNT, envvar="BEKAL_DEMO_PARTICIPANTS", default=1000, show_default=True
)
@click.option("--purchases", type=_COUNT, envvar="BEKAL_DEMO_PURCHASES", default=2000, show_default=True)
@click.option("--runs", type=_COUNT, envvar="BEKAL_DEMO_RUNS", default=80, show_default=True)
def demo_command(catalogue: Path | None, participants: int, purchases: int, runs: int) -> None:
    """Play the whole job through HTTP and Celery, in a fresh folder unless BEKAL_HOME names one.

    The last line says whether the books balance; exit 1 when they do not.
    """
    from marketplace.dev.demo.demo import run_demo
    from marketplace.dev.demo.playground import Size

    size = Size(participants=participants, purchases=purchases, runs=runs)
    outcome: list[bool] = []
    guarded(lambda: outcome.append(run_demo(os.environ, catalogue, size, say)))
    sys.exit(0 if outcome == [True] else 1)


@click.command("runs")
@click.option("--most", type=_COUNT, default=80, show_default=True)
@with_appcontext
def runs_command(most: int) -> None:
    """Offer courses that have no run within one week of programme time."""
    from marketplace.dev.demo import timetable
    from marketplace.dev.demo.story import Days

    def act() -> None:
        settings()
        count = run_in_transaction(
            lambda session: timetable.fill_week(
                session, Days(clock.now(session)), schemes.get_default_scheme(session), most
            )
        )
        say(json.dumps({"runs": count}))

    guarded(act)


@click.command("staff")
@with_appcontext
def staff_command() -> None:
    """Make the finance office, and staff and bank accounts of providers that have nobody."""
    from marketplace.dev.demo import stage

    def act() -> None:
        settings()
        run_in_transaction(stage.open_office)
        proposed = run_in_transaction(stage.add_staff)
        run_in_transaction(lambda session: stage.approve_accounts(session, proposed))
        say(json.dumps({"providers": len(proposed)}))

    guarded(act)


@click.command("books")
@with_appcontext
def books_command() -> None:
    """Hold the books against themselves and against the bank's log; exit 1 when they do not balance."""
    from marketplace.dev.demo.judge import judge

    def act() -> None:
        found = judge(db_session(), settings().bank_folder)
        for line in (*found.facts, *found.reasons):
            say(line)
        say(f"books balance: {'no' if found.reasons else 'yes'}")
        sys.exit(1 if found.reasons else 0)

    guarded(act)


COMMANDS = (seed_command, demo_command, runs_command, staff_command, books_command)
