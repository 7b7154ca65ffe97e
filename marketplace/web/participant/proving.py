"""Before money moves: a fresh one-time code where the session's last one is old."""

from datetime import timedelta

from flask import current_app, render_template
from flask_babel import gettext as _

from marketplace import db
from marketplace.broker import nudge
from marketplace.catalogue.models import Run
from marketplace.errors import MarketplaceError
from marketplace.identity import step_up
from marketplace.notifications import tasks as notifications
from marketplace.web.account import ASK_CODE
from marketplace.web.errors import words_for
from marketplace.web.formatting import rupiah
from marketplace.web.forms import Form
from marketplace.web.identity import signed_in_session


def is_fresh() -> bool:
    """Whether this browser's owner gave a code not long ago."""
    within = timedelta(seconds=current_app.extensions["settings"].step_up_seconds)
    return step_up.is_proven(signed_in_session(db.session()), within)


def ask(form: Form, run: Run) -> str | tuple[str, int] | None:
    """Take the code that the form brings, and return None; else send one, or say what is wrong with it.

    The page keeps what the buyer saw, so that it is compared again at the purchase.
    """
    if "code" not in form.typed or "resend" in form.typed:
        _send(form, run)
    elif not form.data["code"]:
        form.refuse("code", ASK_CODE)
    else:
        _take(form)
        if form.is_valid:
            return None
    page = render_template(
        "participant/prove.html", form=form, run=run, contact=signed_in_session(db.session()).user.contact
    )
    return (page, 409) if form.errors else page


def _send(form: Form, run: Run) -> None:
    purpose = _(
        "membeli %(course)s seharga %(price)s", course=run.course.title, price=rupiah(run.course.price)
    )
    try:
        with db.transaction() as current:
            step_up.request_proof(current, signed_in_session(current), purpose)
    except MarketplaceError as error:
        form.refuse("code", words_for(error))
    else:
        nudge(notifications.sweep)


def _take(form: Form) -> None:
    try:
        with db.transaction() as current:
            step_up.prove(current, signed_in_session(current), form.data["code"])
    except MarketplaceError as error:
        form.refuse("code", words_for(error))
