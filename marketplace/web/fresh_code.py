"""A fresh one-time code, where the session's last one is old: sent, and taken from a form's field `code`."""

from datetime import timedelta

from flask import current_app

from marketplace import db
from marketplace.broker import nudge
from marketplace.errors import MarketplaceError
from marketplace.identity import step_up
from marketplace.identity.step_up import Act
from marketplace.notifications import tasks as notifications
from marketplace.web.account import ASK_CODE
from marketplace.web.errors import words_for
from marketplace.web.forms import Form
from marketplace.web.identity import reading_session, signed_in_session


def is_fresh() -> bool:
    """Whether this browser's owner gave a code not long ago."""
    within = timedelta(seconds=current_app.extensions["settings"].step_up_seconds)
    return step_up.is_proven(reading_session(), within)


def send(form: Form, purpose: str, act: Act) -> None:
    """Send a code that says what it is for; a refusal goes to the form."""
    try:
        with db.transaction() as current:
            step_up.request_proof(current, signed_in_session(current), purpose, act)
    except MarketplaceError as error:
        form.refuse("code", words_for(error))
    else:
        nudge(notifications.sweep)


def take(form: Form) -> None:
    """Take the code that was typed; a refusal goes to the form."""
    if not form.data["code"]:
        return form.refuse("code", ASK_CODE)
    try:
        with db.transaction() as current:
            step_up.prove(current, signed_in_session(current), form.data["code"])
    except MarketplaceError as error:
        form.refuse("code", words_for(error))
    return None
