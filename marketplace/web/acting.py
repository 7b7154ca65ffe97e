"""What a button does: one transaction, a sentence about how it went, and back to the page."""

from collections.abc import Callable
from typing import TypeVar

from flask import flash, redirect
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import db
from marketplace.broker import nudge
from marketplace.errors import MarketplaceError, NotFound
from marketplace.notifications import tasks as notifications
from marketplace.web.errors import words_for

T = TypeVar("T")


def act_and_return(work: Callable[[Session], T], done: str | Callable[[T], str], href: str) -> Response:
    """Do `work`, say `done` or why not, have the messages sent, and go to `href`. Raises NotFound.

    Where it depends on what `work` returned, `done` makes the sentence of it.
    """
    try:
        result = db.run_in_transaction(work)
    except NotFound:
        raise
    except MarketplaceError as error:
        flash(words_for(error), "bata")
    else:
        nudge(notifications.sweep)
        flash(done(result) if callable(done) else done, "daun")
    return redirect(href)
