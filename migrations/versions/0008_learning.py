"""After a completion: certificates, reviews, incentives and surveys."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_FLOWS = (
    # kind, debit family, credit family, the kind that it must settle
    ("incentive", "reserve", "cash", None),
    ("survey", "reserve", "cash", None),
)

# What is said on paper, or owed, is never edited; only its fate is written later.
_RIGHTS = {
    "certificate": "SELECT, INSERT, UPDATE (revoked_at, revoked_code, revoked_reason, revoked_by, judged_at)",
    "incentive": "SELECT, INSERT, UPDATE (next_at)",
    "survey_response": "SELECT, INSERT",
    "review": "SELECT, INSERT, UPDATE (rating, words, changed_at, answer, answered_at, answered_by)",
}


def upgrade() -> None:
    _make_certificate()
    _make_review()
    _make_incentive()
    _make_survey_response()
    flow = sa.table(
        "flow", *map(sa.column, ("kind", "debit_family", "credit_family", "settles")), schema="ledger"
    )
    op.bulk_insert(flow, [dict(zip(flow.columns.keys(), row, strict=True)) for row in _FLOWS])
    for table, rights in _RIGHTS.items():
        op.execute(f"REVOKE ALL ON public.{table} FROM bekal_app")
        op.execute(f"GRANT {rights} ON public.{table} TO bekal_app")


def downgrade() -> None:
    op.execute("DELETE FROM ledger.flow WHERE kind IN ('incentive', 'survey')")
    for table in ("survey_response", "incentive", "review", "certificate"):
        op.drop_table(table)


def _make_certificate() -> None:
    op.create_table(
        "certificate",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("enrolment_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("holder_name", sa.Text(), nullable=False),
        sa.Column("course_title", sa.Text(), nullable=False),
        sa.Column("provider_name", sa.Text(), nullable=False),
        sa.Column("hours", sa.SmallInteger(), nullable=True),
        sa.Column("percent", sa.SmallInteger(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("final_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_code", sa.Text(), nullable=True),
        sa.Column("revoked_reason", sa.Text(), nullable=False),
        sa.Column("revoked_by", sa.Uuid(), nullable=True),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("percent BETWEEN 0 AND 100", name=op.f("ck_certificate_percent")),
        sa.CheckConstraint("starts_on <= ends_on", name=op.f("ck_certificate_period")),
        sa.CheckConstraint("revoked_code IN ('corrected', 'office')", name=op.f("ck_certificate_revoked_code")),
        sa.CheckConstraint(
            "(revoked_at IS NULL) = (revoked_code IS NULL)", name=op.f("ck_certificate_revocation")
        ),
        sa.CheckConstraint(
            "revoked_code <> 'office' OR (revoked_by IS NOT NULL AND revoked_reason <> '')",
            name=op.f("ck_certificate_reason"),
        ),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"], name=op.f("fk_certificate_enrolment_id")),
        sa.ForeignKeyConstraint(["revoked_by"], ["user.id"], name=op.f("fk_certificate_revoked_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate")),
        sa.UniqueConstraint("number", name=op.f("uq_certificate_number")),
    )
    op.create_index(
        "uq_certificate_valid", "certificate", ["enrolment_id"], unique=True, postgresql_where="revoked_at IS NULL"
    )
    op.create_index("ix_certificate_unjudged", "certificate", ["final_at"], postgresql_where="judged_at IS NULL")
    op.create_index(op.f("ix_certificate_enrolment_id"), "certificate", ["enrolment_id"])
    op.create_index(op.f("ix_certificate_issued_at"), "certificate", ["issued_at"])


def _make_review() -> None:
    op.create_table(
        "review",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("enrolment_id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("rating", sa.SmallInteger(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name=op.f("ck_review_rating")),
        sa.CheckConstraint("(answer = '') = (answered_at IS NULL)", name=op.f("ck_review_answer")),
        sa.ForeignKeyConstraint(["answered_by"], ["user.id"], name=op.f("fk_review_answered_by")),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_review_course_id")),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"], name=op.f("fk_review_enrolment_id")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_review_provider_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
        sa.UniqueConstraint("enrolment_id", name=op.f("uq_review_enrolment_id")),
    )
    op.create_index(op.f("ix_review_course_id_id"), "review", ["course_id", "id"])
    op.create_index(op.f("ix_review_provider_id_id"), "review", ["provider_id", "id"])


def _make_incentive() -> None:
    op.create_table(
        "incentive",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("participant_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=20, scale=0), nullable=False),
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column("earned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("transaction_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("kind IN ('certificate', 'survey')", name=op.f("ck_incentive_kind")),
        sa.CheckConstraint("number > 0 AND amount > 0", name=op.f("ck_incentive_amounts")),
        sa.ForeignKeyConstraint(
            ["certificate_id"], ["certificate.id"], name=op.f("fk_incentive_certificate_id")
        ),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participant.id"], name=op.f("fk_incentive_participant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incentive")),
        sa.UniqueConstraint(
            "participant_id", "kind", "number", name=op.f("uq_incentive_participant_id_kind_number")
        ),
    )
    op.create_index("ix_incentive_next", "incentive", ["next_at"], postgresql_where="next_at IS NOT NULL")


def _make_survey_response() -> None:
    op.create_table(
        "survey_response",
        sa.Column("participant_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("answers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participant.id"], name=op.f("fk_survey_response_participant_id")
        ),
        sa.PrimaryKeyConstraint("participant_id", "number", name=op.f("pk_survey_response")),
    )
