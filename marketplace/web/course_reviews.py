"""Every review of a course, for everybody."""

import uuid

from flask import Blueprint, render_template, request

from marketplace import db
from marketplace.catalogue import queries
from marketplace.enrolments import reviewing

pages = Blueprint("course_reviews", __name__)

_SIZE = 20


@pages.get("/kursus/<uuid:course_id>/ulasan")
def every(course_id: uuid.UUID) -> str:
    """The newest first, twenty a page."""
    current = db.session()
    course = queries.get_course(current, course_id)
    reviews = reviewing.overview(current, course_id, size=_SIZE, before=_cursor())
    return render_template(
        "public/course_reviews.html",
        course=course,
        reviews=reviews,
        writer_of=reviewing.writer_of,
        last=reviews.shown[-1].id if len(reviews.shown) == _SIZE else None,
    )


def _cursor() -> uuid.UUID | None:
    """Where the page before this one ended; what is not an id begins anew."""
    try:
        return uuid.UUID(request.args.get("sebelum", ""))
    except ValueError:
        return None
