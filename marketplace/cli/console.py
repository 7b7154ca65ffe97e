"""What every command shares: options, the acting person, refusals, amounts, and JSON."""

import json
import os
import pwd
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from typing import Any, TypeVar

import click
import psycopg
from flask.cli import AppGroup
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from ledger import LedgerError
from marketplace.errors import MarketplaceError
from marketplace.events.snapshot import snapshot
from marketplace.identity import audit
from marketplace.identity import queries as identity
from marketplace.identity.audit import Actor
from marketplace.identity.models import User

T = TypeVar("T")


class Commands(AppGroup):
    """A group of commands that says in words, with exit code 2, when the database cannot be used."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (DBAPIError, psycopg.Error) as error:
            words = _database_words(error)
            if words is None:
                raise
            click.echo(f"bekal: {words}", err=True)
            sys.exit(2)


as_person = click.option(
    "--as", "person", metavar="CONTACT", help="The acting person; else this machine's user."
)
as_json = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
dry_run = click.option("--dry-run", is_flag=True, help="Tell what would happen; change nothing.")

_PATIENCE_SECONDS = 1.0
_AMOUNT = re.compile(r"[0-9]{1,16}|[1-9][0-9]{0,2}(?:\.[0-9]{3}){1,4}")


class RupiahParameter(click.ParamType[Decimal]):
    """Whole rupiah: 3500000, 3.500.000 or Rp3.500.000. Anything else is refused, never guessed."""

    name = "rupiah"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        if isinstance(value, Decimal):
            return value
        text = str(value).removeprefix("Rp")
        if not _AMOUNT.fullmatch(text):
            self.fail(f"{value!r} is not an amount of whole rupiah, as 3500000 or 3.500.000", param, ctx)
        return Decimal(text.replace(".", ""))


def acting(session: Session, contact: str | None) -> Actor:
    """Who is recorded: a login, or the user of this machine. Raises click.UsageError."""
    return f"cli:{_machine_user()}" if contact is None else acting_person(session, contact)


def acting_person(session: Session, contact: str) -> User:
    """The login that acts; the user of this machine is recorded with it. Raises click.UsageError."""
    user = identity.find_user(session, contact)
    if user is None:
        raise click.UsageError(f"nobody has the contact {contact}")
    audit.act_through(session, f"cli:{_machine_user()}")
    return user


@contextmanager
def refusals() -> Iterator[None]:
    """A refusal is one line on stderr and exit code 1, never a traceback."""
    try:
        yield
    except (MarketplaceError, LedgerError) as error:
        raise click.ClickException(f"{error.code}: {error}") from error


def rupiah(amount: Decimal) -> str:
    """`Rp3.500.000`, `−Rp600.000`; sen are shown where there are any."""
    whole = f"Rp{abs(amount):,.2f}".removesuffix(".00").replace(",", ".")
    return f"−{whole}" if amount < 0 else whole


def print_json(**document: object) -> None:
    """One document on stdout, amounts as integers of rupiah."""
    click.echo(json.dumps(snapshot(document), ensure_ascii=False, indent=1))


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Columns as wide as they need, the first to the left and the others to the right."""
    lines = [list(headings), *map(list, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    for line in lines:
        cells = [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        click.echo("  ".join([line[0].ljust(widths[0]), *cells]).rstrip())


def with_progress(items: Iterable[T], label: str, length: int | None = None) -> Iterator[T]:
    """A bar on stderr, when that is a terminal."""
    hidden = not sys.stderr.isatty()
    with click.progressbar(items, label=label, length=length, file=sys.stderr, hidden=hidden) as bar:
        yield from bar


def _database_words(error: DBAPIError | psycopg.Error) -> str | None:
    """What is wrong with the database as a whole; None for an error that is the program's own."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    e = psycopg.errors
    if isinstance(cause, e.UndefinedTable | e.UndefinedColumn | e.InvalidSchemaName):
        return "the database has no tables, or old ones; run: make migrate"
    if isinstance(cause, psycopg.OperationalError):
        return f"the database cannot be used: {' '.join(str(cause).split())}"
    return None


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr, when that is a terminal, for what takes over a second: tell it done and total."""
    with ExitStack() as stack:
        began, bar = time.monotonic(), None

        def tell(done: int, total: int) -> None:
            nonlocal bar
            if bar is None and sys.stderr.isatty() and time.monotonic() - began >= _PATIENCE_SECONDS:
                bar = stack.enter_context(click.progressbar(length=total, label=label, file=sys.stderr))
            if bar is not None:
                bar.update(done - bar.pos)

        yield tell


def _machine_user() -> str:
    number = os.getuid()
    try:
        # not by the environment, which whoever types may set
        return pwd.getpwuid(number).pw_name
    except KeyError:  # an account without a name, as in a bare container
        return str(number)
