"""Before money moves: a fresh one-time code where the session's last one is old."""

from flask import render_template
from flask_babel import gettext as _

from marketplace import db
from marketplace.catalogue.models import Run
from marketplace.identity.step_up import Act
from marketplace.web import fresh_code
from marketplace.web.formatting import rupiah
from marketplace.web.forms import Form
from marketplace.web.fresh_code import is_fresh
from marketplace.web.identity import signed_in_session

__all__ = ["ask", "is_fresh"]


def ask(form: Form, run: Run) -> str | tuple[str, int] | None:
    """Take the code that the form brings, and return None; else send one, or say what is wrong with it.

    The page keeps what the buyer saw, so that it is compared again at the purchase.
    """
    if "code" not in form.typed or "resend" in form.typed:
        _send(form, run)
    else:
        fresh_code.take(form)
        if form.is_valid:
            return None
    page = render_template(
        "participant/prove.html", form=form, run=run, contact=signed_in_session(db.session()).user.contact
    )
    return (page, 409) if form.errors else page


def _send(form: Form, run: Run) -> None:
    course, price = run.course.title, rupiah(run.course.price)
    fresh_code.send(form, _("membeli %(course)s seharga %(price)s", course=course, price=price), Act.PURCHASE)
