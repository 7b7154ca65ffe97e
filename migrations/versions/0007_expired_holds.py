"""An expired hold is told as such, whether or not anybody has written that down.

The SQL beside this file is a frozen copy of what ledger/schema.sql changed; a test compares what both build.
"""

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_FOLDER = Path(__file__).resolve().parents[1] / "sql"


def upgrade() -> None:
    _run("0007_expired_holds.sql")


def downgrade() -> None:
    _run("0007_expired_holds_down.sql")


def _run(name: str) -> None:
    # handed to the driver as it is: neither colons nor percent signs mean parameters here
    script = (_FOLDER / name).read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(script, execution_options={"no_parameters": True})
