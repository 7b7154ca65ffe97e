"""Long files of enrolments, written in the background and kept for a day; messages to a run's participants.

The application may change what becomes of a file, not whose it is or what was asked for; a message that was
sent stays as it was.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_EXPORT_RIGHTS = "SELECT, INSERT, UPDATE (state, written, attempts, started_at, expires_at, content)"


def upgrade() -> None:
    op.create_table(
        "enrolment_export",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("written", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "state IN ('requested', 'finished', 'failed', 'expired')",
            name=op.f("ck_enrolment_export_state"),
        ),
        sa.CheckConstraint("kind IN ('csv', 'xlsx')", name=op.f("ck_enrolment_export_kind")),
        sa.CheckConstraint(
            "(state = 'finished') = (content IS NOT NULL)", name=op.f("ck_enrolment_export_content")
        ),
        sa.CheckConstraint(
            "state <> 'finished' OR expires_at IS NOT NULL", name=op.f("ck_enrolment_export_expiry")
        ),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["provider.id"], name=op.f("fk_enrolment_export_provider_id")
        ),
        sa.ForeignKeyConstraint(
            ["requested_by"], ["user.id"], name=op.f("fk_enrolment_export_requested_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment_export")),
    )
    op.create_index(
        "ix_enrolment_export_waiting",
        "enrolment_export",
        ["requested_at"],
        postgresql_where="state = 'requested'",
    )
    op.create_index(
        "ix_enrolment_export_finished",
        "enrolment_export",
        ["expires_at"],
        postgresql_where="state = 'finished'",
    )
    op.create_index(
        op.f("ix_enrolment_export_provider_id_requested_at"),
        "enrolment_export",
        ["provider_id", "requested_at"],
    )
    op.create_table(
        "run_message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("sent_by", sa.Uuid(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("recipients", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("char_length(body) BETWEEN 1 AND 1000", name=op.f("ck_run_message_body")),
        sa.CheckConstraint("recipients > 0", name=op.f("ck_run_message_recipients")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_run_message_run_id")),
        sa.ForeignKeyConstraint(["sent_by"], ["user.id"], name=op.f("fk_run_message_sent_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_message")),
    )
    op.create_index(op.f("ix_run_message_run_id_sent_at"), "run_message", ["run_id", "sent_at"])
    op.execute("REVOKE ALL ON public.run_message FROM bekal_app")
    op.execute("GRANT SELECT, INSERT ON public.run_message TO bekal_app")
    op.execute("REVOKE ALL ON public.enrolment_export FROM bekal_app")
    op.execute(f"GRANT {_EXPORT_RIGHTS} ON public.enrolment_export TO bekal_app")


def downgrade() -> None:
    op.drop_table("run_message")
    op.drop_table("enrolment_export")
