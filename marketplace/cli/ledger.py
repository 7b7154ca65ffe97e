"""`flask ledger`: look into the books, and check them."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TextIO

import click
from flask import current_app

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
from marketplace.payouts.queries import Equation, equation

ledger = Commands("ledger", help="The double-entry books.")

_DAY = click.DateTime(["%Y-%m-%d"])


verifier_keys = click.option(
    "--key", "keys", multiple=True, help="A verifier key; else this installation's own."
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
@as_json
def trial_balance_command(accounts: bool, as_json: bool) -> None:
    """Print the trial balance and the programme's equation. Exits with 1 when either does not hold."""
    session = db_session()
    trial, found = books.trial_balance(session), equation(session)
    if as_json:
        print_json(**_trial_document(trial, found, accounts))
    else:
        _print_trial(trial, found, accounts)
    if not (trial.is_balanced and found.holds):
        raise click.exceptions.Exit(1)


@ledger.command("balance")
@click.argument("accounts", nargs=-1, required=True)
@as_json
def balance_command(accounts: tuple[str, ...], as_json: bool) -> None:
    """The balances of ACCOUNTS (as fund:2023), natural side positive."""
    with refusals():
        found = books.balances(db_session(), accounts)
    if as_json:
        print_json(balances=found)
    else:
        print_table(["account", "balance"], [[code, rupiah(amount)] for code, amount in found.items()])


@ledger.command("statement")
@click.argument("account")
@click.option("--from", "first", type=_DAY, help="First day, as 2026-11-01; from the beginning unless given.")
@click.option("--to", "last", type=_DAY, help="Last day; until now unless given.")
@as_json
def statement_command(account: str, first: datetime | None, last: datetime | None, as_json: bool) -> None:
    """The lines of ACCOUNT between its opening and closing balance, by days in Asia/Jakarta."""
    start = clock.start_of_day(first.date()) if first else None
    end = clock.start_of_day(_next(last.date())) if last else None
    with refusals():
        found = books.statement(db_session(), account, start, end)
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
        note = checkpoint.read()
        origin = note.partition("\n")[0]
        return known, read_checkpoint(note, next((key for key in known if key.name == origin), known[0]))
    except Refused as refusal:
        raise click.UsageError(str(refusal)) from refusal


def _next(day: date) -> date:
    return day + timedelta(days=1)


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
