"""Files that come with a complaint: encrypted, and never changed or taken away by the application."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_KINDS = "media_type IN ('application/pdf', 'image/png', 'image/jpeg')"


def upgrade() -> None:
    op.create_table(
        "complaint_attachment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content_encrypted", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(_KINDS, name=op.f("ck_complaint_attachment_media_type")),
        sa.ForeignKeyConstraint(
            ["message_id"], ["complaint_message.id"], name=op.f("fk_complaint_attachment_message_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaint_attachment")),
    )
    op.create_index(op.f("ix_complaint_attachment_message_id"), "complaint_attachment", ["message_id"])
    op.execute("REVOKE ALL ON public.complaint_attachment FROM bekal_app")
    op.execute("GRANT SELECT, INSERT ON public.complaint_attachment TO bekal_app")


def downgrade() -> None:
    op.drop_table("complaint_attachment")
