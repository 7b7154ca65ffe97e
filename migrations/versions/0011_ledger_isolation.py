"""Accounts are opened and closed, personal parts erased and periods closed in READ COMMITTED alone.

The SQL beside this file is a frozen copy of what ledger/schema.sql changed; a test compares what both build.
"""

from pathlib import Path

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_FOLDER = Path(__file__).resolve().parents[1] / "sql"


def upgrade() -> None:
    _run("0011_ledger_isolation.sql")


def downgrade() -> None:
    _run("0011_ledger_isolation_down.sql")


def _run(name: str) -> None:
    # handed to the driver as it is: neither colons nor percent signs mean parameters here
    script = (_FOLDER / name).read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(script, execution_options={"no_parameters": True})
