"""Operator commands, one file per noun. Data on stdout, progress on stderr; exit 0 fine, 1 a check failed
or a refusal, 2 usage."""

from flask import Flask

from marketplace.cli import exports, log, restores
from marketplace.cli.batches import batches
from marketplace.cli.catalogue import catalogue
from marketplace.cli.dev import dev
from marketplace.cli.ledger import ledger
from marketplace.cli.participants import participants
from marketplace.cli.payouts import payouts
from marketplace.cli.schemes import schemes
from marketplace.cli.users import users
from marketplace.config import Settings

# modules that add commands to the group of another
BESIDE = (exports, log, restores)
GROUPS = (batches, catalogue, dev, ledger, participants, payouts, schemes, users)


def install(app: Flask, settings: Settings) -> None:
    """Add every command group to `flask`. The development ones refuse to run in production themselves."""
    for group in GROUPS:
        app.cli.add_command(group)
