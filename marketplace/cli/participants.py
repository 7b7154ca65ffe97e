"""`flask participants`: who may not buy any more, and who may again."""

import click
from sqlalchemy.orm import Session

from marketplace.batches import service as batches
from marketplace.cli.console import Commands, acting, as_json, as_person, print_json, refusals
from marketplace.db import run_in_transaction
from marketplace.identity import queries as identity
from marketplace.participants import eligibility, queries, service
from marketplace.participants.models import Participant

participants = Commands("participants", help="People with the benefit.")


@participants.command("block")
@click.argument("contact")
@click.argument("code", type=click.Choice(eligibility.BLOCKS))
@as_person
@as_json
def block_command(contact: str, code: str, person: str | None, as_json: bool) -> None:
    """Let the person of CONTACT buy nothing more, for the reason CODE; what they are in goes on."""

    def block(session: Session) -> str | None:
        participant = _participant(session, contact)
        service.block(session, participant, code, acting(session, person))
        return participant.blocked_code

    with refusals():
        _show(contact, run_in_transaction(block), as_json)


@participants.command("unblock")
@click.argument("contact")
@as_person
@as_json
def unblock_command(contact: str, person: str | None, as_json: bool) -> None:
    """Let the person of CONTACT buy again; a frozen balance is opened."""

    def unblock(session: Session) -> str | None:
        participant = _participant(session, contact)
        service.unblock(session, participant, acting(session, person))
        batches.thaw(session, participant.id)
        return participant.blocked_code

    with refusals():
        _show(contact, run_in_transaction(unblock), as_json)


def _participant(session: Session, contact: str) -> Participant:
    user = identity.find_user(session, contact)
    found = queries.find_by_user(session, user.id) if user else None
    if found is None:
        raise click.UsageError(f"nobody with the contact {contact} is registered")
    return found


def _show(contact: str, code: str | None, as_json: bool) -> None:
    if as_json:
        print_json(contact=contact, blocked=code)
    else:
        click.echo(f"{contact}: {f'blocked ({code})' if code else 'may buy'}")
