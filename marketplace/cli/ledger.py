"""`flask ledger`: look into the books, and check them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TextIO

import click
from flask import current_app
from sqlalchemy.orm import Session

import ledger as books
from ledger import (
    Checkpoint,
    FamilyTotal,
    Refused,
    Statement,
    TrialBalance,
    TrialBalanceRow,
    VerifierKey,
    read_checkpoint,
    read_key,
)
from marketplace import clock
from marketplace.cli.console import (
    Commands,
    as_json,
    print_json,
    print_table,
    progress_bar,
    refusals,
    rupiah,
)
from marketplace.db import session as db_session
from marketplace.oversight import log
from marketplace.payouts.queries import Equation, equation_of

ledger = Commands("ledger", help="The double-entry books.")

DAY = click.DateTime(["%Y-%m-%d"])


verifier_keys = click.option(
    "--key",
    "keys",
    multiple=True,
    help="A verifier key; else this installation's own. Once more for each key that the log had before.",
)


as_of = click.option("--as-of", "day", type=DAY, help="Only what was effective by the end of this day.")
known_at = click.option(
    "--known-at",
    "size",
    type=click.IntRange(min=1),
    help="Only what was known at the checkpoint of this size (its second line).",
)


@ledger.command("verify")
@verifier_keys
@click.option(
    "--checkpoint",
    type=click.File(encoding="utf-8"),
    help="A checkpoint that was kept elsewhere: the log must still lead to it.",
)
@as_json
def verify_command(keys: tuple[str, ...], checkpoint: TextIO | None, as_json: bool) -> None:
    """Re-compute everything from the postings. Names the first bad row and exits with 1."""
    known, published = read_trusted(keys, checkpoint)
    with progress_bar("verifying") as tell:
        report = books.verify(db_session(), tell, keys=known, published=published)
    if as_json:
        found = str(report.problem) if report.problem else None
        print_json(
            sound=report.is_sound,
            transactions=report.transactions,
            postings=report.postings,
            accounts=report.accounts,
            problem=found,
        )
    else:
        looked = f"{report.transactions} transactions, {report.postings} postings, {report.accounts} accounts"
        click.echo(f"{looked}: {'sound' if report.is_sound else f'BAD ROW {report.problem}'}")
    if not report.is_sound:
        raise click.exceptions.Exit(1)


@ledger.command("trial-balance")
@click.option("--accounts", is_flag=True, help="Every account, not the families alone.")
@as_of
@known_at
@as_json
def trial_balance_command(accounts: bool, day: datetime | None, size: int | None, as_json: bool) -> None:
    """Print the trial balance and the programme's equation. Exits with 1 when either does not hold."""
    session = db_session()
    with refusals():
        trial = books.trial_balance(session, as_of=_end(day), known_at=_position(session, size))
    found = equation_of(trial)
    if as_json:
        print_json(**_trial_document(trial, found, accounts))
    else:
        _print_trial(trial, found, accounts)
    if not (trial.is_balanced and found.holds):
        raise click.exceptions.Exit(1)


@ledger.command("balance")
@click.argument("accounts", nargs=-1, required=True)
@as_of
@known_at
@as_json
def balance_command(accounts: tuple[str, ...], day: datetime | None, size: int | None, as_json: bool) -> None:
    """The balances of ACCOUNTS (as fund:2023), natural side positive."""
    session = db_session()
    with refusals():
        found = books.balances(session, accounts, as_of=_end(day), known_at=_position(session, size))
    if as_json:
        print_json(balances=found)
    else:
        print_table(["account", "balance"], [[code, rupiah(amount)] for code, amount in found.items()])


