"""A provider's pages: overview, courses, runs and sessions, enrolments, payouts."""

from marketplace.web.provider import (
    accounts,
    confirmations,
    course_forms,
    courses,
    enrolments,
    overview,
    payouts,
    run_forms,
    runs,
    sessions,
    staff,
    uploads,
)
from marketplace.web.provider.blueprint import pages

__all__ = [
    "accounts",
    "confirmations",
    "course_forms",
    "courses",
    "enrolments",
    "overview",
    "pages",
    "payouts",
    "run_forms",
    "runs",
    "sessions",
    "staff",
    "uploads",
]  # fmt: skip
