"""The blueprint that the back office's money pages share. Auditors read all of it and change nothing."""

from flask import Blueprint, abort, request

from marketplace.identity.models import Role
from marketplace.web.identity import current_user

pages = Blueprint("finance", __name__, url_prefix="/keuangan")

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


@pages.before_request
def _only_finance_acts() -> None:
    """Every act needs the role finance; who may read at all is declared where this is registered."""
    user = current_user()
    if request.method not in _READING and user is not None and not user.has_role(Role.FINANCE):
        abort(403)
