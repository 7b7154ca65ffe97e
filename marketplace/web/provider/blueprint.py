"""The blueprint that the provider's pages share; its staff do what their part allows."""

from flask import Blueprint, abort, request

from marketplace.providers.models import StaffRole
from marketplace.web.identity import find_staff
from marketplace.web.staff_rights import may_open

pages = Blueprint("provider", __name__, url_prefix="/lembaga")


@pages.before_request
def _only_in_their_part() -> None:
    """That they are this provider's staff at all is for the registration and each view to ask."""
    staff = find_staff()
    if staff is not None and not may_open(StaffRole(staff.role), request.path, request.method):
        abort(403)
