"""When the reserve of a grant that has ended was decided."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_WAITS = "state = 'lapsed' AND reserve_returned_at IS NULL"


def upgrade() -> None:
    op.add_column("grant", sa.Column("reserve_returned_at", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(
        op.f("ck_grant_reserve"), "grant", "reserve_returned_at IS NULL OR state = 'lapsed'"
    )
    op.create_index("ix_grant_reserve", "grant", ["id"], unique=False, postgresql_where=_WAITS)


def downgrade() -> None:
    op.drop_index("ix_grant_reserve", table_name="grant", postgresql_where=_WAITS)
    op.drop_constraint(op.f("ck_grant_reserve"), "grant", type_="check")
    op.drop_column("grant", "reserve_returned_at")
