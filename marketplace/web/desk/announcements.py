"""Announcements: one form to write one, and every one that was ever made."""

import uuid
from datetime import UTC, datetime

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from marshmallow import fields, validate
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import clock, db
from marketplace.identity.models import User
from marketplace.oversight import announcements as office
from marketplace.oversight.announcements import LONGEST, Draft
from marketplace.oversight.errors import AnnouncementInvalid
from marketplace.oversight.models import Announcement, Audience, Severity
from marketplace.web import announcement_words
from marketplace.web.acting import act_and_return
from marketplace.web.desk.blueprint import may_act, pages
from marketplace.web.errors import words_for
from marketplace.web.formatting import local
from marketplace.web.forms import Form, FormSchema, Text, empty, key_of, new_key, submitted
from marketplace.web.identity import signed_in_user

_TYPED = "%Y-%m-%dT%H:%M"
_LONG = validate.Length(max=LONGEST, error=_l("Tulis paling banyak %(most)s huruf.", most=LONGEST))
_CHOOSE_SEVERITY, _CHOOSE_AUDIENCE = _l("Pilih seberapa pentingnya."), _l("Pilih siapa yang membacanya.")


class AnnouncementForm(FormSchema):
    text_id = Text(_l("Tulis pengumumannya dalam bahasa Indonesia."), validate=_LONG)
    text_en = Text(_l("Tulis pengumumannya dalam bahasa Inggris."), validate=_LONG)
    severity = Text(_CHOOSE_SEVERITY, validate=validate.OneOf(list(Severity), error=_CHOOSE_SEVERITY))
    audience = Text(_CHOOSE_AUDIENCE, validate=validate.OneOf(list(Audience), error=_CHOOSE_AUDIENCE))
    starts = Text(required=False, load_default="")
    ends = Text(_l("Tulis sampai kapan pengumuman ini berlaku."))
    key = fields.String(load_default="")


@pages.get("/pengumuman")
def announcements() -> str:
    """What is announced, what was, and the form for the next."""
    return _page(_blank())


@pages.post("/pengumuman")
def announce() -> Response | tuple[str, int]:
    """Announce it."""
    form = submitted(AnnouncementForm())
    starts = _moment(form, "starts") or clock.wall_now()
    ends = _moment(form, "ends")
    if not form.is_valid or ends is None:
        return _page(form), 400
    data, user_id = form.data, signed_in_user().id
    draft = Draft(
        Severity(data["severity"]), Audience(data["audience"]), data["text_id"], data["text_en"], starts, ends
    )

    def work(current: Session) -> Announcement:
        return office.announce(current, draft, current.get_one(User, user_id), key_of(form))

    try:
        db.run_in_transaction(work)
    except AnnouncementInvalid as error:
        form.refuse("ends", words_for(error))
        return _page(form), 400
    flash(_("Pengumuman disimpan."), "daun")
    return redirect(url_for("desk.announcements"))


@pages.post("/pengumuman/<uuid:announcement_id>/akhiri")
def end_announcement(announcement_id: uuid.UUID) -> Response:
    """Show it no longer."""
    user_id = signed_in_user().id

    def work(current: Session) -> Announcement:
        return office.end_now(current, announcement_id, current.get_one(User, user_id))

    return act_and_return(work, _("Pengumuman diakhiri."), url_for("desk.announcements"))


def _moment(form: Form, name: str) -> datetime | None:
    """A date and time as the browser's field sends it, in WIB; what is none goes to the form."""
    typed = form.data.get(name) or ""
    if not typed:
        return None
    try:
        read = datetime.strptime(typed.replace(" ", "T")[:16], _TYPED)  # noqa: DTZ007 - its zone comes next
        return read.replace(tzinfo=clock.ZONE).astimezone(UTC)
    except (ValueError, OverflowError):
        form.refuse(name, _("Tulis tanggal dan jam, misalnya 2026-11-30 21:00."))
        return None


def _blank() -> Form:
    now = local(clock.wall_now()).strftime(_TYPED)
    return empty(key=new_key(), severity=Severity.INFO.value, audience=Audience.EVERYBODY.value, starts=now)


def _page(form: Form) -> str:
    return render_template(
        "desk/announcements.html",
        form=form,
        found=office.list_all(db.session()),
        may_act=may_act(),
        now=clock.wall_now(),
        words=announcement_words,
        severities=list(Severity),
        audiences=list(Audience),
        longest=LONGEST,
    )
