"""Commands find their database running: engines that are stopped run for as long as the command does."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from marketplace.config import ConfigurationError
from marketplace.dev.errors import DevelopmentError
from marketplace.dev.on_demand import ensure_engines


@contextmanager
def starting() -> Iterator[None]:
    """Around making the application for a command: what it cannot start with is said, with exit code 2."""
    try:
        ensure_engines(sys.argv[1:], os.environ, lambda line: click.echo(line, err=True))
        yield
    except (ConfigurationError, DevelopmentError) as error:
        click.echo(f"bekal: {error}", err=True)
        sys.exit(2)
