"""The chart of accounts, two schemes, the working calendar, and what the application may do.

Everything is a frozen copy: later changes to the application's constants come with a migration.
"""

from datetime import date
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_FAMILIES = (
    # name, kind, guard, mode
    ("bank", "asset", "none", "folded"),
    ("fund", "equity", "no_overdraft", "counted"),
    ("reserve", "equity", "no_overdraft", "counted"),
    ("benefit", "liability", "no_overdraft", "counted"),
    ("escrow", "liability", "none", "folded"),
    ("payable", "liability", "none", "folded"),
    ("receivable", "asset", "none", "folded"),
    ("cash", "liability", "no_overdraft", "counted"),
    ("transit", "liability", "none", "folded"),
    ("fees", "income", "none", "folded"),
    ("suspense", "liability", "none", "folded"),
)

_FLOWS = (
    # kind, debit family, credit family, the kind that it must settle
    ("appropriation", "bank", "fund", None),
    ("grant", "fund", "benefit", None),
    ("grant", "fund", "reserve", None),
    ("purchase", "benefit", "escrow", None),
    ("cancellation", "escrow", "benefit", "purchase"),
    ("cancellation", "escrow", "fund", "purchase"),
    ("completion", "escrow", "payable", "purchase"),
    ("completion", "escrow", "fees", "purchase"),
    ("completion", "escrow", "benefit", "purchase"),
    ("completion", "escrow", "fund", "purchase"),
    ("payout", "payable", "transit", None),
    ("payout_confirmed", "transit", "bank", "payout"),
    ("payout_rejected", "transit", "payable", "payout"),
    ("payout_returned", "bank", "payable", None),
    ("bank_line", "bank", "suspense", None),
    ("bank_line", "suspense", "bank", None),
    ("revocation", "benefit", "fund", None),
    ("revocation", "reserve", "fund", None),
)

_BOTH_SCHEMES: dict[str, Any] = {
    "ends_on": date(2027, 12, 31),
    "incentive_amount": 600_000,
    "survey_amount": 50_000,
    "resumed_days_participant": 3,
    "resumed_days_other": 15,
    "unopened_refund_days": 30,
    "minimum_age": 18,
    "maximum_age": 64,
    "people_per_family": 2,
    "fee_rate": "0.1000",
    "declaration_working_days": 3,
    "maturity_working_days": 5,
    "full_pay_from_percent": 80,
    "minimum_pay_percent": 25,
    "certificate_from_percent": 80,
    "uploaded_attendance_limit_percent": 20,
    "payout_minimum": 50_000,
    "bank_account_wait_days": 3,
}
_SCHEMES: tuple[dict[str, Any], ...] = (
    {
        **_BOTH_SCHEMES,
        "code": "2023",
        "name": "Skema normal 2023",
        "starts_on": date(2023, 1, 1),
        "training_balance": 3_500_000,
        "incentive_times": 1,
        "survey_times": 2,
        "first_purchase_days": 15,
        "shortest_hours": 15,
        "default": True,
    },
    {
        **_BOTH_SCHEMES,
        "code": "2020",
        "name": "Skema semi bantuan sosial 2020",
        "starts_on": date(2020, 4, 1),
        "training_balance": 1_000_000,
        "incentive_times": 4,
        "survey_times": 3,
        "first_purchase_days": 30,
        "shortest_hours": None,
        "default": False,
    },
)

# 2026: joint decree of three ministers, numbers 1497, 2 and 5 of 2025, days of joint leave included.
# 2027: computed from the calendars; to be replaced when the decree for that year is known.
_HOLIDAYS = (
    (date(2026, 1, 1), "Tahun Baru Masehi"),
    (date(2026, 1, 16), "Isra Mikraj"),
    (date(2026, 2, 16), "Cuti bersama Imlek"),
    (date(2026, 2, 17), "Tahun Baru Imlek 2577"),
    (date(2026, 3, 18), "Cuti bersama Nyepi"),
    (date(2026, 3, 19), "Hari Suci Nyepi 1948"),
    (date(2026, 3, 20), "Cuti bersama Idulfitri"),
    (date(2026, 3, 21), "Idulfitri 1447 H"),
    (date(2026, 3, 22), "Idulfitri 1447 H"),
    (date(2026, 3, 23), "Cuti bersama Idulfitri"),
    (date(2026, 3, 24), "Cuti bersama Idulfitri"),
    (date(2026, 4, 3), "Wafat Yesus Kristus"),
    (date(2026, 4, 5), "Kebangkitan Yesus Kristus"),
    (date(2026, 5, 1), "Hari Buruh"),
    (date(2026, 5, 14), "Kenaikan Yesus Kristus"),
    (date(2026, 5, 15), "Cuti bersama Kenaikan Yesus Kristus"),
    (date(2026, 5, 27), "Iduladha 1447 H"),
    (date(2026, 5, 28), "Cuti bersama Iduladha"),
    (date(2026, 5, 31), "Waisak 2570 BE"),
    (date(2026, 6, 1), "Hari Lahir Pancasila"),
    (date(2026, 6, 16), "Tahun Baru Islam 1448 H"),
    (date(2026, 8, 17), "Hari Kemerdekaan"),
    (date(2026, 8, 25), "Maulid Nabi Muhammad"),
    (date(2026, 12, 24), "Cuti bersama Natal"),
    (date(2026, 12, 25), "Hari Raya Natal"),
    (date(2027, 1, 1), "Tahun Baru Masehi"),
    (date(2027, 1, 5), "Isra Mikraj"),
    (date(2027, 2, 6), "Tahun Baru Imlek 2578"),
    (date(2027, 3, 8), "Hari Suci Nyepi 1949"),
    (date(2027, 3, 10), "Idulfitri 1448 H"),
    (date(2027, 3, 11), "Idulfitri 1448 H"),
    (date(2027, 3, 26), "Wafat Yesus Kristus"),
    (date(2027, 3, 28), "Kebangkitan Yesus Kristus"),
    (date(2027, 5, 1), "Hari Buruh"),
    (date(2027, 5, 6), "Kenaikan Yesus Kristus"),
    (date(2027, 5, 17), "Iduladha 1448 H"),
    (date(2027, 5, 20), "Waisak 2571 BE"),
    (date(2027, 6, 1), "Hari Lahir Pancasila"),
    (date(2027, 6, 6), "Tahun Baru Islam 1449 H"),
    (date(2027, 8, 15), "Maulid Nabi Muhammad"),
    (date(2027, 8, 17), "Hari Kemerdekaan"),
    (date(2027, 12, 25), "Hari Raya Natal"),
)

