"""Offering a course at certain times, and changing what may still be changed."""

import uuid
from collections.abc import Callable
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import clock, db
from marketplace.broker import nudge
from marketplace.catalogue import offering
from marketplace.catalogue import version_queries as versions
from marketplace.catalogue.errors import RunPlanInvalid, SeatsTaken
from marketplace.catalogue.models import Course, CourseState, Run, RunKind, RunState
from marketplace.catalogue.service import RunPlan
from marketplace.enrolments import provider_queries, run_changes
from marketplace.enrolments.run_changes import RunChange
from marketplace.errors import MarketplaceError, NotFound
from marketplace.identity.models import User
from marketplace.notifications import tasks as notifications
from marketplace.web.errors import words_for
from marketplace.web.forms import Form, empty, key_of, new_key
from marketplace.web.identity import current_provider, signed_in_user
from marketplace.web.provider import run_fields
from marketplace.web.provider.blueprint import pages
from marketplace.web.provider.rows import day_words


@pages.get("/kursus/<uuid:course_id>/jadwal-baru")
def new_run(course_id: uuid.UUID) -> str | Response:
    """Offer the course with sessions."""
    return _ask(course_id, RunKind.SCHEDULED)


@pages.get("/kursus/<uuid:course_id>/akses-baru")
def new_self_paced_run(course_id: uuid.UUID) -> str | Response:
    """Offer the course to learn at any time."""
    return _ask(course_id, RunKind.SELF_PACED)


@pages.post("/kursus/<uuid:course_id>/jadwal-baru")
def add_run(course_id: uuid.UUID) -> str | Response | tuple[str, int]:
    """Offer the sessions that were typed; the other button only asks for more rows."""
    course = _course(course_id)
    form, rows = run_fields.read_scheduled()
    if "more" in request.form:
        return _page(course, Form(form.typed), rows=run_fields.row_count(str(rows + run_fields.MORE_ROWS)))
    plan = run_fields.scheduled_plan(form, rows)
    return _offer(course, form, plan, rows)


@pages.post("/kursus/<uuid:course_id>/akses-baru")
def add_self_paced_run(course_id: uuid.UUID) -> Response | tuple[str, int]:
    """Offer the units that were typed."""
    course = _course(course_id)
    form = run_fields.read_self_paced()
    return _offer(course, form, run_fields.self_paced_plan(form))


@pages.get("/jadwal/<uuid:run_id>/ubah")
def edit_run(run_id: uuid.UUID) -> str | Response:
    """Change what may still be changed."""
    run = _run(run_id)
    if run.state != RunState.OPEN or run.ends_at <= clock.now(db.session()):
        return redirect(url_for("provider.run", run_id=run_id))
    return _page(run.course, empty(**run_fields.typed_of(run)), run=run, rows=len(run.sessions))


@pages.post("/jadwal/<uuid:run_id>/ubah")
def change_run(run_id: uuid.UUID) -> str | Response | tuple[str, int]:
    """Keep the change. Everybody in the run is told of another place.

    The form that was sent says what is to change: somebody may have bought a seat since it was opened.
    """
    run = _run(run_id)
    if not {"rows", "units"} & request.form.keys():
        form, rows = run_fields.read_topics(run), len(run.sessions)
        plan = None
    elif run.kind == RunKind.SELF_PACED:
        form, rows = run_fields.read_self_paced(), 0
        plan = run_fields.self_paced_plan(form)
    else:
        form, rows = run_fields.read_scheduled()
        if "more" in request.form:
            more = run_fields.row_count(str(rows + run_fields.MORE_ROWS))
            return _page(run.course, Form(form.typed), run=run, rows=more)
        plan = run_fields.scheduled_plan(form, rows)
    if form.is_valid:
        topics = [form.data.get(f"topic-{meeting.sequence}") or "" for meeting in run.sessions]
        change = RunChange(form.data["seats"], form.data["place"], topics, plan)
        _try(form, lambda current, actor: run_changes.change_run(current, run_id, change, actor))
    if not form.is_valid:
        return _page(_run(run_id).course, form, run=_run(run_id), rows=rows), 400
    nudge(notifications.sweep)
    flash(_("Jadwal diubah."), "daun")
    return redirect(url_for("provider.run", run_id=run_id))


def _offer(
    course: Course, form: Form, plan: RunPlan, rows: int = run_fields.FIRST_ROWS
) -> Response | tuple[str, int]:
    provider_id, course_id = current_provider().id, course.id
    made: list[uuid.UUID] = []

    def work(current: Session, actor: User) -> None:
        made[:] = [offering.offer_run(current, provider_id, course_id, plan, actor, key_of(form)).id]

    if form.is_valid:
        _try(form, work)
    if not form.is_valid:
        return _page(_course(course_id), form, kind=plan.kind, rows=rows), 400
    flash(_("Jadwal dibuka. Peserta bisa membelinya mulai sekarang."), "daun")
    return redirect(url_for("provider.run", run_id=made[0]))


def _try(form: Form, act: Callable[[Session, User], object]) -> None:
    """Do it, or say beside the field why not."""
    user_id = signed_in_user().id
    try:
        db.run_in_transaction(lambda current: act(current, current.get_one(User, user_id)))
    except NotFound:
        raise
    except MarketplaceError as error:
        first = "closes" if "closes" in form.typed else "date-1"
        name = (
            "seats" if isinstance(error, SeatsTaken) else first if isinstance(error, RunPlanInvalid) else ""
        )
        form.refuse(name, words_for(error))


def _ask(course_id: uuid.UUID, kind: RunKind) -> str | Response:
    course = _course(course_id)
    if course.state != CourseState.PUBLISHED:
        return redirect(url_for("provider.course", course_id=course_id))
    return _page(course, empty(), kind=kind)


def _course(course_id: uuid.UUID) -> Course:
    found = versions.find_course(db.session(), course_id, current_provider().id)
    if found is None:
        raise NotFound(f"no course {course_id}")
    return found


def _run(run_id: uuid.UUID) -> Run:
    return provider_queries.get_run_of_provider(db.session(), run_id, current_provider().id)


def _page(course: Course, form: Form, run: Run | None = None, **more: Any) -> str:
    kind = RunKind(run.kind) if run else more.pop("kind", RunKind.SCHEDULED)
    return render_template(
        "provider/run_form.html",
        course=course,
        form=form,
        run=run,
        is_sold=run is not None and run_changes.has_fixed_times(db.session(), run),
        is_self_paced=kind is RunKind.SELF_PACED,
        days=day_words(run) if run else None,
        rows=run_fields.row_count(str(more.get("rows", 0))),
        most_rows=run_fields.MOST_ROWS,
        key=form.typed.get("key") or new_key(),
    )
