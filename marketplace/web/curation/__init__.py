"""The programme office's desk for what providers offer: courses to be looked at, and those on sale."""

from marketplace.web.curation import applications, courses, queue
from marketplace.web.curation.blueprint import pages

__all__ = ["applications", "courses", "pages", "queue"]
