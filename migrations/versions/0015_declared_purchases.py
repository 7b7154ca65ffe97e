"""Purchases that a provider's staff declare as a conflict of interest: what they earn is held.

Also: a file that waits to be booked has a kind, of courses or of runs.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "declared_purchase",
        sa.Column("enrolment_id", sa.Uuid(), nullable=False),
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enrolment_id"], ["enrolment.id"], name=op.f("fk_declared_purchase_enrolment_id")
        ),
        sa.ForeignKeyConstraint(
            ["statement_id"], ["conflict_statement.id"], name=op.f("fk_declared_purchase_statement_id")
        ),
        sa.PrimaryKeyConstraint("enrolment_id", "statement_id", name=op.f("pk_declared_purchase")),
    )
    op.create_index(op.f("ix_declared_purchase_statement_id"), "declared_purchase", ["statement_id"])
    op.execute("REVOKE ALL ON public.declared_purchase FROM bekal_app")
    op.execute("GRANT SELECT, INSERT ON public.declared_purchase TO bekal_app")
    kind = sa.Column("kind", sa.Text(), nullable=False, server_default="courses")
    op.add_column("catalogue_upload", kind)
    op.alter_column("catalogue_upload", "kind", server_default=None)
    op.create_check_constraint(
        op.f("ck_catalogue_upload_kind"), "catalogue_upload", "kind IN ('courses', 'runs')"
    )


def downgrade() -> None:
    op.drop_column("catalogue_upload", "kind")
    op.drop_table("declared_purchase")
