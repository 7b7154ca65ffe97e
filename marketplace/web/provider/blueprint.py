"""The blueprint that the provider's pages share; its staff do what their part allows."""

from urllib.parse import urlsplit

from flask import Blueprint, abort, request

from marketplace.providers.models import StaffRole
from marketplace.web.identity import find_staff
from marketplace.web.staff_rights import may_open

pages = Blueprint("provider", __name__, url_prefix="/lembaga")


@pages.app_template_global("may_open")
def staff_may_open(href: str, method: str = "GET") -> bool:
    """May who is asking follow this link, or send a form there? Pages offer nothing else."""
    staff = find_staff()
    return staff is not None and may_open(StaffRole(staff.role), urlsplit(href).path, method)


@pages.before_request
def _only_in_their_part() -> None:
    """That they are this provider's staff at all is for the registration and each view to ask."""
    staff = find_staff()
    if staff is not None and not may_open(StaffRole(staff.role), request.path, request.method):
        abort(403)
