"""A provider's courses: what is sold, what is being written, and what the programme office said."""

import uuid
from collections.abc import Callable, Sequence
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from marshmallow import validate
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import clock, db
from marketplace.catalogue import queries as catalogue
from marketplace.catalogue import version_queries as versions
from marketplace.catalogue import writing
from marketplace.catalogue.models import Course, CourseState
from marketplace.catalogue.versions import CourseVersion, VersionState
from marketplace.errors import MarketplaceError, NotFound
from marketplace.identity import audit
from marketplace.identity.models import User
from marketplace.web import course_words
from marketplace.web.errors import words_for
from marketplace.web.forms import FormSchema, Paragraphs, submitted
from marketplace.web.identity import current_provider, signed_in_user
from marketplace.web.provider.blueprint import pages

_SHOWN = 200

Act = Callable[[Session, uuid.UUID, User], object]


class NoteForm(FormSchema):
    note = Paragraphs(
        required=False,
        load_default="",
        validate=validate.Length(
            max=writing.LONGEST_COMMENT,
            error=_l("Tulis paling banyak %(most)s huruf.", most=writing.LONGEST_COMMENT),
        ),
    )


@pages.get("/kursus")
def courses() -> str:
    """Every course of this provider: unfinished ones first, then what is or was sold."""
    current, provider_id = db.session(), current_provider().id
    wanted = request.args.get("q", "").replace("\x00", "").strip()[:100]
    sold = versions.list_courses(current, provider_id, wanted, _SHOWN)
    unfinished = versions.list_unfinished(current, provider_id, _SHOWN)
    return render_template(
        "provider/courses.html",
        wanted=wanted,
        unfinished=[_unfinished_row(each) for each in unfinished],
        sold=[_sold_row(each) for each in sold],
        is_cut=_SHOWN in (len(sold), len(unfinished)),
        most=_SHOWN,
    )


@pages.get("/kursus/<uuid:course_id>")
def course(course_id: uuid.UUID) -> str:
    """One course: what it says, where it stands, and all its versions."""
    return course_page(course_id)


def course_page(course_id: uuid.UUID, errors: dict[str, str] | None = None, note: str = "") -> str:
    """The course's page, also where its form is shown again."""
    current, provider_id = db.session(), current_provider().id
    found = versions.find_course(current, course_id, provider_id)
    history = versions.list_versions(current, course_id, provider_id)
    if found is None and not history:
        raise NotFound(f"no course {course_id}")
    latest = history[0] if history else None
    return render_template(
        "provider/course.html",
        course_id=course_id,
        course=found,
        latest=latest,
        content=versions.get_content(current, course_id, provider_id),
        history=history,
        compared=_compared(found, history),
        stopped_because=_stopped_because(current, found),
        runs=catalogue.list_runs(current, course_id, clock.now(current)) if found else [],
        may_edit=_may_edit(found, latest),
        may_withdraw=found is not None and found.state != CourseState.WITHDRAWN,
        missing=[course_words.field_name(name) for name in _missing(latest)],
        errors=errors or {},
        note=note,
        words=course_words,
    )


@pages.post("/kursus/<uuid:course_id>/ajukan")
def submit_course(course_id: uuid.UUID) -> Response | tuple[str, int]:
    """Hand the draft to the programme office."""
    form = submitted(NoteForm())
    if not form.is_valid:
        return course_page(course_id, form.errors, form.typed.get("note", "")), 400

    def work(current: Session, provider_id: uuid.UUID, actor: User) -> CourseVersion:
        return writing.submit(current, provider_id, course_id, actor, form.data["note"])

    return _act(course_id, work, _submitted_words)


@pages.post("/kursus/<uuid:course_id>/tarik-kembali")
def take_back_course(course_id: uuid.UUID) -> Response:
    """Make what was submitted a draft again."""
    return _act(
        course_id,
        lambda current, provider_id, actor: writing.take_back(current, provider_id, course_id, actor),
        _("Pengajuan ditarik kembali menjadi naskah."),
    )


@pages.post("/kursus/<uuid:course_id>/buang")
def discard_course(course_id: uuid.UUID) -> Response:
    """Give up the draft, or what was approved."""
    return _act(
        course_id,
        lambda current, provider_id, actor: writing.discard(current, provider_id, course_id, actor),
        _("Versi itu tidak dilanjutkan."),
    )


