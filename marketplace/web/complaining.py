"""What participants and providers share when they complain: the form, the list, the thread."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import Response as FileResponse
from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from marshmallow import fields, validate
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import db
from marketplace.broker import nudge
from marketplace.errors import MarketplaceError, NotFound
from marketplace.identity.models import User
from marketplace.notifications import tasks as notifications
from marketplace.oversight import complaint_files
from marketplace.oversight import complaint_queries as queries
from marketplace.oversight.complaint_steps import Words
from marketplace.oversight.complaints import LONGEST, Subject
from marketplace.oversight.models import Category, Complaint, ComplaintAttachment
from marketplace.providers.errors import DocumentInvalid
from marketplace.web import complaint_words
from marketplace.web.attachments import ACCEPTED, as_download, sent_files
from marketplace.web.errors import words_for
from marketplace.web.forms import Form, FormSchema, Paragraphs, Text, empty, key_of, new_key, submitted
from marketplace.web.identity import parse_id, signed_in_user

_SHOWN = 50
_CHOOSE = _l("Pilih apa masalahnya.")

Act = Callable[[Session, uuid.UUID, User, Words], Complaint]


class WordsForm(FormSchema):
    """One text. The key is the page's own; whatever else stands there is none."""

    body = Paragraphs(_l("Tulis pesan Anda."), most=LONGEST)
    key = fields.String(load_default="")


class ComplaintForm(FormSchema):
    # no WordsForm, whose text would come first: the summary of errors lists them in this order
    category = Text(_CHOOSE, validate=validate.OneOf(list(Category), error=_CHOOSE))
    body = Paragraphs(_l("Tulis apa yang terjadi."), most=LONGEST)
    key = fields.String(load_default="")
    enrolment = fields.String(load_default="")
    payout = fields.String(load_default="")


@dataclass(frozen=True, slots=True)
class Place:
    """Where one side's complaints are: the same views under each blueprint, whose ids have other names."""

    blueprint: str
    argument: str
    file_argument: str
    categories: tuple[Category, ...]

    def href(self, view: str, complaint: Complaint | None = None, **more: Any) -> str:
        named: dict[str, Any] = {self.argument: complaint.id} if complaint else {}
        return url_for(f"{self.blueprint}.{view}", **named, **more)

    def file_href(self, complaint: Complaint, attachment: ComplaintAttachment) -> str:
        named: dict[str, Any] = {self.argument: complaint.id, self.file_argument: attachment.id}
        return url_for(f"{self.blueprint}.complaint_attachment", **named)

    def category_choices(self) -> list[tuple[str, str]]:
        return [(each.value, complaint_words.category_name(each)) for each in self.categories]


def words_of(form: Form, seen: uuid.UUID | None = None) -> Words:
    """A valid form's text with its key."""
    return Words(form.data["body"], key_of(form), seen)


def subject_of(form: Form) -> Subject:
    """What a valid form complains about. An id that is none is nobody's."""
    named = {name: parse_id(form.data[name]) if form.data[name] else None for name in ("enrolment", "payout")}
    return Subject(Category(form.data["category"]), named["enrolment"], named["payout"])


def open_complaint(
    place: Place, page: Callable[[Form], str], work: Callable[[Session, Subject, Words], Complaint]
) -> Response | tuple[str, int]:
    """Take the form; on to the complaint's own page, or back with what is wrong."""
    form = submitted(ComplaintForm())
    if not form.is_valid:
        return page(form), 400
    subject, words = subject_of(form), replace(words_of(form), files=sent_files("files"))
    try:
        made = db.run_in_transaction(lambda current: work(current, subject, words))
    except DocumentInvalid as error:
        form.refuse("files", words_for(error))
        return page(form), 400
    nudge(notifications.sweep)
    flash(_("Pengaduan diterima. Kami kabari begitu ada jawaban."), "daun")
    return redirect(place.href("complaint", made))


def send(place: Place, found: Complaint, act: Act, done: str) -> Response | tuple[str, int]:
    """Take one more text of whoever complained."""
    form, user_id, complaint_id = submitted(WordsForm()), signed_in_user().id, found.id
    if not form.is_valid:
        return thread(place, found, form), 400
    words = replace(words_of(form), files=sent_files("files"))
    try:
        db.run_in_transaction(
            lambda current: act(current, complaint_id, current.get_one(User, user_id), words)
        )
    except NotFound:
        raise
    except DocumentInvalid as error:
        form.refuse("files", words_for(error))
        return thread(place, queries.get(db.session(), complaint_id), form), 400
    except MarketplaceError as error:
        flash(words_for(error), "bata")
        return thread(place, queries.get(db.session(), complaint_id), form), 409
    flash(done, "daun")
    return redirect(place.href("complaint", found))


def listed(place: Place, find: Callable[[uuid.UUID | None, int], Sequence[Complaint]]) -> str:
    """Complaints, newest first, a page at a time. `find` gives so many, from those after one on."""
    cursor = request.args.get("cursor")
    found = find(parse_id(cursor) if cursor else None, _SHOWN + 1)
    return render_template(
        "complaints/list.html",
        place=place,
        complaints=found[:_SHOWN],
        words=complaint_words,
        is_first=not cursor,
        next_href=place.href("complaints", cursor=found[_SHOWN - 1].id) if len(found) > _SHOWN else None,
    )


def thread(place: Place, found: Complaint, form: Form | None = None) -> str:
    """What was written, what happens next, and the field to write more."""
    return render_template(
        "complaints/thread.html",
        place=place,
        complaint=found,
        messages=queries.list_messages(db.session(), found.id),
        file_href=lambda file: place.file_href(found, file),
        accepted=ACCEPTED,
        form=form or empty(key=new_key()),
        words=complaint_words,
        longest=LONGEST,
    )


def attachment(found: Complaint, attachment_id: uuid.UUID) -> FileResponse:
    """A file of one's own complaint."""
    return as_download(*complaint_files.open_file(db.session(), found, attachment_id))
