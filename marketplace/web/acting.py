"""What a button does: one transaction, a sentence about how it went, and back to the page."""

from collections.abc import Callable

from flask import flash, redirect
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import db
from marketplace.broker import nudge
from marketplace.errors import MarketplaceError, NotFound
from marketplace.notifications import tasks as notifications
from marketplace.web.errors import words_for


def act_and_return(work: Callable[[Session], object], done: str, href: str) -> Response:
    """Do `work`, say `done` or why not, have the messages sent, and go to `href`. Raises NotFound."""
    try:
        db.run_in_transaction(work)
    except NotFound:
        raise
    except MarketplaceError as error:
        flash(words_for(error), "bata")
    else:
        nudge(notifications.sweep)
        flash(done, "daun")
    return redirect(href)
