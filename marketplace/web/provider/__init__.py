"""A provider's pages: overview, courses, runs and sessions, enrolments and their files, money."""

from marketplace.web.provider import (
    accounts,
    attendance,
    confirmations,
    course_forms,
    courses,
    enrolments,
    exports,
    monthly,
    overview,
    payouts,
    reports,
    run_forms,
    run_messages,
    runs,
    sessions,
    staff,
    uploads,
)
from marketplace.web.provider.blueprint import pages

__all__ = [
    "accounts",
    "attendance",
    "confirmations",
    "course_forms",
    "courses",
    "enrolments",
    "exports",
    "monthly",
    "overview",
    "pages",
    "payouts",
    "reports",
    "run_forms",
    "run_messages",
    "runs",
    "sessions",
    "staff",
    "uploads",
]
