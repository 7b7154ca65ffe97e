"""What participants say of a provider's courses, and the answers that everybody reads."""

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import db
from marketplace.broker import nudge
from marketplace.enrolments import reviewing
from marketplace.enrolments.learning_models import Review
from marketplace.identity.models import User
from marketplace.notifications import tasks as notifications
from marketplace.shown import ChangedMeanwhile
from marketplace.web.errors import words_for
from marketplace.web.forms import Form, FormSchema, Paragraphs, Text, empty, submitted
from marketplace.web.identity import current_provider, signed_in_user
from marketplace.web.provider.blueprint import pages
from marketplace.web.provider.wanted import parse


class AnswerForm(FormSchema):
    answer = Paragraphs(_l("Tulis jawabannya."), most=2000)
    seen = Text(required=False, load_default="")


_SHOWN = 50


@pages.get("/ulasan")
def reviews() -> str:
    """Every review, those without an answer first."""
    current, provider_id = db.session(), current_provider().id
    last = parse(request.args.get("cursor"))
    after = ("answered" not in request.args, last) if last else None
    found = reviewing.list_for_provider(current, provider_id, _SHOWN + 1, after)
    total, waiting = reviewing.count_for_provider(current, provider_id)
    return render_template(
        "provider/reviews.html",
        reviews=found[:_SHOWN],
        total=total,
        waiting=waiting,
        is_first=after is None,
        next_href=_next(found[_SHOWN - 1]) if len(found) > _SHOWN else None,
        writer_of=reviewing.writer_of,
    )


def _next(last: Review) -> str:
    """The page after this review, and after all that wait when it does not wait any more."""
    return url_for("provider.reviews", cursor=last.id, answered="1" if last.answered_at else None)


@pages.get("/ulasan/<uuid:review_id>")
def review(review_id: uuid.UUID) -> str:
    """One review, and the answer to write or to put better."""
    found = _get(review_id)
    return _page(found, empty(answer=found.answer))


@pages.post("/ulasan/<uuid:review_id>")
def answer_review(review_id: uuid.UUID) -> Response | tuple[str, int]:
    """Publish the answer to what was read. The participant is told of the first one."""
    form = submitted(AnswerForm())
    found, user_id = _get(review_id), signed_in_user().id
    if not form.is_valid:
        return _page(found, form), 400

    def work(current: Session) -> Review:
        words, seen = form.data["answer"], form.data["seen"]
        return reviewing.answer(current, review_id, words, current.get_one(User, user_id), seen=seen)

    try:
        db.run_in_transaction(work)
    except ChangedMeanwhile as error:
        form.refuse("", words_for(error))
        return _page(_get(review_id), form), 400
    nudge(notifications.sweep)
    flash(_("Jawaban tampil di halaman kursus."), "daun")
    return redirect(url_for("provider.reviews"))


def _get(review_id: uuid.UUID) -> Review:
    return reviewing.get_for_provider(db.session(), review_id, current_provider().id)


def _page(found: Review, form: Form) -> str:
    writer = reviewing.writer_of(found.enrolment)
    seen = reviewing.mark_of(found)
    return render_template("provider/review.html", review=found, form=form, writer=writer, seen=seen)
