"""The `flask` command: the application with its operator commands and its migrations.

Web servers and workers start without what only commands need.
"""

import gc

from flask import Flask
from flask_migrate import Migrate

from marketplace import cli
from marketplace.app import build_app
from marketplace.cli.engines import starting
from marketplace.db import MIGRATIONS, db


def create_cli_app() -> Flask:
    """The service as the `flask` command sees it: stopped embedded engines run while the command does."""
    with starting():
        app = equip(build_app())
    # all of it stays until the end, where looking through it for garbage would take half a second
    gc.freeze()
    return app


def equip(app: Flask) -> Flask:
    """Add every command to an application."""
    Migrate(app, db, directory=str(MIGRATIONS))
    cli.install(app, app.extensions["settings"])
    return app
