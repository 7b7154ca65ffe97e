"""Access: declared where a blueprint is registered, enforced before each of its views."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from flask import Blueprint, Flask, abort, current_app, redirect, request, url_for
from werkzeug.wrappers import Response

from marketplace.identity.models import Role
from marketplace.web.identity import current_user

_EXTENSION = "bekal.access"


class Access(StrEnum):
    """Who may open a blueprint's pages."""

    PUBLIC = "public"
    SIGNED_IN = "signed_in"
    PARTICIPANT = "participant"
    PROVIDER = "provider"
    FINANCE = "finance"
    CURATOR = "curator"
    DESK = "desk"
    PEOPLE = "people"
    DEVELOPMENT = "development"


ROLES: dict[Access, frozenset[Role]] = {
    Access.PARTICIPANT: frozenset({Role.PARTICIPANT}),
    Access.PROVIDER: frozenset({Role.PROVIDER}),
    Access.FINANCE: frozenset({Role.FINANCE, Role.AUDITOR}),
    Access.CURATOR: frozenset({Role.CURATOR}),
    Access.DESK: frozenset({Role.DESK, Role.FINANCE, Role.AUDITOR}),
    Access.PEOPLE: frozenset({Role.DESK, Role.FINANCE}),
}


def register(app: Flask, blueprint: Blueprint, access: Access, **options: Any) -> None:
    """Register a blueprint together with who may open it."""
    name = options.get("name", blueprint.name)
    declared(app)[name] = access
    # the guard is this application's; on the blueprint a second application would guard twice
    app.before_request_funcs.setdefault(name, []).append(_guard(access))
    app.register_blueprint(blueprint, **options)


def declared(app: Flask) -> dict[str, Access]:
    """Access by blueprint name: what the architecture test holds against the routes."""
    table: dict[str, Access] = app.extensions.setdefault(_EXTENSION, {})
    return table


def _guard(access: Access) -> Callable[[], Response | None]:
    def check() -> Response | None:
        if access is Access.PUBLIC:
            return None
        if access is Access.DEVELOPMENT:
            return None if not current_app.extensions["settings"].is_production else abort(404)
        user = current_user()
        if user is None:
            return redirect(url_for("account.sign_in", next=_return_path()))
        if access in ROLES and not any(user.has_role(role) for role in ROLES[access]):
            abort(403)
        return None

    return check


def _return_path() -> str | None:
    """Where to come back to after signing in: only a page that can simply be opened again."""
    return request.full_path.rstrip("?") if request.method == "GET" else None