_APPEND_ONLY = ("attendance", "audit_entry")

# Tables that the application may not change as it likes: what it may do with each instead. What is owed,
# sent or stated by the bank keeps its amount, its owner and its account; only its fate is written later.
_EXCEPTIONS = {
    "alembic_version": "SELECT",
    "appropriation": "SELECT, INSERT",
    "attendance": "SELECT, INSERT",
    "audit_entry": "SELECT, INSERT",
    "bank_account": "SELECT, INSERT, UPDATE (state, approved_by, usable_from, blocked_code)",
    "bank_line": "SELECT, INSERT, UPDATE (state, reason, payout_id, transaction_id)",
    "bank_statement": "SELECT, INSERT",
    "earning": "SELECT, INSERT, UPDATE (state, hold_code, matures_at, paid_at)",
    "event": "SELECT, INSERT",
    "holiday": "SELECT",
    "payout": "SELECT, INSERT, UPDATE (state, reason_code, reason_words, transaction_id, sending_at, sent_at,"
    " accepted_at, enquire_at, settled_at)",
    "payout_run": "SELECT, INSERT, UPDATE (state, submitted_by, submitted_at, approved_by, approved_at,"
    " cancelled_at, cancel_reason)",
    "payout_line": "SELECT, INSERT, UPDATE (released_at)",
    "scheme": "SELECT",
    "user_role": "SELECT, INSERT, DELETE",
}

_REFUSE_CHANGE = """
CREATE FUNCTION public.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'restrict_violation',
        MESSAGE = format('rows of %s are only ever added', TG_TABLE_NAME);
END $$
"""


def upgrade() -> None:
    _fill_the_chart()
    _add_schemes()
    op.execute(_REFUSE_CHANGE)
    for table in _APPEND_ONLY:
        _make_append_only(table)
    _grant_rights()


def downgrade() -> None:
    for table in _APPEND_ONLY:
        op.execute(f"DROP TRIGGER {table}_only_added ON public.{table}")
        op.execute(f"DROP TRIGGER {table}_never_emptied ON public.{table}")
    op.execute("DROP FUNCTION public.refuse_change()")
    op.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM bekal_app")
    op.execute("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM bekal_app")
    op.execute("DELETE FROM public.holiday")
    op.execute("DELETE FROM public.scheme")
    op.execute("DELETE FROM ledger.flow")
    op.execute("DELETE FROM ledger.family")


def _fill_the_chart() -> None:
    family = sa.table("family", *map(sa.column, ("name", "kind", "guard", "mode")), schema="ledger")
    flow = sa.table(
        "flow", *map(sa.column, ("kind", "debit_family", "credit_family", "settles")), schema="ledger"
    )
    for table, rows in ((family, _FAMILIES), (flow, _FLOWS)):
        op.bulk_insert(table, [dict(zip(table.columns.keys(), row, strict=True)) for row in rows])


def _add_schemes() -> None:
    scheme = sa.table("scheme", *map(sa.column, _SCHEMES[0]), schema="public")
    op.bulk_insert(scheme, list(_SCHEMES))
    holiday = sa.table("holiday", sa.column("day"), sa.column("name"), schema="public")
    op.bulk_insert(holiday, [{"day": day, "name": name} for day, name in _HOLIDAYS])


def _make_append_only(table: str) -> None:
    """ALWAYS: not even a session that replays a replica's changes goes past these."""
    for trigger, events in (("only_added", "UPDATE OR DELETE"), ("never_emptied", "TRUNCATE")):
        op.execute(
            f"CREATE TRIGGER {table}_{trigger} BEFORE {events} ON public.{table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change()"
        )
        op.execute(f"ALTER TABLE public.{table} ENABLE ALWAYS TRIGGER {table}_{trigger}")


def _grant_rights() -> None:
    """The application reads, adds and changes; it deletes nothing but a role that somebody held."""
    op.execute("GRANT USAGE ON SCHEMA public TO bekal_app")
    op.execute("GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO bekal_app")
    op.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE ON TABLES TO bekal_app")
    for table, rights in _EXCEPTIONS.items():
        op.execute(f"REVOKE ALL ON public.{table} FROM bekal_app")
        op.execute(f"GRANT {rights} ON public.{table} TO bekal_app")
