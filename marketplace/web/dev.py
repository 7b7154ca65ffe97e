"""Development only: every message sent, and one-click sign-in as any demo person."""

import json
from datetime import datetime
from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request
from werkzeug.wrappers import Response

from marketplace import db
from marketplace.identity import queries as identity_queries
from marketplace.identity import service as identity
from marketplace.web.account import home_of
from marketplace.web.identity import parse_id, remember

pages = Blueprint("dev", __name__, url_prefix="/dev")

_NEWEST = 20


@pages.get("/inbox")
def inbox() -> str:
    """The newest messages, and the people one can be."""
    return render_template("dev/inbox.html", messages=_messages(), people=_people())


@pages.get("/components")
def components() -> str:
    """Every component of the design system on one page."""
    return render_template("dev/components.html")


@pages.post("/sign-in")
def sign_in() -> Response:
    """Become a demo person at once."""
    with db.transaction() as current:
        user = identity_queries.get_user(current, parse_id(request.form.get("user", "")))
        token = identity.start_session(current, user, "dev")
    remember(token, user)
    return redirect(home_of(user))


def _messages() -> list[dict[str, Any]]:
    folder = current_app.extensions["settings"].message_folder
    files = sorted(folder.glob("*.json"), reverse=True)[:_NEWEST] if folder.is_dir() else []
    messages = [json.loads(file.read_text()) for file in files]
    return [each | {"sent_at": datetime.fromisoformat(each["sent_at"])} for each in messages]


def _people() -> list[dict[str, Any]]:
    """Groups of demo people, as the seed wrote them: [{group, people: [{user, name, note}]}]."""
    file = current_app.extensions["settings"].home / "demo-people.json"
    found: list[dict[str, Any]] = json.loads(file.read_text()) if file.exists() else []
    return found
