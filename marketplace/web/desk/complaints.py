"""The complaint desk: who waits, since when, and one page to answer, hand on or decide."""

import uuid
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from marshmallow import fields, validate
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import clock, db
from marketplace.broker import nudge
from marketplace.errors import MarketplaceError, NotFound
from marketplace.identity.models import Role, User
from marketplace.notifications import tasks as notifications
from marketplace.oversight import complaint_queries as queries
from marketplace.oversight import complaints as desk
from marketplace.oversight import decisions
from marketplace.oversight.complaint_queries import Filters
from marketplace.oversight.complaints import LONGEST
from marketplace.oversight.models import Category, Complaint, ComplaintAttachment, ComplaintState
from marketplace.web import complaint_words
from marketplace.web.complaining import Act, WordsForm, words_of
from marketplace.web.desk.blueprint import may_act, pages
from marketplace.web.errors import words_for
from marketplace.web.forms import Form, Text, empty, new_key, submitted
from marketplace.web.identity import signed_in_user
from marketplace.web.state_words import enrolment_tag

_CHOOSE = _l("Pilih langkahnya.")
_ACTS: dict[str, Act] = {
    "answer": desk.answer,
    "escalate": desk.escalate,
    "close": decisions.close,
    "uphold": decisions.uphold,
}
_OFFERED = {
    ComplaintState.OPENED: ("answer", "escalate"),
    ComplaintState.ANSWERED: ("close", "escalate", "uphold"),
    ComplaintState.ESCALATED: ("close", "uphold"),
}


class VerdictForm(WordsForm):
    verdict = Text(_CHOOSE, validate=validate.OneOf(list(_ACTS), error=_CHOOSE))
    seen = fields.String(load_default="")


@pages.get("/pengaduan")
def queue() -> str:
    """Complaints under a filter, those that wait for the office first of all."""
    current = db.session()
    filters, now = _filters(), clock.now(current)
    after = queries.read_cursor(request.args.get("cursor", ""))
    page = queries.list_queue(current, filters, now, after)
    return render_template(
        "desk/queue.html",
        filters=filters,
        page=page,
        counts=queries.count_by_state(current, filters, now),
        now=now,
        words=complaint_words,
        states=[queries.OPEN, *ComplaintState, queries.ALL],
        categories=list(Category),
        state_href=lambda state: _href(replace(filters, state=state)),
        next_href=_href(filters, cursor=str(page.next)) if page.next else None,
    )


@pages.get("/pengaduan/<uuid:complaint_id>")
def complaint(complaint_id: uuid.UUID) -> str:
    """One complaint with all that it is about."""
    return _page(complaint_id)


@pages.post("/pengaduan/<uuid:complaint_id>")
def decide(complaint_id: uuid.UUID) -> Response | tuple[str, int]:
    """Answer it, hand it on, or end it. Whoever complained is told."""
    queries.get(db.session(), complaint_id)
    form = submitted(VerdictForm())
    if not form.is_valid:
        return _page(complaint_id, form), 400
    user_id, words = signed_in_user().id, words_of(form, _seen(form))
    act = _ACTS[form.data["verdict"]]

    def work(current: Session) -> Complaint:
        return act(current, complaint_id, current.get_one(User, user_id), words)

    try:
        db.run_in_transaction(work)
    except NotFound:
        raise
    except MarketplaceError as error:
        flash(words_for(error), "bata")
        return _page(complaint_id, form), 409
    nudge(notifications.sweep)
    flash(_("Dicatat, dan pelapor diberi tahu."), "daun")
    return redirect(url_for("desk.complaint", complaint_id=complaint_id))


def _filters() -> Filters:
    """The filter of the address; what it does not know stands for nothing."""
    offered = {
        "state": {queries.OPEN, queries.ALL, *ComplaintState},
        "category": set(Category),
        "age": {queries.OVERDUE, queries.WEEK},
        "who": {queries.PARTICIPANTS, queries.PROVIDERS},
    }
    given = {name: request.args.get(name, "") for name in offered}
    return Filters(**{name: value for name, value in given.items() if value in offered[name]})


def _href(filters: Filters, **more: Any) -> str:
    values: dict[str, Any] = {name: value for name, value in asdict(filters).items() if value}
    return url_for("desk.queue", **values, **more)


def _seen(form: Form) -> uuid.UUID:
    """What its writer had read; a page that does not say had read nothing."""
    try:
        return uuid.UUID(form.data["seen"])
    except ValueError:
        return uuid.UUID(int=0)


def _page(complaint_id: uuid.UUID, form: Form | None = None) -> str:
    current = db.session()
    found = queries.get(current, complaint_id)
    messages = queries.list_messages(current, complaint_id)
    has_spoken = decisions.has_spoken(messages, signed_in_user())
    return render_template(
        "desk/complaint.html",
        complaint=found,
        messages=messages,
        file_href=_file_href(complaint_id) if may_act() else None,
        last=messages[-1].id,
        form=form or empty(key=new_key()),
        offers=_offers(found, has_spoken) if may_act() else [],
        may_act=may_act(),
        remedy=decisions.find_remedy(found),
        obstacle=_obstacle(found, has_spoken),
        now=clock.now(current),
        words=complaint_words,
        enrolment_tag=enrolment_tag,
        longest=LONGEST,
    )


def _file_href(complaint_id: uuid.UUID) -> Callable[[ComplaintAttachment], str]:
    """Where a file is. An auditor reads what was written, not the evidence of people's lives."""
    return lambda file: url_for(
        "people.complaint_attachment", complaint_id=complaint_id, attachment_id=file.id
    )


def _offers(found: Complaint, has_spoken: bool) -> list[tuple[str, str, str]]:
    """What may be done with it by the reader, as radios take it."""
    remedy = decisions.find_remedy(found)
    texts: dict[str, Callable[[], tuple[str, str]]] = {
        "answer": lambda: (_("Jawab"), _("Pelapor bisa membalas sampai batasnya.")),
        "escalate": lambda: (_("Teruskan ke orang kedua"), _("Yang memutuskan bukan yang menjawab.")),
        "close": lambda: (_("Tutup tanpa uang"), _("Tidak ada yang dikembalikan.")),
        "uphold": lambda: (_("Kabulkan"), complaint_words.remedy_words(remedy or "")),
    }
    offered = _OFFERED.get(ComplaintState(found.state), ())
    can = [each for each in offered if not _is_barred(found, each, has_spoken)]
    return [(each, *texts[each]()) for each in can]


def _is_barred(found: Complaint, verdict: str, has_spoken: bool) -> bool:
    decides = verdict == "uphold" or (verdict == "close" and found.state == ComplaintState.ESCALATED)
    if decides and has_spoken:
        return True
    is_finance = signed_in_user().has_role(Role.FINANCE)
    return verdict == "uphold" and (decisions.find_remedy(found) is None or not is_finance)


def _obstacle(found: Complaint, has_spoken: bool) -> str:
    """Why the reader may not decide it, if so."""
    if found.state == ComplaintState.ESCALATED and has_spoken and may_act():
        return _("Anda yang menjawab pengaduan ini, jadi rekan Anda yang memutuskannya.")
    return ""
