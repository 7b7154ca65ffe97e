"""Checking in by the code on the screen that a phone's camera has read: a link, then one button.

Opening the link changes nothing and does not say whether its code is right: a link can be opened by a
preview, and a code must not be guessed without being counted.
"""

import uuid

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import clock, db
from marketplace.catalogue import queries as catalogue
from marketplace.catalogue.models import RunSession
from marketplace.enrolments import attendance, queries
from marketplace.enrolments.errors import NotEnrolled
from marketplace.errors import MarketplaceError, NotFound
from marketplace.web.errors import words_for
from marketplace.web.identity import current_participant
from marketplace.web.participant.blueprint import pages


@pages.get("/presensi/<uuid:session_id>/<code>")
def ask_scanned(session_id: uuid.UUID, code: str) -> str:
    """Which class and session this is, and the button that checks in."""
    return _page(session_id, code)


@pages.post("/presensi/<uuid:session_id>/<code>")
def check_in_scanned(session_id: uuid.UUID, code: str) -> Response | tuple[str, int]:
    """Check in with the scanned code: the same service, count and refusals as when it is typed."""
    participant_id = current_participant().id
    try:
        with db.transaction() as current:
            found = attendance.check_in(current, participant_id, session_id, code)
            enrolment_id = found.enrolment_id
    except NotFound:
        raise
    except MarketplaceError as error:
        return _page(session_id, code, words_for(error)), 409
    flash(_("Kehadiran Anda tercatat."), "daun")
    return redirect(url_for("participant.enrolment", enrolment_id=enrolment_id))


def _page(session_id: uuid.UUID, code: str, problem: str | None = None) -> str:
    current = db.session()
    meeting = attendance.get_meeting(current, session_id)
    enrolment = queries.find_for_run(current, current_participant().id, meeting.run_id)
    if enrolment is None:
        problem = words_for(NotEnrolled())
    return render_template(
        "participant/scanned.html",
        meeting=meeting,
        run=catalogue.get_run(current, meeting.run_id),
        enrolment=enrolment,
        code=code,
        problem=problem or _closed_words(current, meeting),
    )


def _closed_words(current: Session, meeting: RunSession) -> str | None:
    if attendance.is_open(meeting, clock.now(current)):
        return None
    return _("Presensi sesi ini tidak sedang dibuka.")
