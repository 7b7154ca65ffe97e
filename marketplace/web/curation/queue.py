"""Courses that wait for a look: the longest waiting first, and one page to decide on each."""

import uuid

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from marshmallow import validate
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import clock, db
from marketplace.broker import nudge
from marketplace.catalogue import curation, writing
from marketplace.catalogue import version_queries as versions
from marketplace.catalogue.curation import Verdict
from marketplace.catalogue.errors import CommentMissing
from marketplace.catalogue.versions import CourseVersion, Rejection, VersionState
from marketplace.errors import MarketplaceError, NotFound
from marketplace.identity.models import User
from marketplace.notifications import tasks as notifications
from marketplace.providers import statements
from marketplace.schemes import queries as schemes
from marketplace.web import course_words
from marketplace.web.curation.blueprint import pages
from marketplace.web.errors import words_for
from marketplace.web.forms import Form, FormSchema, Paragraphs, Text, empty, submitted
from marketplace.web.identity import signed_in_user

_SHOWN = 100
_DECIDED_SHOWN = 20
_VERDICTS = {
    "approve": VersionState.APPROVED,
    "return": VersionState.RETURNED,
    "reject": VersionState.REJECTED,
}


class VerdictForm(FormSchema):
    verdict = Text(
        _l("Pilih keputusannya."),
        validate=validate.OneOf(list(_VERDICTS), error=_l("Pilih keputusannya.")),
    )
    rejection = Text(
        required=False,
        load_default="",
        validate=validate.OneOf(["", *Rejection], error=_l("Pilih alasan dari daftar.")),
    )
    comment = Paragraphs(
        required=False,
        load_default="",
        validate=validate.Length(
            max=writing.LONGEST_COMMENT,
            error=_l("Tulis paling banyak %(most)s huruf.", most=writing.LONGEST_COMMENT),
        ),
    )
    seen = Text(required=False, load_default="")


@pages.get("")
def queue() -> str:
    """What waits, and what was decided last."""
    current = db.session()
    waiting = versions.list_queue(current, _SHOWN)
    return render_template(
        "curation/queue.html",
        waiting=waiting,
        total=versions.count_queue(current),
        decided=versions.list_decided(current, _DECIDED_SHOWN),
        now=clock.now(current),
        words=course_words,
    )


@pages.get("/versi/<uuid:version_id>")
def version(version_id: uuid.UUID) -> str:
    """One version: what it says, what it changes, what was said, and the decision."""
    return _page(version_id, empty())


@pages.post("/versi/<uuid:version_id>")
def decide(version_id: uuid.UUID) -> Response | tuple[str, int]:
    """Approve, return with a comment, or reject with a reason, as it was read. The provider is told."""
    form = submitted(VerdictForm())
    if form.data.get("verdict") == "reject" and not form.data.get("rejection"):
        form.errors.setdefault("rejection", _("Pilih alasan dari daftar."))
    if form.is_valid:
        _decide(version_id, form)
    if form.is_valid:
        return redirect(url_for("curation.queue"))
    found = versions.get_handed_in(db.session(), version_id)
    if found.state != VersionState.SUBMITTED:
        return _too_late(found, form), 409
    return _page(version_id, form), 400


def _decide(version_id: uuid.UUID, form: Form) -> None:
    user_id, state = signed_in_user().id, _VERDICTS[form.data["verdict"]]
    rejection = Rejection(form.data["rejection"]) if state is VersionState.REJECTED else None
    verdict = Verdict(state, form.data["comment"], rejection, form.data["seen"])

    def work(current: Session) -> CourseVersion:
        return curation.decide(current, version_id, current.get_one(User, user_id), verdict)

    try:
        db.run_in_transaction(work)
    except NotFound:
        raise
    except CommentMissing as error:
        form.refuse("comment", words_for(error))
    except MarketplaceError as error:
        form.refuse("", words_for(error))
    else:
        nudge(notifications.sweep)
        flash(_("Keputusan dicatat dan lembaga diberi tahu."), "daun")


def _too_late(found: CourseVersion, form: Form) -> str:
    """It waits no more: nothing to decide, but what was typed is not lost."""
    if found.is_private:
        heading = _("Ditarik kembali oleh lembaga")
        why = _(
            "Lembaga menarik kembali kursus ini, jadi keputusan Anda tidak dicatat. Bila diajukan lagi, "
            "kursus ini kembali ke antrean."
        )
    else:
        heading, state = _("Sudah diputuskan"), course_words.version_tag(found)[0]
        why = _("Kursus ini sudah diputuskan: %(state)s. Kiriman Anda ini tidak dicatat.", state=state)
    return render_template(
        "curation/not_recorded.html",
        heading=heading,
        why=why,
        comment=form.data.get("comment", form.typed.get("comment", "")),
        queue=url_for("curation.queue"),
        decided=None if found.is_private else url_for("curation.version", version_id=found.id),
    )


def _page(version_id: uuid.UUID, form: Form) -> str:
    current = db.session()
    found = versions.get_version(current, version_id)
    history = versions.list_for_office(current, found.course_id, found.provider_id)
    sold = versions.find_course(current, found.course_id, found.provider_id)
    before = next((each for each in history if each.number < found.number and each.submitted_at), None)
    base = versions.content_of(sold) if sold else before.content if before else None
    return render_template(
        "curation/version.html",
        version=found,
        sold=sold,
        before=before,
        changes=course_words.difference_rows(versions.differences(base, found.content)) if base else [],
        history=history,
        is_waiting=found.state == VersionState.SUBMITTED,
        statements=statements.latest_of(current, found.provider_id, clock.today(current).year).values(),
        shortest=schemes.get_default_scheme(current).shortest_hours,
        seen=curation.mark_of(found),
        form=form,
        words=course_words,
    )
