"""`flask payouts`: prepare, submit, approve and send payout runs, and read what the bank answers."""

import json
import sys
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import click
from flask import current_app
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.broker import nudge
from marketplace.cli import payout_words as words
from marketplace.cli.console import Commands, acting_person
from marketplace.db import run_in_transaction
from marketplace.db import session as db_session
from marketplace.errors import MarketplaceError
from marketplace.payouts import courier, queries, service, tasks
from marketplace.payouts.bank import read_answer
from marketplace.payouts.messages import rupiah
from marketplace.schemes import queries as schemes

payouts = Commands("payouts", help="Payout runs: from matured earnings to the bank and back.")

Change = Callable[..., Any]

as_person = click.option("--as", "contact", required=True, metavar="EMAIL", help="The acting finance person.")
as_json = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
confirmed = click.option("--yes", is_flag=True, help="Do not ask.")
dry_run = click.option("--dry-run", is_flag=True, help="Tell what would happen; change nothing.")


@payouts.command("prepare")
@click.option("--scheme", "scheme_code", help="Scheme code; the default scheme unless given.")
@click.option("--as", "contact", metavar="EMAIL", help="A finance person who adds a further run of today.")
@dry_run
@as_json
def prepare_command(scheme_code: str | None, contact: str | None, dry_run: bool, as_json: bool) -> None:
    """Prepare today's run of a scheme and tell what waits, with the reason."""

    def prepare(session: Session) -> uuid.UUID | None:
        actor = acting_person(session, contact) if contact else None
        run = service.prepare(session, _scheme(session, scheme_code), clock.today(session), actor)
        return run.id if run else None

    with _refusals():
        run_id = None if dry_run else run_in_transaction(prepare)
        session = db_session()
        scheme = _scheme(session, scheme_code)
        document = {
            "run": words.run_document(session, run_id) if run_id else None,
            "payable": words.payable_document(session, scheme),
            "waiting": words.waiting_documents(session, scheme),
        }
    _print(document, as_json, words.prepared_lines(document))


@payouts.command("submit")
@click.argument("run_id", type=click.UUID)
@as_person
@as_json
def submit_command(run_id: uuid.UUID, contact: str, as_json: bool) -> None:
    """Put a prepared run before a second person."""
    _act(run_id, contact, service.submit, as_json)


@payouts.command("approve")
@click.argument("run_id", type=click.UUID)
@as_person
@confirmed
@as_json
def approve_command(run_id: uuid.UUID, contact: str, yes: bool, as_json: bool) -> None:
    """Let a submitted run go to the bank, as a second person on a working day."""
    if not yes:
        with _refusals():
            summary = queries.summarise(db_session(), queries.get_run(db_session(), run_id))
        click.confirm(f"Send {summary.payouts} payouts, {rupiah(summary.amount)}?", abort=True, err=True)
    _act(run_id, contact, service.approve, as_json)
    nudge(tasks.send_run, str(run_id))


@payouts.command("cancel")
@click.argument("run_id", type=click.UUID)
@as_person
@click.option("--reason", required=True)
@as_json
def cancel_command(run_id: uuid.UUID, contact: str, reason: str, as_json: bool) -> None:
    """Take back a run before its approval."""
    _act(run_id, contact, service.cancel, as_json, reason=reason)


@payouts.command("retry")
@click.argument("payout")
@as_person
@as_json
def retry_command(payout: str, contact: str, as_json: bool) -> None:
    """Try a rejected or returned payout (po_...) again: prepares a further run for today."""

    def retry(session: Session) -> uuid.UUID | None:
        run = service.retry(session, _payout_id(payout), acting_person(session, contact))
        return run.id if run else None

    with _refusals():
        run_id = run_in_transaction(retry)
        if run_id is None:
            raise click.ClickException("the money still waits; see flask payouts status")
        document = words.run_document(db_session(), run_id)
    _print(document, as_json, words.run_lines(document))


@payouts.command("send")
@as_json
def send_command(as_json: bool) -> None:
    """Hand approved runs to the bank, read its answers, ask where it stays silent."""
    with _refusals():
        desk = courier.desk(current_app.extensions["settings"])
        sent = courier.send_waiting(desk)
        taken = courier.read_answers(desk)
        asked = courier.ask_about_silence(desk)
    document = {
        "sent": sent,
        "files": [words.taken_document(each) for each in taken],
        "asked": [str(run) for run in asked],
    }
    lines = [f"{sent} runs sent, {len(taken)} files read, {len(asked)} runs asked about"]
    _print(document, as_json, lines + [words.file_line(each) for each in taken])
    sys.exit(1 if any(each.problem for each in taken) else 0)


@payouts.command("reconcile")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@as_json
def reconcile_command(file: Path, as_json: bool) -> None:
    """Book a status report (pain.002) or statement (camt.053) that came by another way."""
    answer = read_answer(file)
    with _refusals():
        if answer is None:
            raise click.ClickException(f"{file} is gone")
        taken = courier.take(answer, courier.desk(current_app.extensions["settings"]))
    if taken is None:
        raise click.ClickException("a worker is reading the bank's files; try again")
    _print(words.taken_document(taken), as_json, [words.file_line(taken)])
    if taken.problem:
        sys.exit(2)
    sys.exit(1 if taken.findings else 0)


@payouts.command("status")
@as_json
def status_command(as_json: bool) -> None:
    """Runs, payouts by state, what waits and why, unexplained bank lines; 1 when books do not hold."""
    document = words.status_document(db_session())
    _print(document, as_json, words.status_lines(document))
    sys.exit(0 if document["books_balance"] else 1)


# Acting


def _act(run_id: uuid.UUID, contact: str, change: Change, as_json: bool, **more: str) -> None:
    with _refusals():
        run_in_transaction(partial(_change, change, run_id, contact, more))
        document = words.run_document(db_session(), run_id)
    _print(document, as_json, words.run_lines(document))


def _change(change: Change, run_id: uuid.UUID, contact: str, more: dict[str, str], session: Session) -> None:
    change(session, run_id, acting_person(session, contact), **more)


def _print(document: Any, as_json: bool, lines: Iterable[str]) -> None:
    click.echo(json.dumps(document, ensure_ascii=False) if as_json else "\n".join(lines))


@contextmanager
def _refusals() -> Iterator[None]:
    """A refusal is one line on stderr and exit code 1, never a traceback."""
    try:
        yield
    except MarketplaceError as error:
        raise click.ClickException(f"{error.code}: {error}") from error


def _scheme(session: Session, code: str | None) -> str:
    return schemes.get_scheme(session, code).code if code else schemes.get_default_scheme(session).code


def _payout_id(label: str) -> uuid.UUID:
    try:
        return uuid.UUID(hex=label.removeprefix("po_"))
    except ValueError as error:
        raise click.UsageError(f"{label} is not a payout; one looks like po_ and 32 digits") from error
