"""Operator commands, one file per noun. Data on stdout, progress on stderr; exit 0 fine, 1 a check failed
or a refusal, 2 usage."""

from importlib import import_module

from click import Command, Context
from flask.cli import AppGroup

GROUPS = {
    "batches": ("batches",),
    "catalogue": ("catalogue",),
    "certificates": ("certificates",),
    "dev": ("dev",),
    "ledger": ("ledger", "exports", "log", "restores"),
    "participants": ("participants",),
    "payouts": ("payouts",),
    "schemes": ("schemes",),
    "users": ("users",),
}
"""The modules of each group. The first one has it under its name; the others add commands to it."""


class Commands(AppGroup):
    """Loads a group when it is called: no command waits for the modules of the others."""

    def list_commands(self, ctx: Context) -> list[str]:
        """The groups, and what extensions have added."""
        return sorted({*super().list_commands(ctx), *GROUPS})

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        """A group by its name."""
        if cmd_name in GROUPS and cmd_name not in self.commands:
            first, *_ = [import_module(f"marketplace.cli.{name}") for name in GROUPS[cmd_name]]
            self.add_command(getattr(first, cmd_name))
        return super().get_command(ctx, cmd_name)