@ledger.command("statement")
@click.argument("account")
@click.option("--from", "first", type=DAY, help="First day, as 2026-11-01; from the beginning unless given.")
@click.option("--to", "last", type=DAY, help="Last day; until now unless given.")
@known_at
@as_json
def statement_command(
    account: str, first: datetime | None, last: datetime | None, size: int | None, as_json: bool
) -> None:
    """The lines of ACCOUNT between its opening and closing balance, by days in Asia/Jakarta."""
    session, start = db_session(), clock.start_of_day(first.date()) if first else None
    with refusals():
        known = _position(session, size)
        found = books.statement(session, account, start, _end(last), known_at=known)
    if as_json:
        print_json(**_statement_document(found))
    else:
        _print_statement(found)


def read_trusted(
    keys: Sequence[str], checkpoint: TextIO | None
) -> tuple[Sequence[VerifierKey], Checkpoint | None]:
    """The keys that are trusted, and the checkpoint by whichever of them signed it.

    Raises click.UsageError.
    """
    try:
        known = [read_key(each) for each in keys] or [log.signer(current_app.extensions["settings"]).key]
        if checkpoint is None:
            return known, None
        return known, read_checkpoint(checkpoint.read(), *known)
    except Refused as refusal:
        raise click.UsageError(str(refusal)) from refusal


def end_of_day(day: datetime) -> datetime:
    """The instant at which a day in Asia/Jakarta is over."""
    return clock.start_of_day(day.date() + timedelta(days=1))


def _end(day: datetime | None) -> datetime | None:
    return end_of_day(day) if day else None


def _position(session: Session, size: int | None) -> int | None:
    """Below which everything was written that a checkpoint of this size sealed. Raises NotSealed."""
    return books.get_seal_of(session, size).through if size else None


def _print_trial(trial: TrialBalance, found: Equation, accounts: bool) -> None:
    named: Sequence[tuple[str, TrialBalanceRow | FamilyTotal]]
    if accounts:
        named = [(row.code, row) for row in trial.rows]
    else:
        named = [(total.family, total) for total in trial.families]
    table = [[name, rupiah(row.debits), rupiah(row.credits), rupiah(row.balance)] for name, row in named]
    table.append(["total", rupiah(trial.debits), rupiah(trial.credits), ""])
    print_table(["account" if accounts else "family", "debits", "credits", "balance"], table)
    click.echo()
    click.echo(_side(found.left) + f" = {rupiah(found.left_total)}")
    click.echo(_side(found.right) + f" = {rupiah(found.right_total)}")
    click.echo(f"books balance: {'yes' if trial.is_balanced and found.holds else 'NO'}")


def _side(families: Sequence[tuple[str, Decimal]]) -> str:
    return " + ".join(family for family, _ in families)


def _trial_document(trial: TrialBalance, found: Equation, accounts: bool) -> dict[str, object]:
    names = ("kind", "debits", "credits", "balance")
    document: dict[str, object] = {
        "families": [
            {"family": row.family, **{name: getattr(row, name) for name in names}} for row in trial.families
        ],
        "debits": trial.debits,
        "credits": trial.credits,
        "equation": {"left": dict(found.left), "right": dict(found.right), "holds": found.holds},
        "balanced": trial.is_balanced and found.holds,
    }
    if accounts:
        document["accounts"] = [
            {"account": row.code, **{name: getattr(row, name) for name in names}} for row in trial.rows
        ]
    return document


def _print_statement(found: Statement) -> None:
    rows = [["", "", "opening", rupiah(found.opening)]]
    for line in found.lines:
        when = line.effective_at.astimezone(clock.ZONE).strftime("%Y-%m-%d %H:%M")
        rows.append([f"{when} {line.kind}", line.counterpart, rupiah(line.amount), rupiah(line.balance)])
    rows.append(["", "", "closing", rupiah(found.closing)])
    print_table([found.account, "other account", "amount", "balance"], rows)


def _statement_document(found: Statement) -> dict[str, object]:
    names = ("transaction_id", "kind", "effective_at", "reference", "counterpart", "amount", "balance")
    lines = [{name: getattr(line, name) for name in names} for line in found.lines]
    return {"account": found.account, "opening": found.opening, "lines": lines, "closing": found.closing}
