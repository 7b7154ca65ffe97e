"""What the development commands share: where they print, and how they refuse."""

import sys
from collections.abc import Callable
from typing import NoReturn

import click
from flask import current_app

from marketplace.config import Settings
from marketplace.dev.errors import DevelopmentError, RefusedInProduction


def say(line: str) -> None:
    """One line on stdout, at once."""
    click.echo(line)
    sys.stdout.flush()


def settings() -> Settings:
    """This installation's settings. Raises RefusedInProduction."""
    found: Settings = current_app.extensions["settings"]
    if found.is_production:
        raise RefusedInProduction
    return found


def guarded(act: Callable[[], None]) -> None:
    """Refusals are sentences on stderr and exit code 2, not tracebacks."""
    try:
        act()
    except DevelopmentError as error:
        _refuse(str(error))


def _refuse(words: str) -> NoReturn:
    click.echo(f"bekal: {words}", err=True)
    sys.exit(2)
