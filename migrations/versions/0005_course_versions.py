"""What a provider writes before it is sold, and the role of those who look at it."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ROLES = ("participant", "provider", "finance", "auditor")
_NEW_ROLES = (*_ROLES, "curator")

# What was submitted stays as it is, which a draft's own changes (UPDATE of its text) must not prevent:
# the application keeps that. What was said is only ever added.
_RIGHTS = {
    "version_comment": "SELECT, INSERT", "catalogue_upload": "SELECT, INSERT, DELETE",
    "conflict_statement": "SELECT, INSERT",
    "provider_document": "SELECT, INSERT, DELETE",
}


def upgrade() -> None:
    _set_roles(_NEW_ROLES)
    _add_parts_of_staff()
    _add_applications()
    op.create_table(
        "course_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("hours", sa.SmallInteger(), nullable=True),
        sa.Column("price", sa.Numeric(precision=20, scale=0), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=True),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("rejection", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("price >= 0", name=op.f("ck_course_version_price")),
        sa.CheckConstraint(
            "mode IS NULL OR mode IN ('online', 'in_person', 'hybrid')", name=op.f("ck_course_version_mode")
        ),
        sa.CheckConstraint(
            "state IN ('drafted', 'submitted', 'approved', 'returned', 'rejected', 'published', 'replaced',"
            " 'discarded')",
            name=op.f("ck_course_version_state"),
        ),
        sa.CheckConstraint(
            "rejection IS NULL OR rejection IN ('duplicate', 'not_training', 'misleading', 'overpriced',"
            " 'unlawful')",
            name=op.f("ck_course_version_rejection"),
        ),
        sa.CheckConstraint(
            "(state = 'rejected') = (rejection IS NOT NULL)", name=op.f("ck_course_version_rejected")
        ),
        sa.CheckConstraint(
            "state NOT IN ('submitted', 'approved', 'returned', 'rejected') OR submitted_at IS NOT NULL",
            name=op.f("ck_course_version_submitted"),
        ),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_course_version_provider_id")),
        sa.ForeignKeyConstraint(["created_by"], ["user.id"], name=op.f("fk_course_version_created_by")),
        sa.ForeignKeyConstraint(["decided_by"], ["user.id"], name=op.f("fk_course_version_decided_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course_version")),
        sa.UniqueConstraint("course_id", "number", name=op.f("uq_course_version_course_id_number")),
    )
    op.create_index(
        "uq_course_version_open", "course_version", ["course_id"], unique=True,
        postgresql_where="state IN ('drafted', 'submitted', 'approved')",
    )  # fmt: skip
    op.create_index(
        "uq_course_version_sold", "course_version", ["course_id"], unique=True,
        postgresql_where="state = 'published'",
    )  # fmt: skip
    op.create_index(
        "ix_course_version_queue", "course_version", ["submitted_at"], postgresql_where="state = 'submitted'"
    )
    op.create_index(
        op.f("ix_course_version_provider_id_source_id"), "course_version", ["provider_id", "source_id"]
    )
    op.create_table(
        "version_comment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("side IN ('provider', 'programme')", name=op.f("ck_version_comment_side")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["course_version.id"], name=op.f("fk_version_comment_version_id")
        ),
        sa.ForeignKeyConstraint(["author_id"], ["user.id"], name=op.f("fk_version_comment_author_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_version_comment")),
    )
    op.create_index(op.f("ix_version_comment_version_id"), "version_comment", ["version_id"])
    op.create_table(
        "catalogue_upload",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("uploaded_by", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_catalogue_upload_provider_id")),
        sa.ForeignKeyConstraint(["uploaded_by"], ["user.id"], name=op.f("fk_catalogue_upload_uploaded_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalogue_upload")),
    )
    op.create_index(op.f("ix_catalogue_upload_provider_id"), "catalogue_upload", ["provider_id"])
    # a planned session that nobody has bought may be dropped; attendance keeps the others
    op.execute("GRANT DELETE ON public.run_session TO bekal_app")
    for table, rights in _RIGHTS.items():
        op.execute(f"REVOKE ALL ON public.{table} FROM bekal_app")
        op.execute(f"GRANT {rights} ON public.{table} TO bekal_app")


def downgrade() -> None:
    op.execute("REVOKE DELETE ON public.run_session FROM bekal_app")
    op.drop_table("provider_document")
    op.drop_table("provider_application")
    op.drop_table("conflict_statement")
    op.execute("REVOKE DELETE ON public.provider_staff FROM bekal_app")
    op.drop_column("provider_staff", "role")
    op.drop_table("catalogue_upload")
    op.drop_table("version_comment")
    op.drop_table("course_version")
    op.execute("DELETE FROM public.user_role WHERE role = 'curator'")
    _set_roles(_ROLES)


def _add_parts_of_staff() -> None:
    """Whoever acts for a provider so far may do everything."""
    op.add_column("provider_staff", sa.Column("role", sa.Text(), nullable=False, server_default="owner"))
    op.alter_column("provider_staff", "role", server_default=None)
    op.create_check_constraint(
        op.f("ck_provider_staff_role"), "provider_staff", "role IN ('owner', 'teaching', 'finance')"
    )
    # who acts no more is named in the audit trail
    op.execute("GRANT DELETE ON public.provider_staff TO bekal_app")
    op.create_table(
        "conflict_statement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("stated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["provider.id"], name=op.f("fk_conflict_statement_provider_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_conflict_statement_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conflict_statement")),
    )
    op.create_index(
        op.f("ix_conflict_statement_provider_id_year"), "conflict_statement", ["provider_id", "year"]
    )


def _add_applications() -> None:
    op.create_table(
        "provider_application",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("registration_number", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("province_code", sa.Text(), nullable=False),
        sa.Column("contact_name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("provider_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "state IN ('drafted', 'submitted', 'returned', 'approved', 'rejected')",
            name=op.f("ck_provider_application_state"),
        ),
        sa.CheckConstraint(
            "(state = 'approved') = (provider_id IS NOT NULL)", name=op.f("ck_provider_application_approved")
        ),
        sa.CheckConstraint(
            "decided_by IS NULL OR decided_by <> user_id", name=op.f("ck_provider_application_two_people")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_provider_application_user_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["user.id"], name=op.f("fk_provider_application_decided_by")),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["provider.id"], name=op.f("fk_provider_application_provider_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_application")),
    )
    op.create_index(
        "uq_provider_application_open", "provider_application", ["user_id"], unique=True,
        postgresql_where="state IN ('drafted', 'submitted', 'returned')",
    )  # fmt: skip
    op.create_index(
        "uq_provider_application_registration", "provider_application", ["registration_number"], unique=True,
        postgresql_where="state = 'approved'",
    )  # fmt: skip
    op.create_index(
        "ix_provider_application_queue", "provider_application", ["submitted_at"],
        postgresql_where="state = 'submitted'",
    )  # fmt: skip
    op.create_table(
        "provider_document",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content_encrypted", sa.LargeBinary(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["provider_application.id"], name=op.f("fk_provider_document_application_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_document")),
    )
    op.create_index(op.f("ix_provider_document_application_id"), "provider_document", ["application_id"])


def _set_roles(roles: tuple[str, ...]) -> None:
    words = ", ".join(f"'{role}'" for role in roles)
    op.drop_constraint("ck_user_role_role", "user_role")
    op.create_check_constraint(op.f("ck_user_role_role"), "user_role", f"role IN ({words})")
