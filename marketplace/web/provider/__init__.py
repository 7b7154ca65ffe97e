"""A provider's pages: overview, runs and sessions, enrolments, payouts."""

from marketplace.web.provider import confirmations, enrolments, overview, payouts, runs, sessions
from marketplace.web.provider.blueprint import pages

__all__ = ["confirmations", "enrolments", "overview", "pages", "payouts", "runs", "sessions"]
