"""Reviewing a course that one has completed."""

import uuid

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from marshmallow import validate
from werkzeug.wrappers import Response

from marketplace import db
from marketplace.enrolments import queries, reviewing
from marketplace.errors import MarketplaceError, NotFound
from marketplace.web.errors import words_for
from marketplace.web.forms import Digits, Form, FormSchema, Paragraphs, empty, submitted
from marketplace.web.identity import current_participant
from marketplace.web.participant.blueprint import pages

_CHOOSE = _l("Pilih satu sampai lima bintang.")


class RatingForm(FormSchema):
    rating = Digits(
        _CHOOSE,
        validate=validate.Range(1, 5, error=_CHOOSE),
        error_messages={"invalid": _CHOOSE},
    )
    words = Paragraphs(_l("Tulis sedikitnya satu kalimat."), most=2000)


@pages.get("/kursus-saya/<uuid:enrolment_id>/ulasan")
def rate(enrolment_id: uuid.UUID) -> str:
    """One's review, to write, to change, or to read once it is answered."""
    written = reviewing.find_of(db.session(), enrolment_id)
    if written is None:
        return _page(enrolment_id, empty())
    return _page(enrolment_id, empty(rating=str(written.rating), words=written.words))


@pages.post("/kursus-saya/<uuid:enrolment_id>/ulasan")
def save_rating(enrolment_id: uuid.UUID) -> Response | tuple[str, int]:
    """Publish it."""
    form = submitted(RatingForm())
    if not form.is_valid:
        return _page(enrolment_id, form), 400
    participant_id, rating, words = current_participant().id, form.data["rating"], form.data["words"]
    try:
        db.run_in_transaction(
            lambda current: reviewing.review(current, enrolment_id, participant_id, rating, words)
        )
    except NotFound:
        raise
    except MarketplaceError as error:
        form.refuse("", words_for(error))
        return _page(enrolment_id, form), 409
    flash(_("Terima kasih. Ulasan Anda tampil di halaman kursus."), "daun")
    return redirect(url_for("participant.enrolment", enrolment_id=enrolment_id))


def _page(enrolment_id: uuid.UUID, form: Form) -> str:
    current = db.session()
    enrolment = queries.get_for_participant(current, enrolment_id, current_participant().id)
    review = reviewing.find_of(current, enrolment_id)
    return render_template("participant/rate.html", enrolment=enrolment, review=review, form=form)
