"""Courses on sale: find one, stop its sale, let it go on."""

import uuid

from flask import render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from marshmallow import validate
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import db
from marketplace.catalogue import curation, queries, writing
from marketplace.catalogue import version_queries as versions
from marketplace.catalogue.models import Course, CourseState
from marketplace.identity import audit
from marketplace.identity.models import User
from marketplace.web import course_words
from marketplace.web.acting import act_and_return
from marketplace.web.curation.blueprint import pages
from marketplace.web.forms import Form, FormSchema, Paragraphs, empty, submitted
from marketplace.web.identity import signed_in_user

_SHOWN = 50


class ReasonForm(FormSchema):
    reason = Paragraphs(
        _l("Tulis alasannya: lembaga membacanya."),
        validate=validate.Length(
            max=writing.LONGEST_COMMENT,
            error=_l("Tulis paling banyak %(most)s huruf.", most=writing.LONGEST_COMMENT),
        ),
    )


@pages.get("/kursus")
def courses() -> str:
    """Courses by title; without a search, those whose sale is suspended."""
    wanted = request.args.get("q", "").replace("\x00", "").strip()[:100]
    found = versions.list_on_sale(db.session(), wanted, _SHOWN)
    return render_template(
        "curation/courses.html", wanted=wanted, found=found, most=_SHOWN, words=course_words
    )


@pages.get("/kursus/<uuid:course_id>")
def course(course_id: uuid.UUID) -> str:
    """One course, its versions, and what was done to it."""
    return _page(course_id, empty())


@pages.post("/kursus/<uuid:course_id>/hentikan")
def suspend_course(course_id: uuid.UUID) -> Response | tuple[str, int]:
    """Stop its sale."""
    return _move(course_id, suspends=True)


@pages.post("/kursus/<uuid:course_id>/lanjutkan")
def restore_course(course_id: uuid.UUID) -> Response | tuple[str, int]:
    """Sell it again."""
    return _move(course_id, suspends=False)


def _move(course_id: uuid.UUID, *, suspends: bool) -> Response | tuple[str, int]:
    form = submitted(ReasonForm())
    if not form.is_valid:
        return _page(course_id, form), 400
    user_id = signed_in_user().id

    def work(current: Session) -> Course:
        act = curation.suspend if suspends else curation.restore
        return act(current, course_id, current.get_one(User, user_id), form.data["reason"])

    return act_and_return(
        work, _("Dicatat, dan lembaga diberi tahu."), url_for("curation.course", course_id=course_id)
    )


def _page(course_id: uuid.UUID, form: Form) -> str:
    current = db.session()
    found = queries.get_course(current, course_id)
    return render_template(
        "curation/course.html",
        course=found,
        content=versions.content_of(found),
        history=versions.list_for_office(current, course_id, found.provider_id),
        reasons=[
            entry
            for entry in audit.list_entries(current, f"course:{course_id}")
            if entry.action in {"course.suspended", "course.restored"}
        ],
        is_sold=found.state == CourseState.PUBLISHED,
        is_suspended=found.state == CourseState.SUSPENDED,
        form=form,
        words=course_words,
    )
