"""The blueprint that the desk's pages share. Auditors read all of it and change nothing."""

from flask import Blueprint, abort, request

from marketplace.identity.models import Role
from marketplace.web.identity import current_user

pages = Blueprint("desk", __name__, url_prefix="/kantor")

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


@pages.before_request
def _auditors_only_read() -> None:
    """Who may open the pages at all is declared where this is registered."""
    if request.method not in _READING and not may_act():
        abort(403)


def may_act() -> bool:
    """Whether the reader works at the desk, and does not only look over its shoulder."""
    user = current_user()
    return user is None or user.has_role(Role.DESK) or user.has_role(Role.FINANCE)
