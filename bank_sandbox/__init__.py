"""A bank for tests and demos: a process of its own that speaks through files in a folder.

    python -m bank_sandbox FOLDER [--behaviour FILE] [--account NUMBER] [--poll SECONDS] [--once]

It shares no code with the marketplace or the ledger, so that its log can judge them: if it says that
a payout was paid once, no fault in Bekal's own reading could have made it so. See docs/bank.md.
"""

from bank_sandbox.log import paid_totals, read, returned_totals

__all__ = ["paid_totals", "read", "returned_totals"]
