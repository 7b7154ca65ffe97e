"""`flask dev`: run Bekal on this machine, and play with its time."""

import os
import signal
from datetime import datetime
from pathlib import Path

import click
from flask.cli import with_appcontext

from marketplace.cli import demo
from marketplace.cli.console import Commands
from marketplace.cli.guards import guarded, say, settings
from marketplace.clock import ZONE
from marketplace.dev import owner_sql, programme_clock
from marketplace.dev.engines import Addresses, find_running, running
from marketplace.dev.reset import reset
from marketplace.dev.signals import until_stopped
from marketplace.dev.up import up

dev = Commands("dev", help="Embedded engines, demo data and programme time. Never in production.")
for command in demo.COMMANDS:
    dev.add_command(command)


@dev.command("up")
@click.option("--port", type=click.IntRange(1, 65535), envvar="PORT", default=8000, show_default=True)
@click.option("--demo/--no-demo", envvar="BEKAL_DEMO", default=True, help="Load the demo data, once.")
def up_command(port: int, demo: bool) -> None:
    """Start everything and keep it running until Ctrl-C."""
    guarded(lambda: up(_home(), os.environ, say, port=port, demo=demo))


@dev.command("engines")
def engines_command() -> None:
    """Print the addresses of PostgreSQL and Valkey; start them, until Ctrl-C, where nobody has."""

    def act() -> None:
        already = find_running(_home())
        if already:
            _print_addresses(already)
            return
        with until_stopped(), running(_home(), os.environ, say, shared=True) as addresses:
            _print_addresses(addresses)
            signal.pause()

    guarded(act)


def _print_addresses(addresses: Addresses) -> None:
    say(f"export DATABASE_URL='{addresses.database_url}'")
    say(f"export DATABASE_OWNER_URL='{addresses.database_owner_url}'")
    say(f"export REDIS_URL='{addresses.redis_url}'")


@dev.command("sql")
@click.argument("statement")
@with_appcontext
def sql_command(statement: str) -> None:
    """Run one STATEMENT as the database's owner, who may do what the application may not."""

    def act() -> None:
        status, rows = owner_sql.execute(settings().database_owner_url, statement)
        for row in rows:
            click.echo("\t".join(row))
        say(status)

    guarded(act)


@dev.command("reset")
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset_command(yes: bool) -> None:
    """Delete the embedded installation in BEKAL_HOME: database, messages, bank files, logs."""
    if not yes:
        click.confirm("Delete all data of this installation?", abort=True, err=True)
    guarded(lambda: reset(_home()))


@dev.group("clock", invoke_without_command=True)
@click.pass_context
@with_appcontext
def clock_group(context: click.Context) -> None:
    """Show programme time."""
    if context.invoked_subcommand is None:
        guarded(lambda: _show(programme_clock.read(settings().database_owner_url)))


@clock_group.command("advance")
@click.argument("duration")
def advance_command(duration: str) -> None:
    """Let DURATION pass (10d, 3h, 1w2d): deadlines fall due, and the next tick acts on them."""

    def act() -> None:
        by = programme_clock.parse_duration(duration)
        _show(programme_clock.advance(settings().database_owner_url, by))

    guarded(act)


def _show(instant: datetime) -> None:
    click.echo(instant.astimezone(ZONE).isoformat(timespec="seconds"))


def _home() -> Path:
    return settings().home
