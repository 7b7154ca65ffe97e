"""Commands find their database running: engines that are stopped run for as long as the command does."""

import os
import sys

import click

from marketplace.dev.errors import DevelopmentError
from marketplace.dev.on_demand import ensure_engines


def start_stopped_engines() -> None:
    """Call before the settings are read. Ends the process with 2 where the engines cannot be had."""
    try:
        ensure_engines(sys.argv[1:], os.environ, lambda line: click.echo(line, err=True))
    except DevelopmentError as error:
        click.echo(f"bekal: {error}", err=True)
        sys.exit(2)
