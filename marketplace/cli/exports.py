"""`flask ledger export|load`: the books in other programs' forms, and the whole history in one file."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TextIO

import click
from flask import current_app
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from ledger.archive import dump
from ledger.export import FORMS, export
from ledger.loading import load
from marketplace import clock
from marketplace.cli.console import refusals
from marketplace.cli.ledger import ledger
from marketplace.config import Settings
from marketplace.db import session as db_session
from marketplace.oversight import log

_DAY = click.DateTime(["%Y-%m-%d"])
_FULL = "full"


@ledger.command("export")
@click.option("--format", "form", type=click.Choice([*FORMS, _FULL]), required=True)
@click.option("--from", "first", type=_DAY, help="First day, as 2026-11-01; from the beginning unless given.")
@click.option("--to", "last", type=_DAY, help="Last day; until the last transaction unless given.")
@click.option(
    "--personal", is_flag=True, help="Personal parts too (full): only such an export can be loaded."
)
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="A file; else stdout.")
def export_command(
    form: str, first: datetime | None, last: datetime | None, personal: bool, output: Path | None
) -> None:
    """Write the books, by days in Asia/Jakarta, between opening and closing balances.

    `full` writes everything that is sealed, with salts and checkpoints: `verify_receipt.py` checks it.
    """
    if form == _FULL and (first or last):
        raise click.UsageError("a full export has no beginning and no end")
    if personal and form != _FULL:
        raise click.UsageError("--personal is for full exports")
    start = clock.start_of_day(first.date()) if first else None
    end = clock.start_of_day(last.date() + timedelta(days=1)) if last else None
    session = _snapshot()
    if form == _FULL:
        _write(dump(session, personal=personal), output)
    else:
        _write(export(session, form, start=start, end=end, zone=clock.ZONE), output)


@ledger.command("load")
@click.argument("file", type=click.File(encoding="utf-8"))
def load_command(file: TextIO) -> None:
    """Load a full export (FILE) into an empty ledger, as the owner of the database."""
    settings: Settings = current_app.extensions["settings"]
    if not settings.database_owner_url:
        raise click.UsageError("DATABASE_OWNER_URL names no database: only its owner can load")
    engine = create_engine(settings.database_owner_url, hide_parameters=True, poolclass=NullPool)
    with refusals(), engine.begin() as connection, Session(connection) as session:
        count = load(session, file, [log.signer(settings).key])
    click.echo(f"{count} transactions loaded, every root as it was signed")


def _snapshot() -> Session:
    """A session that sees one instant, however long the export takes."""
    session = db_session()
    session.rollback()
    session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    return session


def _write(lines: Iterable[str], output: Path | None) -> None:
    if output is None:
        for line in lines:
            click.echo(line, nl=False)
        return
    with output.open("w", encoding="utf-8") as file:
        file.writelines(lines)
