"""`flask ledger export`: the books in other programs' forms, and the whole history in one file."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import click
from sqlalchemy.orm import Session

from ledger import EXPORT_FORMS, dump, export_books
from marketplace import clock
from marketplace.cli.console import progress_bar
from marketplace.cli.ledger import DAY, end_of_day, ledger
from marketplace.db import session as db_session

_FULL = "full"


@ledger.command("export")
@click.option("--format", "form", type=click.Choice([*EXPORT_FORMS, _FULL]), required=True)
@click.option("--from", "first", type=DAY, help="First day, as 2026-11-01; from the beginning unless given.")
@click.option("--to", "last", type=DAY, help="Last day; until the last transaction unless given.")
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
    end = end_of_day(last) if last else None
    session = _snapshot()
    with progress_bar("exporting") as tell:
        if form == _FULL:
            _write(dump(session, personal=personal, progress=tell), output)
        else:
            _write(export_books(session, form, start=start, end=end, zone=clock.ZONE, progress=tell), output)


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
