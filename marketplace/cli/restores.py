"""`flask ledger load|adopt|close-period`: what only the owner of the database may do to the books."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TextIO

import click
from flask import current_app
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from ledger import Adoption, Checkpoint, adopt, close_period, load
from marketplace.cli.console import as_json, print_json, refusals, with_progress
from marketplace.cli.ledger import DAY, end_of_day, ledger, read_trusted, verifier_keys
from marketplace.config import Settings


@ledger.command("load")
@click.argument("file", type=click.File(encoding="utf-8"))
@verifier_keys
def load_command(file: TextIO, keys: tuple[str, ...]) -> None:
    """Load a full export (FILE) into an empty ledger, as the owner of the database."""
    known, _ = read_trusted(keys, None)
    with refusals(), _owner_session() as session:
        count = load(session, with_progress(file, "loading"), known)
    click.echo(f"{count} transactions loaded, every root as it was signed")


@ledger.command("close-period")
@click.argument("last", metavar="DAY", type=DAY)
@click.option("--yes", is_flag=True, help="Do not ask.")
def close_period_command(last: datetime, yes: bool) -> None:
    """Close the books up to the end of DAY (as 2026-10-31, in Asia/Jakarta), as the owner of the database.

    Nothing can be dated back into it from then on, ever.
    """
    if not yes:
        click.confirm(f"Close everything up to {last:%Y-%m-%d}, for ever?", abort=True, err=True)
    with refusals(), _owner_session() as session:
        close_period(session, end_of_day(last))
    click.echo(f"closed up to {last:%Y-%m-%d}")


@ledger.command("adopt")
@click.option(
    "--checkpoint",
    type=click.File(encoding="utf-8"),
    help="The newest checkpoint that was published: the restored ledger may lie behind it.",
)
@verifier_keys
@as_json
def adopt_command(checkpoint: TextIO | None, keys: tuple[str, ...], as_json: bool) -> None:
    """Make a restored ledger ready, as the owner of the database, before the service starts again."""
    _, published = read_trusted(keys, checkpoint)
    with refusals(), _owner_session() as session:
        found = adopt(session, published)
    if as_json:
        lost = found.lost and {
            "origin": found.lost.origin,
            "size": found.lost.size,
            "root": found.lost.root.hex(),
        }
        print_json(position=found.position, raised_by=found.raised_by, lost=lost)
    else:
        _print(found, published)


def _print(found: Adoption, published: Checkpoint | None) -> None:
    if found.raised_by:
        click.echo(f"positions go on at {found.position}, {found.raised_by} above this cluster's own")
    else:
        click.echo(f"positions go on at {found.position} by themselves")
    if found.lost is not None:
        click.echo(
            f"LOST: a checkpoint of {found.lost.size} was published, and these books do not lead to it.\n"
            f"The log {found.lost.origin} has ended. Make its successor's key (`flask ledger new-key NAME`),"
            " put it into LOG_SIGNING_KEY and publish the verifier key: the next checkpoint says it all."
        )
    elif published is not None:
        click.echo(f"these books lead to the published checkpoint of {published.size} entries")


@contextmanager
def _owner_session() -> Iterator[Session]:
    """One transaction of the database's owner."""
    settings: Settings = current_app.extensions["settings"]
    if not settings.database_owner_url:
        raise click.UsageError("DATABASE_OWNER_URL names no database: only its owner may")
    engine = create_engine(settings.database_owner_url, hide_parameters=True, poolclass=NullPool)
    with engine.begin() as connection, Session(connection) as session:
        yield session
