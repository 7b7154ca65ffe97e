"""Who somebody is and where they stand, for those of the office who answer and decide."""

from marketplace.web.people import evidence, search, summaries
from marketplace.web.people.blueprint import pages

__all__ = ["evidence", "pages", "search", "summaries"]
