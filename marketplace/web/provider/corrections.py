"""Correcting a declared result: the marks, then what follows from them, then the correction itself."""

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from marshmallow import fields, validate
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import clock, db
from marketplace.enrolments import (
    certificates,
    correction,
    correction_plan,
    provider_queries,
    queries,
    rebooking,
)
from marketplace.enrolments.correction import Wish
from marketplace.enrolments.correction_plan import Plan
from marketplace.enrolments.models import AttendanceMethod, Enrolment
from marketplace.enrolments.progress import Progress
from marketplace.enrolments.returned import after, returned
from marketplace.errors import MarketplaceError, NotFound
from marketplace.identity.models import User
from marketplace.schemes import calendar
from marketplace.web.acting import act_and_return
from marketplace.web.errors import words_for
from marketplace.web.forms import Digits, Form, FormSchema, Text, empty, submitted
from marketplace.web.identity import current_provider, parse_id, signed_in_user
from marketplace.web.provider.blueprint import pages
from marketplace.web.provider.rows import day_words

LONGEST = 300


def _line(ask: object) -> Text:
    too_long = _l("Tulis paling banyak %(most)s huruf.", most=LONGEST)
    return Text(ask, validate=validate.Length(max=LONGEST, error=too_long))


class CorrectionForm(FormSchema):
    present = fields.String()  # read as a list
    sequence = Digits()
    reason = _line(_l("Tulis alasan yang dibaca peserta."))
    evidence = _line(_l("Tulis bukti yang Anda simpan."))


@pages.get("/pendaftaran/<uuid:enrolment_id>/koreksi")
def ask_correction(enrolment_id: uuid.UUID) -> str | Response:
    """The marks as they stand, to be corrected."""
    progress = _get(enrolment_id)
    meetings = queries.list_meetings(db.session(), progress.enrolment)
    present = [str(each.meeting.id) for each in meetings if each.attendance]
    return _form(progress, empty(), present)


@pages.post("/pendaftaran/<uuid:enrolment_id>/koreksi/tinjau")
def review_correction(enrolment_id: uuid.UUID) -> str | Response | tuple[str | Response, int]:
    """What follows from the marks. Changes nothing."""
    progress, form = _get(enrolment_id), submitted(CorrectionForm())
    present = request.form.getlist("present")
    if not form.is_valid:
        return _form(progress, form, present), 400
    current, actor = db.session(), signed_in_user()
    try:
        plan = correction_plan.plan(current, progress.enrolment, _ids(present), actor)
    except NotFound:
        raise
    except MarketplaceError as error:
        form.refuse("present", words_for(error))
        return _form(progress, form, present), 409
    return _review(current, progress, plan, form, present)


@pages.post("/pendaftaran/<uuid:enrolment_id>/koreksi")
def correct(enrolment_id: uuid.UUID) -> str | Response | tuple[str | Response, int]:
    """Correct the result. The same form a second time changes nothing more."""
    progress, form = _get(enrolment_id), submitted(CorrectionForm())
    present = request.form.getlist("present")
    if not form.is_valid:
        return _form(progress, form, present), 400
    wish = Wish(form.data["sequence"], _ids(present), form.data["reason"], form.data["evidence"])
    user_id = signed_in_user().id

    def work(current: Session) -> None:
        correction.correct(current, enrolment_id, wish, current.get_one(User, user_id))

    done = _("Hasil dikoreksi. Peserta diberi tahu, dan masa keberatan dihitung lagi dari hari ini.")
    return act_and_return(work, done, url_for("provider.enrolment", enrolment_id=enrolment_id))


def _get(enrolment_id: uuid.UUID) -> Progress:
    """One's own enrolment. Raises NotFound."""
    return provider_queries.get_for_provider(db.session(), enrolment_id, current_provider().id)


def _ids(present: list[str]) -> frozenset[uuid.UUID]:
    return frozenset(map(parse_id, present))


def _form(progress: Progress, form: Form, present: list[str]) -> str | Response:
    current, enrolment = db.session(), progress.enrolment
    if not correction_plan.is_open(current, enrolment):
        if enrolment.completed_at is not None:
            flash(_("Hasil ini sudah tetap, jadi tidak bisa dikoreksi lagi."), "bata")
        return redirect(url_for("provider.enrolment", enrolment_id=enrolment.id))
    return render_template(
        "provider/correct.html",
        progress=progress,
        enrolment=enrolment,
        days=day_words(enrolment.run),
        meetings=queries.list_meetings(current, enrolment),
        present=present,
        sequence=form.typed.get("sequence") or _next_sequence(current, enrolment),
        until=None if _is_held(progress) else correction_plan.open_until(current, enrolment),
        form=form,
        most=LONGEST,
    )


def _review(current: Session, progress: Progress, plan: Plan, form: Form, present: list[str]) -> str:
    enrolment = progress.enrolment
    names = {each.meeting.id: each.meeting for each in queries.list_meetings(current, enrolment)}
    by_list = [each for each in plan.fresh if each.method == AttendanceMethod.UPLOAD]
    days = enrolment.scheme.maturity_working_days
    before = returned(rebooking.read_trail(current, enrolment), enrolment)
    return render_template(
        "provider/review_correction.html",
        progress=progress,
        enrolment=enrolment,
        days=day_words(enrolment.run),
        plan=plan,
        added=[names[each.session_id] for each in (*plan.fresh, *plan.restored)],
        struck=[names[each.session_id] for each in plan.struck],
        attended=progress.attended + len(plan.fresh) + len(plan.restored) - len(plan.struck),
        by_list=len(by_list),
        before=before,
        after=after(plan, before),
        certificate=_certificate(current, enrolment, plan),
        is_held=bool(plan.verdict.hold_code) or _is_held(progress),
        matures_at=calendar.end_of_working_days(current, clock.now(current), days),
        form=form,
        present=present,
    )


def _certificate(current: Session, enrolment: Enrolment, plan: Plan) -> str:
    """What becomes of the certificate: `revoked`, `replaced`, `issued` or nothing."""
    found = certificates.find_newest_of(current, enrolment.id)
    has_one = found is not None and found.revoked_at is None
    earns = (plan.verdict.percent or 0) >= enrolment.scheme.certificate_from_percent
    if has_one:
        return "replaced" if earns else "revoked"
    return "issued" if earns else ""


def _next_sequence(current: Session, enrolment: Enrolment) -> int:
    return len(correction.list_corrections(current, enrolment.id)) + 1


def _is_held(progress: Progress) -> bool:
    return progress.earning is not None and progress.earning.state == "held"
