"""The programme office's desk for people: what participants and providers complain about."""

from marketplace.web.desk import complaints
from marketplace.web.desk.blueprint import pages

__all__ = ["complaints", "pages"]
