"""The programme office's desk: its officers, complaints with their terms, what was written about them,
announcements, and an index to find people by their names.

The application may change where a complaint stands, not who complained or about what; a text that was
written stays as it was, and an announcement may only be ended.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_ROLES = "role IN ('participant', 'provider', 'finance', 'auditor', 'curator', 'desk')"
_EARLIER_ROLES = "role IN ('participant', 'provider', 'finance', 'auditor', 'curator')"
_TERMS = {
    "complaint_answer_working_days": "3",
    "complaint_reply_days": "7",
    "complaint_decision_working_days": "10",
}
_RIGHTS = {
    "complaint": "SELECT, INSERT, UPDATE (state, waiting_since, due_at, answered_by, decided_by, ended_at, remedy)",
    "complaint_message": "SELECT, INSERT",
    "announcement": "SELECT, INSERT, UPDATE (ends_at, ended_by)",
}


def upgrade() -> None:
    _replace_roles(_ROLES)
    for name, value in _TERMS.items():
        op.add_column("scheme", sa.Column(name, sa.SmallInteger(), server_default=value, nullable=False))
    _make_complaint()
    _make_complaint_message()
    _make_announcement()
    op.create_index(
        "ix_participant_name",
        "participant",
        [sa.text("to_tsvector('simple'::regconfig, full_name)")],
        postgresql_using="gin",
    )
    for table, rights in _RIGHTS.items():
        op.execute(f"REVOKE ALL ON public.{table} FROM bekal_app")
        op.execute(f"GRANT {rights} ON public.{table} TO bekal_app")


def downgrade() -> None:
    op.drop_index("ix_participant_name", table_name="participant")
    op.drop_table("announcement")
    op.drop_table("complaint_message")
    op.drop_table("complaint")
    for name in reversed(_TERMS):
        op.drop_column("scheme", name)
    op.execute("DELETE FROM user_role WHERE role = 'desk'")
    _replace_roles(_EARLIER_ROLES)


def _replace_roles(rule: str) -> None:
    op.drop_constraint(op.f("ck_user_role_role"), "user_role")
    op.create_check_constraint(op.f("ck_user_role_role"), "user_role", rule)


def _make_complaint() -> None:
    op.create_table(
        "complaint",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("opened_by", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("participant_id", sa.Uuid(), nullable=True),
        sa.Column("provider_id", sa.Uuid(), nullable=True),
        sa.Column("enrolment_id", sa.Uuid(), nullable=True),
        sa.Column("payout_id", sa.Uuid(), nullable=True),
        sa.Column("scheme_code", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("remedy", sa.Text(), nullable=True),
        *_complaint_rules(),
    )
    op.create_index(
        op.f("ix_complaint_state_waiting_since_id"), "complaint", ["state", "waiting_since", "id"]
    )
    op.create_index(op.f("ix_complaint_participant_id_id"), "complaint", ["participant_id", "id"])
    op.create_index(op.f("ix_complaint_provider_id_id"), "complaint", ["provider_id", "id"])
    op.create_index(op.f("ix_complaint_enrolment_id"), "complaint", ["enrolment_id"])
    op.create_index("ix_complaint_due", "complaint", ["due_at"], postgresql_where="state = 'answered'")


def _complaint_rules() -> list[sa.Constraint]:
    checks = {
        "state": "state IN ('opened', 'answered', 'escalated', 'upheld', 'closed')",
        "category": "category IN ('class', 'attendance', 'money', 'certificate', 'payout', 'account', 'other')",
        "remedy": "remedy IN ('refund', 'hold')",
        "side": "(participant_id IS NULL) <> (provider_id IS NULL)",
        "payout": "payout_id IS NULL OR (provider_id IS NOT NULL AND enrolment_id IS NULL)",
        "ended": "(state IN ('upheld', 'closed')) = (ended_at IS NOT NULL)",
        "due": "(ended_at IS NULL) = (due_at IS NOT NULL)",
        "answered": "state = 'opened' OR answered_by IS NOT NULL",
        "upheld": "(state = 'upheld') = (remedy IS NOT NULL)"
        " AND (state <> 'upheld' OR (decided_by IS NOT NULL AND enrolment_id IS NOT NULL))",
        "two_people": "decided_by <> answered_by",
    }
    targets = {
        "opened_by": "user.id",
        "participant_id": "participant.id",
        "provider_id": "provider.id",
        "enrolment_id": "enrolment.id",
        "payout_id": "payout.id",
        "scheme_code": "scheme.code",
        "answered_by": "user.id",
        "decided_by": "user.id",
    }
    return [
        *(sa.CheckConstraint(rule, name=op.f(f"ck_complaint_{name}")) for name, rule in checks.items()),
        *(
            sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_complaint_{column}"))
            for column, target in targets.items()
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaint")),
        sa.UniqueConstraint("number", name=op.f("uq_complaint_number")),
        sa.UniqueConstraint("opened_by", "key", name=op.f("uq_complaint_opened_by_key")),
    ]


def _make_complaint_message() -> None:
    op.create_table(
        "complaint_message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("complaint_id", sa.Uuid(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("written_by", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("author IN ('complainant', 'office')", name=op.f("ck_complaint_message_author")),
        sa.CheckConstraint("char_length(body) BETWEEN 1 AND 2000", name=op.f("ck_complaint_message_body")),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaint.id"], name=op.f("fk_complaint_message_complaint_id")
        ),
        sa.ForeignKeyConstraint(["written_by"], ["user.id"], name=op.f("fk_complaint_message_written_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaint_message")),
        sa.UniqueConstraint("complaint_id", "key", name=op.f("uq_complaint_message_complaint_id_key")),
    )
    op.create_index(
        op.f("ix_complaint_message_complaint_id_id"), "complaint_message", ["complaint_id", "id"]
    )


def _make_announcement() -> None:
    op.create_table(
        "announcement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("written_by", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("text_id", sa.Text(), nullable=False),
        sa.Column("text_en", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "severity IN ('info', 'warning', 'incident')", name=op.f("ck_announcement_severity")
        ),
        sa.CheckConstraint(
            "audience IN ('everybody', 'participants', 'providers')", name=op.f("ck_announcement_audience")
        ),
        sa.CheckConstraint("starts_at <= ends_at", name=op.f("ck_announcement_period")),
        sa.CheckConstraint(
            "char_length(text_id) BETWEEN 1 AND 300 AND char_length(text_en) BETWEEN 1 AND 300",
            name=op.f("ck_announcement_text"),
        ),
        sa.ForeignKeyConstraint(["ended_by"], ["user.id"], name=op.f("fk_announcement_ended_by")),
        sa.ForeignKeyConstraint(["written_by"], ["user.id"], name=op.f("fk_announcement_written_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announcement")),
        sa.UniqueConstraint("written_by", "key", name=op.f("uq_announcement_written_by_key")),
    )
    op.create_index(op.f("ix_announcement_ends_at"), "announcement", ["ends_at"])
