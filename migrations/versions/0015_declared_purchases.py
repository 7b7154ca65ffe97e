"""Purchases that a provider's staff declare as a conflict of interest: what they earn is held."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0010"
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


def downgrade() -> None:
    op.drop_table("declared_purchase")
