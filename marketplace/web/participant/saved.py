"""Saved courses: kept with one button, without script, and compared three at a time."""

import uuid

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from marketplace import db
from marketplace.batches import queries as grants
from marketplace.catalogue import saving
from marketplace.catalogue.errors import SavedTooMany
from marketplace.web.catalogue.blueprint import too_short_for_reader
from marketplace.web.catalogue.labels import facts_of_card, icon_of
from marketplace.web.errors import words_for
from marketplace.web.identity import current_participant
from marketplace.web.participant.blueprint import pages


@pages.get("/tersimpan")
def saved() -> str:
    """The list, newest first."""
    current, participant = db.session(), current_participant()
    return render_template(
        "participant/saved.html",
        cards=saving.list_saved(current, participant.id),
        balance=grants.balance_of(current, participant.id),
        too_short=too_short_for_reader(current),
        icon_of=icon_of,
        facts_of=facts_of_card,
    )


@pages.post("/tersimpan/<uuid:course_id>")
def save(course_id: uuid.UUID) -> Response:
    """Put a course on the list, and go back to it."""
    participant = current_participant()
    try:
        with db.transaction() as current:
            saving.save(current, participant.id, course_id)
    except SavedTooMany as error:
        flash(words_for(error), "kunyit")
    return redirect(url_for("catalogue.course", course_id=course_id))


@pages.post("/tersimpan/<uuid:course_id>/hapus")
def forget(course_id: uuid.UUID) -> Response:
    """Take a course off the list, and show the list."""
    participant = current_participant()
    with db.transaction() as current:
        saving.forget(current, participant.id, course_id)
    flash(_("Kursus dihapus dari daftar tersimpan."))
    return redirect(url_for("participant.saved"))
