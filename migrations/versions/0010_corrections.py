"""A declared result is corrected: what was changed, what no longer counts, and the earning in its place.

Also: purchases by a provider's own staff are known at once.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_FLOWS = (
    # kind, debit family, credit family, the kind that it must settle
    ("correction", "escrow", "payable", "reversal"),
    ("correction", "escrow", "fees", "reversal"),
    ("correction", "escrow", "benefit", "reversal"),
    ("correction", "escrow", "fund", "reversal"),
)

_STATES = "('accrued', 'held', 'paid')"
_MORE_STATES = "('accrued', 'held', 'paid', 'corrected')"

_RIGHTS = {
    "attendance_strike": "SELECT, INSERT, UPDATE (correction_id, is_lifted)",
    "result_correction": "SELECT, INSERT",
}

# What was paid, or is on its way to the bank, is not corrected; what was corrected stays so.
_KEEP_EARNING = """
CREATE FUNCTION public.keep_earning() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state IN ('paid', 'corrected') OR EXISTS (
        SELECT FROM public.payout_line l WHERE l.earning_id = OLD.id AND l.released_at IS NULL
    ) THEN
        RAISE EXCEPTION USING ERRCODE = 'restrict_violation',
            MESSAGE = 'an earning that is paid, being paid or corrected is not corrected', DETAIL = OLD.id::text;
    END IF;
    RETURN NEW;
END $$
"""

# No evidence, no pay: also afterwards.
_KEEP_EVIDENCE = """
CREATE FUNCTION public.keep_evidence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT NEW.is_lifted AND EXISTS (
        SELECT FROM public.earning e WHERE e.evidence_id = NEW.attendance_id AND e.state <> 'corrected'
    ) THEN
        RAISE EXCEPTION USING ERRCODE = 'restrict_violation',
            MESSAGE = 'an earning rests on this attendance', DETAIL = NEW.attendance_id::text;
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    _make_result_correction()
    op.create_table(
        "attendance_strike",
        sa.Column("attendance_id", sa.Uuid(), nullable=False),
        sa.Column("correction_id", sa.Uuid(), nullable=False),
        sa.Column("is_lifted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["attendance_id"], ["attendance.id"], name=op.f("fk_attendance_strike_attendance_id")
        ),
        sa.ForeignKeyConstraint(
            ["correction_id"], ["result_correction.id"], name=op.f("fk_attendance_strike_correction_id")
        ),
        sa.PrimaryKeyConstraint("attendance_id", name=op.f("pk_attendance_strike")),
    )
    op.add_column("enrolment", sa.Column("corrected_at", sa.DateTime(timezone=True), nullable=True))
    staff = sa.Column("bought_by_staff", sa.Boolean(), nullable=False, server_default=sa.false())
    op.add_column("enrolment", staff)
    op.alter_column("enrolment", "bought_by_staff", server_default=None)
    _let_earnings_be_corrected()
    flow = sa.table(
        "flow", *map(sa.column, ("kind", "debit_family", "credit_family", "settles")), schema="ledger"
    )
    op.bulk_insert(flow, [dict(zip(flow.columns.keys(), row, strict=True)) for row in _FLOWS])
    for table, rights in _RIGHTS.items():
        op.execute(f"REVOKE ALL ON public.{table} FROM bekal_app")
        op.execute(f"GRANT {rights} ON public.{table} TO bekal_app")
    op.execute("GRANT UPDATE (evidence_id) ON public.earning TO bekal_app")
    # a file that has expired forgets whom it was a search for
    op.execute("GRANT UPDATE (query) ON public.enrolment_export TO bekal_app")
    _make_triggers()


