"""The catalogue's pages: search with everything in the address, a course with its runs."""

from marketplace.web.catalogue import compare, course, search
from marketplace.web.catalogue.blueprint import pages
from marketplace.web.catalogue.labels import mode_name

__all__ = ["compare", "course", "mode_name", "pages", "search"]
