"""Why a run was cancelled stays with it, for whoever bought a seat. What the audit trail still knows comes along."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("run", sa.Column("cancel_reason", sa.Text(), nullable=True))
    op.create_check_constraint("cancel_reason", "run", "cancel_reason IS NULL OR state = 'cancelled'")
    op.execute(
        "UPDATE public.run SET cancel_reason = told.details ->> 'reason' FROM public.audit_entry told"
        " WHERE told.action = 'run.cancel' AND told.subject = 'run:' || run.id AND run.state = 'cancelled'"
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_run_cancel_reason"), "run", type_="check")
    op.drop_column("run", "cancel_reason")
