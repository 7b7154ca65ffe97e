"""A bank may number its statements by their date: more digits than an integer holds."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("bank_statement", "number", type_=sa.BigInteger())


def downgrade() -> None:
    op.alter_column("bank_statement", "number", type_=sa.Integer())
