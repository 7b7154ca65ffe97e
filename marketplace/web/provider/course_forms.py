"""Writing a course: one form, in groups; what was typed stays when something is wrong."""

import uuid
from collections.abc import Sequence

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from marshmallow import fields
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import db, shown
from marketplace.catalogue import csv_cells as cells
from marketplace.catalogue import version_queries as versions
from marketplace.catalogue import writing
from marketplace.catalogue.csv_import import PRICE_CEILING
from marketplace.catalogue.errors import VersionLocked
from marketplace.catalogue.version_queries import Difference
from marketplace.catalogue.versions import Content
from marketplace.identity.models import User
from marketplace.shown import ChangedMeanwhile
from marketplace.web import course_words
from marketplace.web.catalogue import mode_name
from marketplace.web.cells import Cell
from marketplace.web.errors import words_for
from marketplace.web.forms import Form, FormSchema, Text, empty, submitted
from marketplace.web.identity import current_provider, signed_in_user
from marketplace.web.provider.blueprint import pages

_SAVED = _l("Naskah disimpan. Belum ada yang melihatnya sampai Anda mengajukannya.")


class CourseForm(FormSchema):
    title = Cell(cells.name(200), _l("Tulis judul kursus."))
    price = Cell(cells.price(PRICE_CEILING), _l("Tulis harganya, 0 bila gratis."))
    hours = Cell(cells.hours, required=False, load_default=None)
    category = Cell(cells.name(120, required=False), required=False, load_default="")
    mode = Cell(cells.choice(cells.MODES), required=False, load_default=None)
    level = Cell(cells.choice(cells.LEVELS), required=False, load_default=None)
    description = Cell(cells.description(10_000), required=False, load_default="")
    language = Cell(cells.language, required=False, load_default="id")


class NewCourseForm(CourseForm):
    key = fields.UUID(load_default=None)


class ChangeForm(CourseForm):
    seen = Text(required=False, load_default="")


@pages.get("/kursus/baru")
def new_course() -> str:
    """Begin a course."""
    return _page(empty(language="id"), None)


@pages.post("/kursus/baru")
def add_course() -> Response | tuple[str, int]:
    """Keep the draft."""
    form = submitted(NewCourseForm())
    if not form.is_valid:
        return _page(form, None), 400
    key = form.data.pop("key")
    provider_id, user_id, content = current_provider().id, signed_in_user().id, _content(form)

    def work(current: Session) -> uuid.UUID:
        actor = current.get_one(User, user_id)
        return writing.draft_course(current, provider_id, content, actor, key=key).course_id

    try:
        course_id = db.run_in_transaction(work)
    except VersionLocked as error:
        flash(words_for(error), "bata")
        return redirect(url_for("provider.courses"))
    flash(_SAVED, "daun")
    return redirect(url_for("provider.course", course_id=course_id))


@pages.get("/kursus/<uuid:course_id>/ubah")
def edit_course(course_id: uuid.UUID) -> str:
    """Change a draft, or begin the next version."""
    content = _written(course_id)
    return _page(_filled(content), course_id, shown.mark(content))


@pages.post("/kursus/<uuid:course_id>/ubah")
def change_course(course_id: uuid.UUID) -> Response | tuple[str, int]:
    """Keep the change as a draft, if it began from what stands there now; what is sold stays as it is."""
    before = _written(course_id)
    form = submitted(ChangeForm())
    if not form.is_valid:
        return _page(form, course_id, form.typed.get("seen", "")), 400
    seen, here = form.data.pop("seen"), redirect(url_for("provider.course", course_id=course_id))
    provider_id, user_id, content = current_provider().id, signed_in_user().id, _content(form)
    if content == before:
        flash(_("Tidak ada yang berubah."), "tarum")
        return here

    def work(current: Session) -> None:
        writing.edit_course(
            current, provider_id, course_id, content, current.get_one(User, user_id), seen=seen
        )

    try:
        db.run_in_transaction(work)
    except ChangedMeanwhile as error:
        form.refuse("", words_for(error))
        now = _written(course_id)
        return _page(form, course_id, shown.mark(now), versions.differences(now, content)), 400
    except VersionLocked as error:
        form.refuse("", words_for(error))
        return _page(form, course_id, seen), 400
    flash(_SAVED, "daun")
    return here


def _written(course_id: uuid.UUID) -> Content:
    """The text that a change starts from. Raises NotFound."""
    current, provider_id = db.session(), current_provider().id
    return versions.get_content(current, course_id, provider_id)


def _filled(content: Content) -> Form:
    typed = {name: getattr(content, name) for name in CourseForm().fields}
    typed["price"] = f"{content.price:f}"
    return empty(**{name: "" if value is None else str(value) for name, value in typed.items()})


def _content(form: Form) -> Content:
    return Content(**(form.data | {"level": form.data["level"] or ""}))


def _page(form: Form, course_id: uuid.UUID | None, seen: str = "", changes: Sequence[Difference] = ()) -> str:
    return render_template(
        "provider/course_form.html",
        form=form,
        course_id=course_id,
        seen=seen,
        changes=course_words.difference_rows([*changes]),
        words=course_words,
        modes=[(mode, mode_name(mode)) for mode in cells.MODES],
        levels=[(level, course_words.level_name(level)) for level in cells.LEVELS],
        languages=_languages(form),
        key=(form.typed.get("key") if "key" not in form.errors else "") or uuid.uuid4().hex,
    )


def _languages(form: Form) -> list[tuple[str, str]]:
    """The languages to choose from, with one that an import brought."""
    codes = dict.fromkeys((*course_words.LANGUAGES, form.typed.get("language") or "id"))
    return [(code, course_words.language_name(code)) for code in codes]
