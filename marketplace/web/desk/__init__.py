"""The programme office's desk: what participants and providers complain about, and what all are told."""

from marketplace.web.desk import announcements, complaints
from marketplace.web.desk.blueprint import pages

__all__ = ["announcements", "complaints", "pages"]
