"""Earnings that are held: why, on what evidence, and the button that lets one go."""

import uuid

from flask import redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from marshmallow import validate
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import chart, clock, db
from marketplace.enrolments import conflicts, held, queries
from marketplace.enrolments.models import Earning, EarningState
from marketplace.errors import NotFound
from marketplace.identity.models import Role, User
from marketplace.oversight import complaint_queries as complaints
from marketplace.web import complaint_words
from marketplace.web.acting import act_and_return
from marketplace.web.finance.blueprint import pages
from marketplace.web.forms import Form, FormSchema, Text, empty, submitted
from marketplace.web.identity import signed_in_user
from marketplace.web.state_words import hold_words

LONGEST_REASON = 200


class ReleaseForm(FormSchema):
    reason = Text(
        _l("Tulis apa yang Anda periksa."),
        validate=validate.Length(
            max=LONGEST_REASON, error=_l("Tulis paling banyak %(most)s huruf.", most=LONGEST_REASON)
        ),
    )


@pages.get("/ditahan")
def held_earnings() -> str:
    """What waits for a person, the longest waiting first."""
    current = db.session()
    count, amount = held.sum_held(current)
    return render_template(
        "finance/held_earnings.html",
        earnings=held.list_held(current),
        count=count,
        amount=amount,
        hold_words=hold_words,
    )


@pages.get("/ditahan/<uuid:earning_id>")
def held_earning(earning_id: uuid.UUID) -> str | Response:
    """One of them: the attendance it rests on, and what was complained of."""
    return _page(earning_id, empty())


@pages.post("/ditahan/<uuid:earning_id>")
def release_earning(earning_id: uuid.UUID) -> Response | tuple[str | Response, int]:
    """Let it go. The provider reads the reason."""
    form = submitted(ReleaseForm())
    if not form.is_valid:
        return _page(earning_id, form), 400
    user_id = signed_in_user().id

    def work(current: Session) -> Earning:
        return held.release(current, earning_id, form.data["reason"], current.get_one(User, user_id))

    done = _(
        "Dilepas. Hak ini ikut pembayaran berikutnya setelah masa keberatannya lewat; lembaga diberi tahu."
    )
    return act_and_return(work, done, url_for("finance.held_earnings"))


def _page(earning_id: uuid.UUID, form: Form) -> str | Response:
    current = db.session()
    found = current.get(Earning, earning_id)
    if found is None:
        raise NotFound("no such earning")
    if found.state != EarningState.HELD:
        return redirect(url_for("finance.held_earnings"))
    return render_template(
        "finance/held_earning.html",
        earning=found,
        enrolment=found.enrolment,
        meetings=queries.list_meetings(current, found.enrolment),
        statements=conflicts.list_about(current, found.enrolment_id),
        complaints=complaints.list_for_enrolment(current, found.enrolment_id),
        transaction_label=chart.transaction_label,
        words=complaint_words,
        hold_words=hold_words,
        form=form,
        most=LONGEST_REASON,
        may_act=signed_in_user().has_role(Role.FINANCE),
        now=clock.now(current),
    )
