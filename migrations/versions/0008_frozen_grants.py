"""A grant is frozen, with its reason, when its owner may not buy any more."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("grant", sa.Column("frozen_code", sa.Text(), nullable=True))
    _states("'awarded', 'active', 'frozen', 'revoked', 'lapsed'")
    op.create_check_constraint(
        op.f("ck_grant_frozen"), "grant", "(state = 'frozen') = (frozen_code IS NOT NULL)"
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_grant_frozen"), "grant")
    op.execute("UPDATE \"grant\" SET state = 'active' WHERE state = 'frozen'")
    _states("'awarded', 'active', 'revoked', 'lapsed'")
    op.drop_column("grant", "frozen_code")


def _states(words: str) -> None:
    op.drop_constraint(op.f("ck_grant_state"), "grant")
    op.create_check_constraint(op.f("ck_grant_state"), "grant", f"state IN ({words})")
