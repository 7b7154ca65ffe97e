"""One session: the classroom's screen with its rotating code as digits and to scan, and the signed list."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import segno
from flask import current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import clock, db
from marketplace.broker import nudge
from marketplace.catalogue.models import Run, RunSession
from marketplace.config import Settings
from marketplace.enrolments import attendance, provider_queries
from marketplace.enrolments.check_in_codes import CODE_SECONDS, current_code
from marketplace.enrolments.provider_queries import RollCallRow
from marketplace.errors import MarketplaceError, NotFound
from marketplace.identity.models import User
from marketplace.notifications import tasks as notifications
from marketplace.web import live
from marketplace.web.errors import words_for
from marketplace.web.identity import current_provider, parse_id, signed_in_user
from marketplace.web.language import current_language
from marketplace.web.provider.blueprint import pages

_LONGEST_WAIT = 300
_LOOK_SECONDS = 4
"""How often the screen's script looks for the next code and for who came; a code is good for a minute."""


@pages.get("/sesi/<uuid:session_id>")
def session(session_id: uuid.UUID) -> str:
    """The classroom's screen: the code of these thirty seconds, and who has checked in."""
    current = db.session()
    meeting, run = get_meeting(current, session_id)
    shown = _shown(current, meeting)
    region = live.Region(
        url_for("provider.session_live", session_id=session_id), _version(shown), _LOOK_SECONDS
    )
    return render_template("provider/session.html", run=run, live=region, **shown)


@pages.get("/sesi/<uuid:session_id>/langsung")
def session_live(session_id: uuid.UUID) -> Response:
    """What of it changes while the class looks at it; 304 while nothing has."""
    current = db.session()
    meeting, _run = get_meeting(current, session_id)
    shown = _shown(current, meeting)
    return live.answer(
        _version(shown), shown["now"], lambda: render_template("provider/_session_live.html", **shown)
    )


def _shown(current: Session, meeting: RunSession) -> dict[str, Any]:
    """The code or when it comes, and who is there. `refresh`: seconds until it is old, or None."""
    now = clock.now(current)
    is_open = attendance.is_open(meeting, now)
    code, seconds = current_code(meeting)
    roll = provider_queries.roll_call(current, meeting)
    return {
        "meeting": meeting,
        "code": f"{code[:3]} {code[3:]}" if is_open else None,
        "qr": _qr_of(meeting, code) if is_open else None,
        "every": CODE_SECONDS,
        "refresh": seconds if is_open else _seconds_to_wait(meeting, now),
        "opens_at": opens_at(meeting),
        "came": [row for row in roll if row.attendance],
        "missing": [row for row in roll if not row.attendance],
        "now": now,
    }


def _version(shown: dict[str, Any]) -> str:
    """Another one with each code, each arrival, and when the session opens, begins or is over."""
    has_begun = shown["now"] >= shown["meeting"].starts_at
    parts = (shown["code"], shown["refresh"] is None, has_begun, len(shown["came"]), len(shown["missing"]))
    return live.digest(f"{parts} {current_language()}")


@pages.get("/sesi/<uuid:session_id>/daftar-hadir")
def attendance_list(session_id: uuid.UUID) -> str:
    """The signed list: everybody who has not checked in, to be ticked."""
    return attendance_page(session_id)


@pages.post("/sesi/<uuid:session_id>/daftar-hadir")
def record_attendance(session_id: uuid.UUID) -> Response | tuple[str, int]:
    """Record the signed list. Each person named is told."""
    present = [parse_id(value) for value in request.form.getlist("enrolment")]
    if not present:
        return attendance_page(session_id, _("Centang sedikitnya satu nama.")), 400
    provider_id, user_id = current_provider().id, signed_in_user().id

    def work(current: Session) -> int:
        provider_queries.get_meeting_of_provider(current, session_id, provider_id)
        return attendance.upload_attendance(current, session_id, present, current.get_one(User, user_id))

    try:
        recorded = db.run_in_transaction(work)
    except NotFound:
        raise
    except MarketplaceError as error:
        flash(words_for(error), "bata")
        return redirect(url_for("provider.attendance_list", session_id=session_id))
    nudge(notifications.sweep)
    flash(_("%(number)s kehadiran dicatat dari daftar. Setiap peserta diberi tahu.", number=recorded), "daun")
    return redirect(url_for("provider.session", session_id=session_id))


def _qr_of(meeting: RunSession, code: str) -> Markup:
    """The same code as a link, which a phone's camera opens; as short-lived as the digits are."""
    settings: Settings = current_app.extensions["settings"]
    path = url_for("participant.ask_scanned", session_id=meeting.id, code=code)
    picture = segno.make(settings.public_url.rstrip("/") + path, error="m", micro=False)
    return Markup('<img src="{}" alt="">').format(picture.svg_data_uri(scale=4, border=2))


def opens_at(meeting: RunSession) -> datetime:
    """When the code begins to be taken. Raises NotFound for a unit, which has no hours."""
    if meeting.starts_at is None:
        raise NotFound("a unit has no hours")
    return meeting.starts_at - attendance.OPENS_BEFORE


def get_meeting(current: Session, session_id: uuid.UUID) -> tuple[RunSession, Run]:
    """A provider's session that has hours, with its run. Raises NotFound, for another provider's too."""
    meeting, run = provider_queries.get_meeting_of_provider(current, session_id, current_provider().id)
    opens_at(meeting)
    return meeting, run


def _seconds_to_wait(meeting: RunSession, now: datetime) -> int | None:
    """The page opens its code by itself; a session that is over stays as it is."""
    wait = (opens_at(meeting) - now).total_seconds()
    return min(_LONGEST_WAIT, int(wait) + 1) if wait > 0 else None


def attendance_page(
    session_id: uuid.UUID,
    problem: str | None = None,
    *,
    file_problem: str | None = None,
    ticked: Sequence[str] = (),
    problems: Sequence[str] = (),
) -> str:
    """The list to be ticked; perhaps with what a file ticked, and with what was refused in it."""
    current = db.session()
    meeting, run = get_meeting(current, session_id)
    roll = provider_queries.roll_call(current, meeting)
    return render_template(
        "provider/attendance_list.html",
        run=run,
        meeting=meeting,
        came=[row for row in roll if row.attendance],
        open_rows=[row for row in roll if _may_be_ticked(row)],
        has_begun=meeting.starts_at is not None and meeting.starts_at <= clock.now(current),
        problem=problem,
        file_problem=file_problem,
        ticked=ticked,
        problems=problems,
    )


def _may_be_ticked(row: RollCallRow) -> bool:
    return row.attendance is None and row.enrolment.is_live
