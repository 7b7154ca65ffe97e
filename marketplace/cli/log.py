"""`flask ledger seal|prove|cosign|log-key|new-key`: the public log and its proofs."""

from pathlib import Path
from typing import TextIO
from uuid import UUID

import click
from flask import current_app

from ledger import (
    Document,
    Refused,
    cosign,
    find_seal,
    get_balance_receipt,
    get_growth,
    get_receipt,
    new_signer,
    proof_text,
    published_note,
    read_key,
)
from marketplace.cli.console import as_json, print_json, refusals
from marketplace.cli.ledger import ledger
from marketplace.db import run_in_transaction
from marketplace.db import session as db_session
from marketplace.oversight import log


@ledger.command("seal")
@click.option("--balances", is_flag=True, help="Seal a tree of all balances too.")
@as_json
def seal_command(balances: bool, as_json: bool) -> None:
    """Seal whatever was written before the oldest transaction under way, and print the checkpoint."""
    key = log.signer(current_app.extensions["settings"])
    with refusals():
        run_in_transaction(lambda session: log.seal_waiting(session, key, balances=balances))
    newest = find_seal(db_session())
    if newest is None:
        raise click.ClickException("nothing is sealed yet")
    note = published_note(db_session(), newest)
    if as_json:
        print_json(seal=newest.id, size=newest.size, root=newest.root.hex(), checkpoint=note)
    else:
        click.echo(note, nl=False)


@ledger.command("prove")
@click.option("--transaction", type=UUID, help="That this transaction is in the log.")
@click.option("--balance", "account", help="What this account held when balances were sealed last.")
@click.option("--since", "size", type=int, help="That the log only grew since the checkpoint of this size.")
@click.option("--personal", is_flag=True, help="Show the transaction's personal part.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="A file; else stdout.")
def prove_command(
    transaction: UUID | None, account: str | None, size: int | None, personal: bool, output: Path | None
) -> None:
    """Write a proof that `verify_receipt.py` checks without this service."""
    if sum(each is not None for each in (transaction, account, size)) != 1:
        raise click.UsageError("name one of --transaction, --balance and --since")
    with refusals():
        found = _proof(transaction, account, size, personal)
    text = proof_text(found)
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")


@ledger.command("log-key")
def log_key_command() -> None:
    """Print the verifier key of this log. Publish it where it cannot be changed together with the log."""
    click.echo(str(log.signer(current_app.extensions["settings"]).key))


@ledger.command("new-key")
@click.argument("name")
def new_key_command(name: str) -> None:
    """Make a signing key for a log called NAME (as bekal.example/log): a secret for LOG_SIGNING_KEY."""
    with refusals():
        made = new_signer(name)
    click.echo(made.secret)
    click.echo(f"verifier key: {made.key}", err=True)


@ledger.command("cosign")
@click.argument("note", type=click.File(encoding="utf-8"))
@click.option("--witness", required=True, help="The witness's verifier key.")
def cosign_command(note: TextIO, witness: str) -> None:
    """Keep a witness's signature: NOTE is a checkpoint of ours that it signed."""
    try:
        key = read_key(witness)
    except Refused as refusal:
        raise click.UsageError(str(refusal)) from refusal
    text = note.read()
    with refusals():
        size = run_in_transaction(lambda session: cosign(session, text, key))
    click.echo(f"{key.name} signed the tree of {size}")


def _proof(transaction: UUID | None, account: str | None, size: int | None, personal: bool) -> Document:
    session = db_session()
    if transaction is not None:
        return get_receipt(session, transaction, personal=personal)
    if account is not None:
        return get_balance_receipt(session, account)
    return get_growth(session, size or 0)
