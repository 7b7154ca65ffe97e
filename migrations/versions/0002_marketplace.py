"""The tables of the marketplace."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bank_file",
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("findings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint(
            "kind IN ('status_report', 'statement', 'unreadable')", name=op.f("ck_bank_file_kind")
        ),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_bank_file")),
    )
    op.create_index(op.f("ix_bank_file_read_at"), "bank_file", ["read_at"], unique=False)
    op.create_table(
        "event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=True),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    op.create_index(
        op.f("ix_event_provider_id_created_at"), "event", ["provider_id", "created_at"], unique=False
    )
    op.create_index(op.f("ix_event_subject_id"), "event", ["subject_id"], unique=False)
    op.create_table(
        "holiday",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_holiday")),
    )
    op.create_table(
        "provider",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("province_code", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("suspended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider")),
        sa.UniqueConstraint("name", name=op.f("uq_provider_name")),
        sa.UniqueConstraint("slug", name=op.f("uq_provider_slug")),
    )
    op.create_table(
        "scheme",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("training_balance", sa.Numeric(precision=20, scale=0), nullable=False),
        sa.Column("incentive_amount", sa.Numeric(precision=20, scale=0), nullable=False),
        sa.Column("incentive_times", sa.SmallInteger(), nullable=False),
        sa.Column("survey_amount", sa.Numeric(precision=20, scale=0), nullable=False),
        sa.Column("survey_times", sa.SmallInteger(), nullable=False),
        sa.Column("first_purchase_days", sa.SmallInteger(), nullable=False),
        sa.Column("resumed_days_participant", sa.SmallInteger(), server_default="3", nullable=False),
        sa.Column("resumed_days_other", sa.SmallInteger(), server_default="15", nullable=False),
        sa.Column("unopened_refund_days", sa.SmallInteger(), server_default="30", nullable=False),
        sa.Column("shortest_hours", sa.SmallInteger(), nullable=True),
        sa.Column("minimum_age", sa.SmallInteger(), nullable=False),
        sa.Column("maximum_age", sa.SmallInteger(), nullable=False),
        sa.Column("people_per_family", sa.SmallInteger(), nullable=False),
        sa.Column("fee_rate", sa.Numeric(precision=5, scale=4), nullable=False),
        sa.Column("declaration_working_days", sa.SmallInteger(), nullable=False),
        sa.Column("maturity_working_days", sa.SmallInteger(), nullable=False),
        sa.Column("full_pay_from_percent", sa.SmallInteger(), nullable=False),
        sa.Column("minimum_pay_percent", sa.SmallInteger(), nullable=False),
        sa.Column("certificate_from_percent", sa.SmallInteger(), nullable=False),
        sa.Column("uploaded_attendance_limit_percent", sa.SmallInteger(), nullable=False),
        sa.Column("payout_minimum", sa.Numeric(precision=20, scale=0), nullable=False),
        sa.Column("bank_account_wait_days", sa.SmallInteger(), nullable=False),
        sa.Column("default", sa.Boolean(), nullable=False),
        sa.CheckConstraint("fee_rate BETWEEN 0 AND 0.15", name=op.f("ck_scheme_fee_rate")),
        sa.CheckConstraint("starts_on <= ends_on", name=op.f("ck_scheme_period")),
        sa.CheckConstraint("training_balance > 0", name=op.f("ck_scheme_training_balance")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_scheme")),
    )
    op.create_index(
        "uq_scheme_default", "scheme", ["default"], unique=True, postgresql_where=sa.text('"default"')
    )
    op.create_table(
        "sign_in_code",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_code")),
    )
    op.create_index(
        op.f("ix_sign_in_code_contact_created_at"), "sign_in_code", ["contact", "created_at"], unique=False
    )
    op.create_table(
        "user",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("email IS NOT NULL OR phone IS NOT NULL", name=op.f("ck_user_reachable")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user")),
        sa.UniqueConstraint("email", name=op.f("uq_user_email")),
        sa.UniqueConstraint("phone", name=op.f("uq_user_phone")),
    )
    op.create_table(
        "appropriation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("scheme_code", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=20, scale=0), nullable=False),
        sa.Column("transaction_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_appropriation_amount")),
        sa.ForeignKeyConstraint(["scheme_code"], ["scheme.code"], name=op.f("fk_appropriation_scheme_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appropriation")),
        sa.UniqueConstraint("reference", name=op.f("uq_appropriation_reference")),
    )
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_audit_entry_actor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    op.create_index(
        op.f("ix_audit_entry_subject_recorded_at"), "audit_entry", ["subject", "recorded_at"], unique=False
    )
    op.create_table(
        "bank_account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("bank_code", sa.Text(), nullable=False),
        sa.Column("holder_name", sa.Text(), nullable=False),
        sa.Column("number_encrypted", sa.LargeBinary(), nullable=False),
        sa.Column("number_index", sa.LargeBinary(), nullable=False),
        sa.Column("number_ending", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("usable_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("blocked_code", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state <> 'approved' OR (approved_by IS NOT NULL AND usable_from IS NOT NULL)",
            name=op.f("ck_bank_account_approved"),
        ),
        sa.CheckConstraint(
            "state IN ('proposed', 'approved', 'replaced')", name=op.f("ck_bank_account_state")
        ),
        sa.CheckConstraint(
            "approved_by IS NULL OR approved_by <> proposed_by", name=op.f("ck_bank_account_two_people")
        ),
        sa.ForeignKeyConstraint(["approved_by"], ["user.id"], name=op.f("fk_bank_account_approved_by")),
        sa.ForeignKeyConstraint(["proposed_by"], ["user.id"], name=op.f("fk_bank_account_proposed_by")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_bank_account_provider_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_account")),
    )
    op.create_index(op.f("ix_bank_account_number_index"), "bank_account", ["number_index"], unique=False)
    op.create_index(op.f("ix_bank_account_provider_id"), "bank_account", ["provider_id"], unique=False)
    op.create_index(
        "uq_bank_account_in_use",
        "bank_account",
        ["provider_id"],
        unique=True,
        postgresql_where="state = 'approved'",
    )
    op.create_table(
        "bank_statement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("file_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=False),
        sa.Column("opening", sa.Numeric(precision=20, scale=0), nullable=False),
        sa.Column("closing", sa.Numeric(precision=20, scale=0), nullable=False),
        sa.ForeignKeyConstraint(
            ["file_sha256"], ["bank_file.sha256"], name=op.f("fk_bank_statement_file_sha256")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_statement")),
        sa.UniqueConstraint("account", "reference", name=op.f("uq_bank_statement_account_reference")),
    )
    op.create_index(
        op.f("ix_bank_statement_account_closed_on"), "bank_statement", ["account", "closed_on"], unique=False
    )
    op.create_table(
        "course",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=True),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("hours", sa.SmallInteger(), nullable=True),
        sa.Column("price", sa.Numeric(precision=20, scale=0), nullable=False),
        sa.Column("rating", sa.Numeric(precision=3, scale=1), nullable=True),
        sa.Column("rating_count", sa.Integer(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "search",
            postgresql.TSVECTOR(),
            sa.Computed(
                "setweight(to_tsvector('simple', title), 'A')\n    || setweight(to_tsvector('simple', category), 'B')\n    || setweight(to_tsvector('simple', description), 'C')",
                persisted=True,
            ),
            nullable=False,
        ),
        sa.CheckConstraint(
            "mode IS NULL OR mode IN ('online', 'in_person', 'hybrid')", name=op.f("ck_course_mode")
        ),
        sa.CheckConstraint("state IN ('published', 'suspended', 'withdrawn')", name=op.f("ck_course_state")),
        sa.CheckConstraint("price >= 0", name=op.f("ck_course_price")),
        sa.CheckConstraint("version > 0", name=op.f("ck_course_version")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_course_provider_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course")),
        sa.UniqueConstraint("source_id", name=op.f("uq_course_source_id")),
    )
    op.create_index(op.f("ix_course_category"), "course", ["category"], unique=False)
    op.create_index(op.f("ix_course_price"), "course", ["price"], unique=False)
    op.create_index(op.f("ix_course_provider_id"), "course", ["provider_id"], unique=False)
    op.create_index(op.f("ix_course_search"), "course", ["search"], unique=False, postgresql_using="gin")
    op.create_table(
        "notification",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("secret", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.CheckConstraint("channel IN ('email', 'sms')", name=op.f("ck_notification_channel")),
        sa.CheckConstraint("state IN ('pending', 'sent', 'abandoned')", name=op.f("ck_notification_state")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_notification_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification")),
    )
    op.create_index(op.f("ix_notification_user_id"), "notification", ["user_id"], unique=False)
    op.create_index(
        "ix_notification_waiting",
        "notification",
        ["next_attempt_at"],
        unique=False,
        postgresql_where="state = 'pending'",
    )
    op.create_table(
        "participant",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=False),
        sa.Column("nik_encrypted", sa.LargeBinary(), nullable=False),
        sa.Column("nik_index", sa.LargeBinary(), nullable=False),
        sa.Column("nik_region", sa.Text(), nullable=False),
        sa.Column("nik_ending", sa.Text(), nullable=False),
        sa.Column("kk_encrypted", sa.LargeBinary(), nullable=False),
        sa.Column("kk_index", sa.LargeBinary(), nullable=False),
        sa.Column("province_code", sa.Text(), nullable=False),
        sa.Column("scheme_code", sa.Text(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("blocked_code", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "length(nik_ending) = 4 AND length(nik_region) = 6", name=op.f("ck_participant_nik_parts")
        ),
        sa.ForeignKeyConstraint(["scheme_code"], ["scheme.code"], name=op.f("fk_participant_scheme_code")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_participant_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_participant")),
        sa.UniqueConstraint("nik_index", name=op.f("uq_participant_nik_index")),
        sa.UniqueConstraint("user_id", name=op.f("uq_participant_user_id")),
    )
    op.create_index(op.f("ix_participant_kk_index"), "participant", ["kk_index"], unique=False)
    op.create_table(
        "payout_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("scheme_code", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("sequence", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("prepared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("prepared_by", sa.Uuid(), nullable=True),
        sa.Column("submitted_by", sa.Uuid(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state <> 'approved' OR (submitted_by IS NOT NULL AND approved_by IS NOT NULL)",
            name=op.f("ck_payout_run_four_eyes"),
        ),
        sa.CheckConstraint(
            "state IN ('prepared', 'submitted', 'approved', 'cancelled')", name=op.f("ck_payout_run_state")
        ),
        sa.CheckConstraint(
            "approved_by IS NULL OR approved_by <> submitted_by", name=op.f("ck_payout_run_two_people")
        ),
        sa.ForeignKeyConstraint(["approved_by"], ["user.id"], name=op.f("fk_payout_run_approved_by")),
        sa.ForeignKeyConstraint(["prepared_by"], ["user.id"], name=op.f("fk_payout_run_prepared_by")),
        sa.ForeignKeyConstraint(["scheme_code"], ["scheme.code"], name=op.f("fk_payout_run_scheme_code")),
        sa.ForeignKeyConstraint(["submitted_by"], ["user.id"], name=op.f("fk_payout_run_submitted_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_run")),
        sa.UniqueConstraint(
            "scheme_code", "day", "sequence", name=op.f("uq_payout_run_scheme_code_day_sequence")
        ),
    )
    op.create_table(
        "provider_staff",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_provider_staff_provider_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_provider_staff_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_provider_staff")),
    )
    op.create_index(op.f("ix_provider_staff_provider_id"), "provider_staff", ["provider_id"], unique=False)
    op.create_table(
        "user_role",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "role IN ('participant', 'provider', 'finance', 'auditor')", name=op.f("ck_user_role_role")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_user_role_user_id")),
        sa.PrimaryKeyConstraint("user_id", "role", name=op.f("pk_user_role")),
    )
    op.create_table(
        "user_session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_user_session_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_user_session_token_hash")),
    )
    op.create_index(op.f("ix_user_session_user_id"), "user_session", ["user_id"], unique=False)
    op.create_table(
        "grant",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("participant_id", sa.Uuid(), nullable=False),
        sa.Column("scheme_code", sa.Text(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=20, scale=0), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("awarded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_purchase_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_purchase_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("clock_resumptions", sa.SmallInteger(), nullable=False),
        sa.Column("spend_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("frozen_code", sa.Text(), nullable=True),
        sa.Column("transaction_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("(state = 'frozen') = (frozen_code IS NOT NULL)", name=op.f("ck_grant_frozen")),
        sa.CheckConstraint("state = 'awarded' OR transaction_id IS NOT NULL", name=op.f("ck_grant_posted")),
        sa.CheckConstraint(
            "state IN ('awarded', 'active', 'frozen', 'revoked', 'lapsed')", name=op.f("ck_grant_state")
        ),
        sa.ForeignKeyConstraint(["participant_id"], ["participant.id"], name=op.f("fk_grant_participant_id")),
        sa.ForeignKeyConstraint(["scheme_code"], ["scheme.code"], name=op.f("fk_grant_scheme_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grant")),
        sa.UniqueConstraint("participant_id", name=op.f("uq_grant_participant_id")),
    )
    op.create_index("ix_grant_awarded", "grant", ["id"], unique=False, postgresql_where="state = 'awarded'")
    op.create_index(
        "ix_grant_unspent",
        "grant",
        ["first_purchase_by"],
        unique=False,
        postgresql_where="state = 'active' AND first_purchase_at IS NULL",
    )
    op.create_table(
        "payout",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("bank_account_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=20, scale=0), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason_code", sa.Text(), nullable=True),
        sa.Column("reason_words", sa.Text(), nullable=True),
        sa.Column("transaction_id", sa.Uuid(), nullable=True),
        sa.Column("sending_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("enquire_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('prepared', 'cancelled') OR transaction_id IS NOT NULL",
            name=op.f("ck_payout_in_transit"),
        ),
        sa.CheckConstraint(
            "state IN ('prepared', 'sending', 'sent', 'unknown', 'paid', 'failed', 'returned', 'cancelled')",
            name=op.f("ck_payout_state"),
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_payout_amount")),
        sa.ForeignKeyConstraint(
            ["bank_account_id"], ["bank_account.id"], name=op.f("fk_payout_bank_account_id")
        ),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_payout_provider_id")),
        sa.ForeignKeyConstraint(["run_id"], ["payout_run.id"], name=op.f("fk_payout_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout")),
        sa.UniqueConstraint("run_id", "provider_id", name=op.f("uq_payout_run_id_provider_id")),
    )
    op.create_index(
        "ix_payout_moving",
        "payout",
        ["state"],
        unique=False,
        postgresql_where="state IN ('sending', 'sent', 'unknown')",
    )
    op.create_index(op.f("ix_payout_provider_id"), "payout", ["provider_id"], unique=False)
    op.create_table(
        "run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.Column("seats_taken", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('scheduled', 'self_paced')", name=op.f("ck_run_kind")),
        sa.CheckConstraint("state IN ('open', 'cancelled', 'settled')", name=op.f("ck_run_state")),
        sa.CheckConstraint("seats_taken BETWEEN 0 AND seats", name=op.f("ck_run_seats")),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_run_period")),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_run_course_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
    )
    op.create_index(op.f("ix_run_course_id_starts_at"), "run", ["course_id", "starts_at"], unique=False)
    op.create_index(
        "ix_run_open_ends_at", "run", ["ends_at"], unique=False, postgresql_where="state = 'open'"
    )
    op.create_table(
        "bank_line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("file_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=20, scale=0), nullable=False),
        sa.Column("end_to_end_id", sa.Text(), nullable=True),
        sa.Column("remittance", sa.Text(), nullable=False),
        sa.Column("return_code", sa.Text(), nullable=True),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("payout_id", sa.Uuid(), nullable=True),
        sa.Column("transaction_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "reason IN ('payout_paid', 'paid_after_rejection', 'payout_returned', 'appropriation', 'correction', 'unknown', 'doubled', 'altered_amount', 'never_sent', 'return_before_payment')",
            name=op.f("ck_bank_line_reason"),
        ),
        sa.CheckConstraint("state IN ('explained', 'suspended')", name=op.f("ck_bank_line_state")),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_bank_line_amount")),
        sa.ForeignKeyConstraint(["file_sha256"], ["bank_file.sha256"], name=op.f("fk_bank_line_file_sha256")),
        sa.ForeignKeyConstraint(["payout_id"], ["payout.id"], name=op.f("fk_bank_line_payout_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_line")),
        sa.UniqueConstraint("account", "reference", name=op.f("uq_bank_line_account_reference")),
    )
    op.create_index(op.f("ix_bank_line_payout_id"), "bank_line", ["payout_id"], unique=False)
    op.create_index(
        "ix_bank_line_suspended",
        "bank_line",
        ["end_to_end_id"],
        unique=False,
        postgresql_where="state = 'suspended'",
    )
    op.create_table(
        "enrolment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("participant_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("grant_id", sa.Uuid(), nullable=False),
        sa.Column("scheme_code", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("receipt_number", sa.Text(), nullable=False),
        sa.Column("course_version", sa.Integer(), nullable=False),
        sa.Column("price", sa.Numeric(precision=20, scale=0), nullable=False),
        sa.Column("fee_rate", sa.Numeric(precision=5, scale=4), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("transaction_id", sa.Uuid(), nullable=True),
        sa.Column("balance_after", sa.Numeric(precision=20, scale=0), nullable=False),
        sa.Column("purchased_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("declared_by", sa.Uuid(), nullable=True),
        sa.Column("percent", sa.SmallInteger(), nullable=True),
        sa.Column("paid_percent", sa.SmallInteger(), nullable=True),
        sa.Column("settlement_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(state IN ('cancelled_by_participant', 'cancelled_by_provider', 'cancelled_by_programme')) = (cancelled_at IS NOT NULL)",
            name=op.f("ck_enrolment_cancellation"),
        ),
        sa.CheckConstraint(
            "(state IN ('completed', 'no_show')) = (completed_at IS NOT NULL)",
            name=op.f("ck_enrolment_completion"),
        ),
        sa.CheckConstraint(
            "price = 0 OR (state IN ('purchased', 'attending')) = (settlement_id IS NULL)",
            name=op.f("ck_enrolment_settled"),
        ),
        sa.CheckConstraint(
            "state IN ('purchased', 'attending', 'completed', 'cancelled_by_participant', 'cancelled_by_provider', 'cancelled_by_programme', 'no_show')",
            name=op.f("ck_enrolment_state"),
        ),
        sa.CheckConstraint("paid_percent BETWEEN 0 AND 100", name=op.f("ck_enrolment_paid_percent")),
        sa.CheckConstraint("percent BETWEEN 0 AND 100", name=op.f("ck_enrolment_percent")),
        sa.CheckConstraint("price = 0 OR transaction_id IS NOT NULL", name=op.f("ck_enrolment_posted")),
        sa.ForeignKeyConstraint(["declared_by"], ["user.id"], name=op.f("fk_enrolment_declared_by")),
        sa.ForeignKeyConstraint(["grant_id"], ["grant.id"], name=op.f("fk_enrolment_grant_id")),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participant.id"], name=op.f("fk_enrolment_participant_id")
        ),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_enrolment_provider_id")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_enrolment_run_id")),
        sa.ForeignKeyConstraint(["scheme_code"], ["scheme.code"], name=op.f("fk_enrolment_scheme_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment")),
        sa.UniqueConstraint("participant_id", "key", name=op.f("uq_enrolment_participant_id_key")),
        sa.UniqueConstraint("receipt_number", name=op.f("uq_enrolment_receipt_number")),
    )
    op.create_index(
        op.f("ix_enrolment_participant_id_purchased_at"),
        "enrolment",
        ["participant_id", "purchased_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_enrolment_provider_id_purchased_at"),
        "enrolment",
        ["provider_id", "purchased_at"],
        unique=False,
    )
    op.create_index(op.f("ix_enrolment_run_id_state"), "enrolment", ["run_id", "state"], unique=False)
    op.create_index(
        "uq_enrolment_live",
        "enrolment",
        ["participant_id", "run_id"],
        unique=True,
        postgresql_where="state IN ('purchased', 'attending', 'completed', 'no_show')",
    )
    op.create_table(
        "run_session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.SmallInteger(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(starts_at IS NULL) = (ends_at IS NULL)", name=op.f("ck_run_session_times")),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_run_session_period")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_run_session_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_session")),
        sa.UniqueConstraint("run_id", "sequence", name=op.f("uq_run_session_run_id_sequence")),
    )
    op.create_table(
        "attendance",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("enrolment_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.CheckConstraint("method IN ('code', 'upload', 'unit')", name=op.f("ck_attendance_method")),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"], name=op.f("fk_attendance_enrolment_id")),
        sa.ForeignKeyConstraint(["recorded_by"], ["user.id"], name=op.f("fk_attendance_recorded_by")),
        sa.ForeignKeyConstraint(["session_id"], ["run_session.id"], name=op.f("fk_attendance_session_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attendance")),
        sa.UniqueConstraint("enrolment_id", "session_id", name=op.f("uq_attendance_enrolment_id_session_id")),
    )
    op.create_index(op.f("ix_attendance_session_id"), "attendance", ["session_id"], unique=False)
    op.create_table(
        "check_in_failure",
        sa.Column("enrolment_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("failures", sa.SmallInteger(), nullable=False),
        sa.Column("blocked_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["enrolment_id"], ["enrolment.id"], name=op.f("fk_check_in_failure_enrolment_id")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["run_session.id"], name=op.f("fk_check_in_failure_session_id")
        ),
        sa.PrimaryKeyConstraint("enrolment_id", "session_id", name=op.f("pk_check_in_failure")),
    )
    op.create_table(
        "earning",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("enrolment_id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("scheme_code", sa.Text(), nullable=False),
        sa.Column("evidence_id", sa.Uuid(), nullable=False),
        sa.Column("gross", sa.Numeric(precision=20, scale=0), nullable=False),
        sa.Column("fee", sa.Numeric(precision=20, scale=0), nullable=False),
        sa.Column("net", sa.Numeric(precision=20, scale=0), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("hold_code", sa.Text(), nullable=True),
        sa.Column("accrued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("matures_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("transaction_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(state = 'held') = (hold_code IS NOT NULL)", name=op.f("ck_earning_hold")),
        sa.CheckConstraint("(state = 'paid') = (paid_at IS NOT NULL)", name=op.f("ck_earning_paid")),
        sa.CheckConstraint("state IN ('accrued', 'held', 'paid')", name=op.f("ck_earning_state")),
        sa.CheckConstraint(
            "gross > 0 AND fee >= 0 AND net = gross - fee AND net >= 0", name=op.f("ck_earning_amounts")
        ),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"], name=op.f("fk_earning_enrolment_id")),
        sa.ForeignKeyConstraint(["evidence_id"], ["attendance.id"], name=op.f("fk_earning_evidence_id")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_earning_provider_id")),
        sa.ForeignKeyConstraint(["scheme_code"], ["scheme.code"], name=op.f("fk_earning_scheme_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_earning")),
        sa.UniqueConstraint("enrolment_id", name=op.f("uq_earning_enrolment_id")),
    )
    op.create_index(op.f("ix_earning_provider_id"), "earning", ["provider_id"], unique=False)
    op.create_index(
        "ix_earning_waiting",
        "earning",
        ["scheme_code", "provider_id", "matures_at"],
        unique=False,
        postgresql_where="state <> 'paid'",
    )
    op.create_table(
        "payout_line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payout_id", sa.Uuid(), nullable=False),
        sa.Column("earning_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=20, scale=0), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["earning_id"], ["earning.id"], name=op.f("fk_payout_line_earning_id")),
        sa.ForeignKeyConstraint(["payout_id"], ["payout.id"], name=op.f("fk_payout_line_payout_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_line")),
    )
    op.create_index(op.f("ix_payout_line_payout_id"), "payout_line", ["payout_id"], unique=False)
    op.create_index(
        "uq_payout_line_earning",
        "payout_line",
        ["earning_id"],
        unique=True,
        postgresql_where="released_at IS NULL",
    )


def downgrade() -> None:
    op.drop_index("uq_payout_line_earning", table_name="payout_line", postgresql_where="released_at IS NULL")
    op.drop_index(op.f("ix_payout_line_payout_id"), table_name="payout_line")
    op.drop_table("payout_line")
    op.drop_index("ix_earning_waiting", table_name="earning", postgresql_where="state <> 'paid'")
    op.drop_index(op.f("ix_earning_provider_id"), table_name="earning")
    op.drop_table("earning")
    op.drop_table("check_in_failure")
    op.drop_index(op.f("ix_attendance_session_id"), table_name="attendance")
    op.drop_table("attendance")
    op.drop_table("run_session")
    op.drop_index(
        "uq_enrolment_live",
        table_name="enrolment",
        postgresql_where="state IN ('purchased', 'attending', 'completed', 'no_show')",
    )
    op.drop_index(op.f("ix_enrolment_run_id_state"), table_name="enrolment")
    op.drop_index(op.f("ix_enrolment_provider_id_purchased_at"), table_name="enrolment")
    op.drop_index(op.f("ix_enrolment_participant_id_purchased_at"), table_name="enrolment")
    op.drop_table("enrolment")
    op.drop_index("ix_bank_line_suspended", table_name="bank_line", postgresql_where="state = 'suspended'")
    op.drop_index(op.f("ix_bank_line_payout_id"), table_name="bank_line")
    op.drop_table("bank_line")
    op.drop_index("ix_run_open_ends_at", table_name="run", postgresql_where="state = 'open'")
    op.drop_index(op.f("ix_run_course_id_starts_at"), table_name="run")
    op.drop_table("run")
    op.drop_index(op.f("ix_payout_provider_id"), table_name="payout")
    op.drop_index(
        "ix_payout_moving", table_name="payout", postgresql_where="state IN ('sending', 'sent', 'unknown')"
    )
    op.drop_table("payout")
    op.drop_index(
        "ix_grant_unspent",
        table_name="grant",
        postgresql_where="state = 'active' AND first_purchase_at IS NULL",
    )
    op.drop_index("ix_grant_awarded", table_name="grant", postgresql_where="state = 'awarded'")
    op.drop_table("grant")
    op.drop_index(op.f("ix_user_session_user_id"), table_name="user_session")
    op.drop_table("user_session")
    op.drop_table("user_role")
    op.drop_index(op.f("ix_provider_staff_provider_id"), table_name="provider_staff")
    op.drop_table("provider_staff")
    op.drop_table("payout_run")
    op.drop_index(op.f("ix_participant_kk_index"), table_name="participant")
    op.drop_table("participant")
    op.drop_index("ix_notification_waiting", table_name="notification", postgresql_where="state = 'pending'")
    op.drop_index(op.f("ix_notification_user_id"), table_name="notification")
    op.drop_table("notification")
    op.drop_index(op.f("ix_course_search"), table_name="course", postgresql_using="gin")
    op.drop_index(op.f("ix_course_provider_id"), table_name="course")
    op.drop_index(op.f("ix_course_price"), table_name="course")
    op.drop_index(op.f("ix_course_category"), table_name="course")
    op.drop_table("course")
    op.drop_index(op.f("ix_bank_statement_account_closed_on"), table_name="bank_statement")
    op.drop_table("bank_statement")
    op.drop_index("uq_bank_account_in_use", table_name="bank_account", postgresql_where="state = 'approved'")
    op.drop_index(op.f("ix_bank_account_provider_id"), table_name="bank_account")
    op.drop_index(op.f("ix_bank_account_number_index"), table_name="bank_account")
    op.drop_table("bank_account")
    op.drop_index(op.f("ix_audit_entry_subject_recorded_at"), table_name="audit_entry")
    op.drop_table("audit_entry")
    op.drop_table("appropriation")
    op.drop_table("user")
    op.drop_index(op.f("ix_sign_in_code_contact_created_at"), table_name="sign_in_code")
    op.drop_table("sign_in_code")
    op.drop_index("uq_scheme_default", table_name="scheme", postgresql_where=sa.text('"default"'))
    op.drop_table("scheme")
    op.drop_table("provider")
    op.drop_table("holiday")
    op.drop_index(op.f("ix_event_subject_id"), table_name="event")
    op.drop_index(op.f("ix_event_provider_id_created_at"), table_name="event")
    op.drop_table("event")
    op.drop_index(op.f("ix_bank_file_read_at"), table_name="bank_file")
    op.drop_table("bank_file")
