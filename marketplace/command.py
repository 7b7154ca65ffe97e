"""The `flask` command: operator commands and migrations. Pages: `flask --app marketplace.app`."""

import gc

from flask import Flask
from flask_migrate import Migrate

from marketplace import cli
from marketplace.cli.engines import starting
from marketplace.core import build_core
from marketplace.db import MIGRATIONS, db


def create_cli_app() -> Flask:
    """The application as the `flask` command sees it: stopped embedded engines run while the command does."""
    with starting():
        app = equip(build_core())
    # all of it stays until the end, where looking through it for garbage would take half a second
    gc.freeze()
    return app


def equip(app: Flask) -> Flask:
    """Add every command to an application."""
    app.cli = cli.Commands()
    Migrate(app, db, directory=str(MIGRATIONS))
    return app