def downgrade() -> None:
    op.execute("DROP TRIGGER attendance_strike_keeps_evidence ON public.attendance_strike")
    op.execute("DROP TRIGGER earning_keeps_what_is_paid ON public.earning")
    op.execute("DROP FUNCTION public.keep_evidence()")
    op.execute("DROP FUNCTION public.keep_earning()")
    op.execute("DELETE FROM ledger.flow WHERE kind = 'correction'")
    op.execute("REVOKE UPDATE (evidence_id) ON public.earning FROM bekal_app")
    op.execute("REVOKE UPDATE (query) ON public.enrolment_export FROM bekal_app")
    op.drop_index(op.f("ix_earning_enrolment_id"), table_name="earning")
    op.drop_index("uq_earning_standing", table_name="earning", postgresql_where="state <> 'corrected'")
    op.create_unique_constraint(op.f("uq_earning_enrolment_id"), "earning", ["enrolment_id"])
    _let_states("earning", _STATES)
    op.drop_column("enrolment", "bought_by_staff")
    op.drop_column("enrolment", "corrected_at")
    op.drop_table("attendance_strike")
    op.drop_table("result_correction")


def _make_result_correction() -> None:
    op.create_table(
        "result_correction",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("enrolment_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("added", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("struck", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("old_percent", sa.SmallInteger(), nullable=False),
        sa.Column("new_percent", sa.SmallInteger(), nullable=False),
        sa.Column("old_paid_percent", sa.SmallInteger(), nullable=False),
        sa.Column("new_paid_percent", sa.SmallInteger(), nullable=False),
        sa.Column("transaction_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("corrected_by", sa.Uuid(), nullable=False),
        sa.Column("corrected_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("sequence > 0", name=op.f("ck_result_correction_sequence")),
        sa.CheckConstraint("reason <> '' AND evidence <> ''", name=op.f("ck_result_correction_reason")),
        sa.CheckConstraint("old_percent <> new_percent", name=op.f("ck_result_correction_changed")),
        sa.CheckConstraint(
            "old_percent BETWEEN 0 AND 100 AND new_percent BETWEEN 0 AND 100",
            name=op.f("ck_result_correction_percent"),
        ),
        sa.CheckConstraint(
            "old_paid_percent BETWEEN 0 AND 100 AND new_paid_percent BETWEEN 0 AND 100",
            name=op.f("ck_result_correction_paid_percent"),
        ),
        sa.ForeignKeyConstraint(
            ["enrolment_id"], ["enrolment.id"], name=op.f("fk_result_correction_enrolment_id")
        ),
        sa.ForeignKeyConstraint(
            ["corrected_by"], ["user.id"], name=op.f("fk_result_correction_corrected_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_result_correction")),
        sa.UniqueConstraint(
            "enrolment_id", "sequence", name=op.f("uq_result_correction_enrolment_id_sequence")
        ),
    )


def _let_earnings_be_corrected() -> None:
    _let_states("earning", _MORE_STATES)
    op.drop_constraint(op.f("uq_earning_enrolment_id"), "earning")
    op.create_index(
        "uq_earning_standing",
        "earning",
        ["enrolment_id"],
        unique=True,
        postgresql_where="state <> 'corrected'",
    )
    op.create_index(op.f("ix_earning_enrolment_id"), "earning", ["enrolment_id"])


def _let_states(table: str, states: str) -> None:
    op.drop_constraint(op.f(f"ck_{table}_state"), table)
    op.create_check_constraint(op.f(f"ck_{table}_state"), table, f"state IN {states}")


def _make_triggers() -> None:
    for trigger, events in (("only_added", "UPDATE OR DELETE"), ("never_emptied", "TRUNCATE")):
        op.execute(
            f"CREATE TRIGGER result_correction_{trigger} BEFORE {events} ON public.result_correction "
            "FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change()"
        )
        op.execute(f"ALTER TABLE public.result_correction ENABLE ALWAYS TRIGGER result_correction_{trigger}")
    op.execute(_KEEP_EARNING)
    op.execute(
        "CREATE TRIGGER earning_keeps_what_is_paid BEFORE UPDATE OF state ON public.earning FOR EACH ROW "
        "WHEN (NEW.state = 'corrected' OR OLD.state = 'corrected') EXECUTE FUNCTION public.keep_earning()"
    )
    op.execute(_KEEP_EVIDENCE)
    op.execute(
        "CREATE TRIGGER attendance_strike_keeps_evidence BEFORE INSERT OR UPDATE ON public.attendance_strike "
        "FOR EACH ROW EXECUTE FUNCTION public.keep_evidence()"
    )
