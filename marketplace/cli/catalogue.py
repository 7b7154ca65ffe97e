"""`flask catalogue`: bring in a provider's or a programme's list of courses."""

from collections.abc import Sequence
from pathlib import Path

import click
from sqlalchemy.orm import Session

from marketplace.catalogue.csv_import import CatalogueFileError, Problem, read_catalogue
from marketplace.catalogue.importing import ImportReport, import_rows
from marketplace.cli.console import (
    Commands,
    acting,
    as_json,
    as_person,
    dry_run,
    print_json,
    refusals,
    with_progress,
)
from marketplace.db import run_in_transaction
from marketplace.identity import audit

catalogue = Commands("catalogue", help="Courses.")

_UNUSABLE, _REFUSED = 2, 1


class _DryRun(Exception):
    """Carries the report out of a transaction that is not to be kept."""

    def __init__(self, report: ImportReport) -> None:
        super().__init__()
        self.report = report


@catalogue.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--provider", default="", help="Whose courses the rows without a provider are.")
@as_person
@dry_run
@as_json
def import_command(file: Path, provider: str, person: str | None, dry_run: bool, as_json: bool) -> None:
    """Book the good rows of FILE (CSV, UTF-8) and report the others by line, column, value and reason.

    Exit 2 when the file as a whole is unusable: then nothing is booked. Exit 1 when rows were refused.
    """
    with refusals():
        try:
            report = _import(file, " ".join(provider.split()), person, keep=not dry_run)
        except CatalogueFileError as error:
            _print_unusable(error, as_json)
            raise click.exceptions.Exit(_UNUSABLE) from error
    if as_json:
        print_json(dry_run=dry_run, **_document(report))
    else:
        _print(report, dry_run)
    if report.refused:
        raise click.exceptions.Exit(_REFUSED)


def _import(file: Path, provider: str, person: str | None, *, keep: bool) -> ImportReport:
    """One transaction for the whole file, undone for a dry run."""

    def work(session: Session) -> ImportReport:
        actor = acting(session, person)
        rows = with_progress(read_catalogue(file, provider=provider), "reading", _count_lines(file))
        report = import_rows(session, rows)
        if not keep:
            raise _DryRun(report)
        counts = {"created": report.created, "changed": report.changed, "refused": len(report.refused)}
        audit.record(session, actor, "catalogue.imported", f"file:{file.name}", **counts)
        return report

    try:
        return run_in_transaction(work)
    except _DryRun as done:
        return done.report


def _count_lines(file: Path) -> int | None:
    """About how many rows will come: for the bar alone. What cannot be read is told by the import.

    A pipe is not counted: it gives its content once.
    """
    if not file.is_file():
        return None
    try:
        with file.open("rb") as stream:
            return sum(1 for _ in stream)
    except OSError:
        return None


def _print(report: ImportReport, dry_run: bool) -> None:
    for refused in report.refused:
        for problem in refused.problems:
            click.echo(problem.describe())
    counted = f"{report.created} created, {report.changed} changed, {report.unchanged} unchanged"
    note = " (dry run: nothing was booked)" if dry_run else ""
    click.echo(f"{report.read} rows: {counted}, {len(report.refused)} refused{note}")
    if report.notices:
        click.echo(f"{len(report.notices)} cells to look at; --json lists them")


def _print_unusable(error: CatalogueFileError, as_json: bool) -> None:
    if as_json:
        print_json(error=error.code, **error.details)
    click.echo(f"{error.code}: {error}", err=True)


def _document(report: ImportReport) -> dict[str, object]:
    return {
        "created": report.created,
        "changed": report.changed,
        "unchanged": report.unchanged,
        "refused": [{"line": row.line, "problems": _problems(row.problems)} for row in report.refused],
        "notices": _problems(report.notices),
    }


def _problems(problems: Sequence[Problem]) -> list[dict[str, object]]:
    names = ("line", "column", "value", "code", "reason")
    return [{name: getattr(problem, name) for name in names} for problem in problems]
