"""`flask certificates`: the key that signs digital badges."""

import base64
import secrets

import click

from marketplace.cli.console import Commands

certificates = Commands("certificates", help="Certificates and their digital badges.")


@certificates.command("new-key")
def new_key_command() -> None:
    """Print a new secret for BADGE_SIGNING_KEY. Nothing stores it.

    Write the new one before the old one, separated by a space: what the old one signed stays verifiable.
    """
    click.echo(base64.b64encode(secrets.token_bytes(32)).decode())
