"""Purchases that wait for the provider's word, with the price set aside; lines for full runs; proofs of sessions."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_STATES = (
    "awaiting_confirmation",
    "purchased",
    "attending",
    "completed",
    "cancelled_by_participant",
    "cancelled_by_provider",
    "cancelled_by_programme",
    "confirmation_expired",
    "no_show",
)
_CHECKS = {
    "state": "state IN ({})".format(", ".join(f"'{state}'" for state in _STATES)),
    "cancellation": "(state IN ('cancelled_by_participant', 'cancelled_by_provider', 'cancelled_by_programme',"
    " 'confirmation_expired')) = (cancelled_at IS NOT NULL)",
    "posted": "price = 0 OR transaction_id IS NOT NULL OR hold_id IS NOT NULL"
    " AND state NOT IN ('purchased', 'attending', 'completed', 'no_show')",
    "settled": "price = 0 OR transaction_id IS NULL"
    " OR (state IN ('purchased', 'attending')) = (settlement_id IS NULL)",
    "awaiting": "state <> 'awaiting_confirmation' OR confirm_by IS NOT NULL AND transaction_id IS NULL",
}
_LIVE = "state IN ('awaiting_confirmation', 'purchased', 'attending', 'completed', 'no_show')"

_EARLIER_STATES = tuple(
    state for state in _STATES if state not in ("awaiting_confirmation", "confirmation_expired")
)
_EARLIER_CHECKS = {
    "state": "state IN ({})".format(", ".join(f"'{state}'" for state in _EARLIER_STATES)),
    "cancellation": "(state IN ('cancelled_by_participant', 'cancelled_by_provider', 'cancelled_by_programme'))"
    " = (cancelled_at IS NOT NULL)",
    "posted": "price = 0 OR transaction_id IS NOT NULL",
    "settled": "price = 0 OR (state IN ('purchased', 'attending')) = (settlement_id IS NULL)",
}
_EARLIER_LIVE = "state IN ('purchased', 'attending', 'completed', 'no_show')"


def upgrade() -> None:
    flag = sa.Column("needs_confirmation", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    op.add_column("run", flag)
    _add_terms(
        confirmation_working_days="2",
        confirmation_lead_hours="24",
        waiting_offer_hours="12",
        waiting_lead_hours="24",
    )
    op.add_column("enrolment", sa.Column("hold_id", sa.Uuid(), nullable=True))
    for name in ("confirm_by", "confirmed_at"):
        op.add_column("enrolment", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.add_column("enrolment", sa.Column("decline_reason", sa.Text(), nullable=True))
    _replace_rules(_EARLIER_CHECKS, _CHECKS, _LIVE)
    op.create_index(
        "ix_enrolment_awaiting",
        "enrolment",
        ["confirm_by"],
        postgresql_where="state = 'awaiting_confirmation'",
    )
    _add_waiting_list()
    op.add_column("user_session", sa.Column("proved_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE public.user_session SET proved_at = created_at")
    op.alter_column("user_session", "proved_at", nullable=False)


def downgrade() -> None:
    op.drop_column("user_session", "proved_at")
    op.drop_table("waiting_place")
    op.drop_index("ix_enrolment_awaiting", table_name="enrolment")
    _replace_rules(_CHECKS, _EARLIER_CHECKS, _EARLIER_LIVE)
    for name in ("decline_reason", "confirmed_at", "confirm_by", "hold_id"):
        op.drop_column("enrolment", name)
    for name in (
        "waiting_lead_hours",
        "waiting_offer_hours",
        "confirmation_lead_hours",
        "confirmation_working_days",
    ):
        op.drop_column("scheme", name)
    op.drop_column("run", "needs_confirmation")


def _add_terms(**terms: str) -> None:
    for name, value in terms.items():
        op.add_column("scheme", sa.Column(name, sa.SmallInteger(), server_default=value, nullable=False))


def _add_waiting_list() -> None:
    op.create_table(
        "waiting_place",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("participant_id", sa.Uuid(), nullable=False),
        sa.Column("scheme_code", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("offer_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'offered', 'taken', 'missed', 'left', 'closed')",
            name=op.f("ck_waiting_place_state"),
        ),
        sa.CheckConstraint(
            "state <> 'offered' OR offer_until IS NOT NULL", name=op.f("ck_waiting_place_offer")
        ),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participant.id"], name=op.f("fk_waiting_place_participant_id")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_waiting_place_run_id")),
        sa.ForeignKeyConstraint(["scheme_code"], ["scheme.code"], name=op.f("fk_waiting_place_scheme_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waiting_place")),
    )
    in_line = "state IN ('waiting', 'offered')"
    columns = ["participant_id", "run_id"]
    op.create_index("uq_waiting_place_in_line", "waiting_place", columns, unique=True, postgresql_where=in_line)
    columns = ["run_id", "joined_at"]
    op.create_index("ix_waiting_place_line", "waiting_place", columns, postgresql_where=in_line)


def _replace_rules(dropped: dict[str, str], added: dict[str, str], live: str) -> None:
    op.drop_index("uq_enrolment_live", table_name="enrolment")
    for name in dropped:
        op.drop_constraint(op.f(f"ck_enrolment_{name}"), "enrolment", type_="check")
    for name, rule in added.items():
        op.create_check_constraint(op.f(f"ck_enrolment_{name}"), "enrolment", rule)
    op.create_index(
        "uq_enrolment_live", "enrolment", ["participant_id", "run_id"], unique=True, postgresql_where=live
    )