@pages.post("/kursus/<uuid:course_id>/terbitkan")
def publish_course(course_id: uuid.UUID) -> Response:
    """Sell what was approved."""
    return _act(
        course_id,
        lambda current, provider_id, actor: writing.publish(current, provider_id, course_id, actor),
        _("Terbit. Pembeli melihat versi ini mulai sekarang; yang sudah membeli tidak terpengaruh."),
    )


@pages.get("/kursus/<uuid:course_id>/berhenti-dijual")
def ask_withdraw_course(course_id: uuid.UUID) -> str | Response:
    """Before it ends: what goes on, and that it does not come back."""
    current = db.session()
    found = versions.find_course(current, course_id, current_provider().id)
    if found is None:
        raise NotFound(f"no course {course_id}")
    if found.state == CourseState.WITHDRAWN:
        return redirect(url_for("provider.course", course_id=course_id))
    runs = catalogue.list_runs(current, course_id, clock.now(current))
    return render_template("provider/withdraw_course.html", course=found, runs=runs)


@pages.post("/kursus/<uuid:course_id>/berhenti-dijual")
def withdraw_course(course_id: uuid.UUID) -> Response:
    """Stop selling the course for good."""
    return _act(
        course_id,
        lambda current, provider_id, actor: writing.withdraw(current, provider_id, course_id, actor),
        _("Kursus ini tidak dijual lagi. Jadwal yang sudah dibeli tetap berjalan."),
    )


def _submitted_words(version: CourseVersion) -> str:
    if version.state == VersionState.PUBLISHED:
        return _("Terbit. Judul, harga, dan lama tidak berubah, jadi tidak perlu diperiksa.")
    return _("Terkirim. Kantor program memeriksanya dan Anda diberi tahu hasilnya.")


def _act(course_id: uuid.UUID, act: Act, done: str | Callable[[Any], str]) -> Response:
    provider_id, user_id = current_provider().id, signed_in_user().id
    try:
        result = db.run_in_transaction(
            lambda current: act(current, provider_id, current.get_one(User, user_id))
        )
    except NotFound:
        raise
    except MarketplaceError as error:
        flash(words_for(error), "bata")
    else:
        flash(done if isinstance(done, str) else done(result), "daun")
    return redirect(url_for("provider.course", course_id=course_id))


def _compared(found: Course | None, history: Sequence[CourseVersion]) -> list[dict[str, Any]]:
    """What the newest version would change of what is sold; before that, of what was looked at last."""
    latest = history[0] if history else None
    if latest is None or latest.state in {VersionState.PUBLISHED, VersionState.DISCARDED}:
        return []
    if found is not None:
        base = versions.content_of(found)
    else:
        base = next((each.content for each in history[1:] if each.submitted_at), latest.content)
    return course_words.difference_rows(versions.differences(base, latest.content))


def _stopped_because(current: Session, found: Course | None) -> str:
    """What the programme office said when it suspended the sale."""
    if found is None or found.state != CourseState.SUSPENDED:
        return ""
    entries = audit.list_entries(current, f"course:{found.id}")
    return next((str(each.details["reason"]) for each in entries if each.action == "course.suspended"), "")


def _may_edit(found: Course | None, latest: CourseVersion | None) -> bool:
    is_draft = latest is not None and latest.state == VersionState.DRAFTED
    return is_draft or writing.may_begin(latest, found)


def _missing(latest: CourseVersion | None) -> list[str]:
    if latest is None or latest.state != VersionState.DRAFTED:
        return []
    return writing.missing_fields(latest.content)


def _unfinished_row(version: CourseVersion) -> list[Any]:
    text, tone, icon = course_words.version_tag(version)
    return [
        {
            "main": version.title,
            "href": url_for("provider.course", course_id=version.course_id),
            "bold": True,
        },
        _("versi %(number)s", number=version.number),
        {"tag": text, "tone": tone, "icon": icon},
        course_words.field_value("price", version.price),
    ]


def _sold_row(found: Course) -> list[Any]:
    text, tone, icon = course_words.course_tag(found)
    return [
        {"main": found.title, "href": url_for("provider.course", course_id=found.id), "bold": True},
        found.category,
        {"tag": text, "tone": tone, "icon": icon},
        course_words.field_value("price", found.price),
    ]
