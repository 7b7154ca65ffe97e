"""One course with its runs, the real choice; and the provider behind it."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import clock, db
from marketplace.catalogue import queries, saving
from marketplace.catalogue.errors import CursorInvalid
from marketplace.catalogue.models import Course, Run
from marketplace.catalogue.queries import Filters
from marketplace.enrolments import offer, reviewing
from marketplace.providers import queries as providers
from marketplace.schemes import queries as schemes
from marketplace.web.catalogue import sharing
from marketplace.web.catalogue.blueprint import (
    balance_of_reader,
    pages,
    scheme_of_reader,
    too_short_for_reader,
)
from marketplace.web.catalogue.labels import facts_of_card, facts_of_course, icon_of, too_short_words
from marketplace.web.formatting import rupiah
from marketplace.web.identity import find_participant
from marketplace.web.regions import PROVINCES

_MOST_TOPICS, _MOST_LISTED, _MOST_LISTED_SESSIONS = 6, 6, 30
_MOST_RUNS = 20
"""Shown at once, of a course that may have hundreds."""
_LONGEST_PRICE = 15


@pages.get("/kursus/<uuid:course_id>")
def course(course_id: uuid.UUID) -> str:
    """What one learns, who teaches, when, for how much, and how one gets out of it."""
    current = db.session()
    now = clock.now(current)
    found = queries.get_course(current, course_id)
    own = scheme_of_reader(current)
    runs, more = _runs(current, course_id, now)
    late = {run.id for run in runs if own and offer.ends_too_late(own, run)}
    open_runs = [run for run in runs if run.seats_left > 0 and run.id not in late]
    short_of = offer.too_short(own, found) if own else None
    return render_template(
        "public/course.html",
        course=found,
        runs=runs,
        more_href=url_for("catalogue.course", course_id=course_id, jadwal="semua") if more else None,
        first=open_runs[0] if open_runs else None,
        late=late,
        not_paid=too_short_words(short_of) if short_of else None,
        topics=_topics(runs),
        most_listed=_MOST_LISTED,
        most_listed_sessions=_MOST_LISTED_SESSIONS,
        balance=balance_of_reader(current),
        facts=facts_of_course(found),
        on_sale=found.is_on_sale,
        scheme=own or schemes.get_default_scheme(current),
        saved=_is_saved(current, found),
        preview=sharing.preview(
            found.title, found.description, sharing.address_of("catalogue.course", course_id=found.id)
        ),
        described=sharing.describe(found, runs),
        reviews=reviewing.overview(current, course_id),
        writer_of=reviewing.writer_of,
    )


@pages.get("/kursus/<uuid:course_id>/pilih")
def choose(course_id: uuid.UUID) -> Response:
    """From a chosen run to its review page, told what has changed since the course was shown; without a
    choice, or when there is no seat any more, back to the course."""
    current = db.session()
    back = redirect(url_for("catalogue.course", course_id=course_id))
    try:
        run_id = uuid.UUID(request.args.get("run", ""))
    except ValueError:
        return back
    run = queries.find_run(current, run_id)
    if run is not None and run.course_id == course_id:
        if not _can_be_bought(run, clock.now(current)):
            flash(
                _("Jadwal itu baru saja penuh atau tidak dijual lagi. Pilih jadwal lain."),
                "kunyit",
            )
            return back
        _tell_change(run.course)
    return redirect(url_for("participant.review", run_id=run_id))


@pages.get("/kursus/lembaga/<uuid:provider_id>")
def provider(provider_id: uuid.UUID) -> str | Response:
    """Who a provider is, and what they teach."""
    current = db.session()
    found = providers.get_provider(current, provider_id)
    filters = Filters(providers=(found.slug,), cursor=request.args.get("cursor") or None)
    now = clock.now(current)
    try:
        page = queries.search(current, filters, now)
    except CursorInvalid:
        return redirect(url_for("catalogue.provider", provider_id=provider_id))
    size = queries.count_of_provider(current, found.id, now)
    return render_template(
        "public/provider.html",
        provider=found,
        province=PROVINCES.get(found.province_code),
        page=page,
        size=size,
        next_href=_next_page(provider_id, page.next_cursor),
        balance=balance_of_reader(current),
        too_short=too_short_for_reader(current),
        preview=sharing.preview(
            found.name,
            _("%(name)s mengajar di Bekal.", name=found.name),
            sharing.address_of("catalogue.provider", provider_id=provider_id),
        ),
        icon_of=icon_of,
        facts_of=facts_of_card,
    )


def _runs(current: Session, course_id: uuid.UUID, now: datetime) -> tuple[Sequence[Run], bool]:
    """The soonest runs, and whether there are more. All, when asked for, or when none of those has a seat."""
    if request.args.get("jadwal") != "semua":
        found = queries.list_runs(current, course_id, now, _MOST_RUNS + 1)
        if len(found) <= _MOST_RUNS:
            return found, False
        if any(run.seats_left > 0 for run in found[:_MOST_RUNS]):
            return found[:_MOST_RUNS], True
    return queries.list_runs(current, course_id, now), False


def _next_page(provider_id: uuid.UUID, cursor: str | None) -> str | None:
    return url_for("catalogue.provider", provider_id=provider_id, cursor=cursor) if cursor else None


def _topics(runs: Sequence[Run]) -> list[str]:
    """What the sessions of the first run are about, each topic once."""
    sessions = runs[0].sessions if runs else []
    return list(dict.fromkeys(each.topic for each in sessions if each.topic))[:_MOST_TOPICS]


def _is_saved(current: Session, found: Course) -> bool | None:
    """Whether the course is on the reader's list; None for whoever has no list."""
    participant = find_participant()
    return saving.is_saved(current, participant.id, found.id) if participant else None


def _can_be_bought(run: Run, now: datetime) -> bool:
    return queries.is_sold(run, now) and run.seats_left > 0 and run.course.is_on_sale


def _tell_change(found: Course) -> None:
    """The price that the reader saw is sent along only to be compared."""
    seen = request.args.get("price", "")
    if not (seen.isascii() and seen.isdigit() and len(seen) <= _LONGEST_PRICE):
        return
    if Decimal(seen) != found.price:
        before, now = rupiah(Decimal(seen)), rupiah(found.price)
        flash(
            _("Harga kursus ini berubah dari %(before)s menjadi %(now)s.", before=before, now=now), "kunyit"
        )
