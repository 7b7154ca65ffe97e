"""References are looked up whole and never sorted: their index is by hash, a third of the size."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _index("USING hash (reference)")


def downgrade() -> None:
    _index("(reference)")


def _index(by: str) -> None:
    op.execute("DROP INDEX ledger.ix_transaction_reference")
    op.execute(
        f"CREATE INDEX ix_transaction_reference ON ledger.transaction {by} WHERE reference IS NOT NULL"
    )
