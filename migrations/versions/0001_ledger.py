"""The ledger: its tables, triggers and functions.

The SQL beside this file is a frozen copy of ledger/schema.sql; a test compares what both build.
"""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SQL = Path(__file__).resolve().parents[1] / "sql" / "0001_ledger.sql"


def upgrade() -> None:
    # handed to the driver as it is: neither colons nor percent signs mean parameters here
    op.get_bind().exec_driver_sql(
        _SQL.read_text(encoding="utf-8"), execution_options={"no_parameters": True}
    )


def downgrade() -> None:
    op.execute("DROP SCHEMA ledger CASCADE")
