"""A provider's runs: what is on, what wants declaring, and how a run ends."""

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from marshmallow import validate
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import clock, db
from marketplace.catalogue.errors import CursorInvalid
from marketplace.catalogue.models import Run, RunKind, RunState
from marketplace.enrolments import (
    completion,
    line_queries,
    offer,
    preview,
    provider_queries,
    run_list,
    service,
)
from marketplace.enrolments.preview import Outcome
from marketplace.enrolments.progress import Progress
from marketplace.enrolments.roster import read_roster
from marketplace.enrolments.run_list import RunRow
from marketplace.identity.models import User
from marketplace.schemes import queries as schemes
from marketplace.web.acting import act_and_return
from marketplace.web.forms import Form, FormSchema, Text, empty, submitted
from marketplace.web.identity import current_provider, signed_in_user
from marketplace.web.provider import holding
from marketplace.web.provider.alerts import declared_until
from marketplace.web.provider.blueprint import pages
from marketplace.web.provider.rows import (
    back_parts,
    day_words,
    share_cell,
    state_tag,
    tag_cell,
    when_and_where,
)
from marketplace.web.provider.wanted import parse
from marketplace.web.state_words import run_tag

LONGEST_REASON = 200
_SHOWN, _PEOPLE = 50, 50
"""Runs of a provider, and people of a run, on one page."""


class CancelRunForm(FormSchema):
    reason = Text(
        _l("Tulis alasan pembatalan."),
        validate=validate.Length(
            max=LONGEST_REASON, error=_l("Tulis paling banyak %(most)s huruf.", most=LONGEST_REASON)
        ),
    )


@dataclass(frozen=True, slots=True)
class Totals:
    """What a preview adds up to, in rupiah. `rest` comes back: `to_state` of it to the programme's fund."""

    price: Decimal
    gross: Decimal
    fee: Decimal
    net: Decimal
    rest: Decimal
    to_state: Decimal


@pages.get("/jadwal")
def runs() -> str | Response:
    """Every run of this provider, those that need something first."""
    current, cursor = db.session(), request.args.get("cursor", "")
    now = clock.now(current)
    try:
        page = run_list.list_runs_of_provider(current, current_provider().id, now, _SHOWN, cursor)
    except CursorInvalid:
        return redirect(url_for("provider.runs"))
    return render_template(
        "provider/runs.html",
        groups=_groups(page.rows, now),
        is_first=not cursor,
        next_cursor=page.next_cursor,
    )


@pages.get("/jadwal/<uuid:run_id>")
def run(run_id: uuid.UUID) -> str:
    """One run: its sessions, who is in it, and what may be done now."""
    current = db.session()
    found = provider_queries.get_run_of_provider(current, run_id, current_provider().id)
    now = clock.now(current)
    is_open, is_over = found.state == RunState.OPEN, found.ends_at <= now
    outcomes = preview.preview_completion(current, found) if is_open and is_over else []
    nets = {each.verdict.enrolment.id: each.verdict.split.net for each in outcomes}
    after = parse(request.args.get("cursor"))
    roster = read_roster(current, run_id, now, after, _PEOPLE)
    return render_template(
        "provider/run.html",
        run=found,
        days=day_words(found),
        tag=run_tag(found, now),
        people=[_person(each, now, nets.get(each.enrolment.id)) for each in roster.people],
        roster=roster,
        is_first=after is None,
        came=provider_queries.count_attendance(current, run_id),
        is_over=is_over,
        is_open=is_open,
        in_line=line_queries.count_in_line(current, run_id),
        is_on_sale=is_open and now < offer.sold_until(found),
        until=declared_until(current, found.ends_at),
        now=now,
    )


@pages.get("/jadwal/<uuid:run_id>/selesai")
def ask_complete(run_id: uuid.UUID) -> str | Response:
    """Before declaring: what each enrolment will be paid, and what goes back."""
    current = db.session()
    found = provider_queries.get_run_of_provider(current, run_id, current_provider().id)
    if found.state != RunState.OPEN or found.ends_at > clock.now(current):
        return redirect(url_for("provider.run", run_id=run_id))
    outcomes = preview.preview_completion(current, found)
    totals = total_of(outcomes)
    return render_template(
        "provider/complete.html",
        run=found,
        days=day_words(found),
        outcomes=outcomes,
        totals=totals,
        back=back_parts(totals.rest - totals.to_state, totals.to_state),
        held=holding.list_held(outcomes),
        objection_days=max(scheme.maturity_working_days for scheme in schemes.list_schemes(current)),
        until=declared_until(current, found.ends_at),
    )


@pages.post("/jadwal/<uuid:run_id>/selesai")
def complete(run_id: uuid.UUID) -> Response:
    """Declare the run's completion from its attendance."""
    return _act(
        run_id,
        lambda current, actor: completion.complete_run(current, run_id, actor),
        _("Penyelesaian dinyatakan. Bagian Anda menjadi hak lembaga, siap dibayar setelah masa keberatan."),
    )


@pages.get("/jadwal/<uuid:run_id>/batalkan")
def ask_cancel(run_id: uuid.UUID) -> str | Response:
    """Before cancelling: what goes back, what is kept, and the reason people will read."""
    return _ask_cancel(run_id, empty())


@pages.post("/jadwal/<uuid:run_id>/batalkan")
def cancel(run_id: uuid.UUID) -> str | Response | tuple[str | Response, int]:
    """Cancel the run: everybody is refunded and told."""
    form = submitted(CancelRunForm())
    if not form.is_valid:
        return _ask_cancel(run_id, form), 400
    return _act(
        run_id,
        lambda current, actor: service.cancel_run(current, run_id, actor, form.data["reason"]),
        _("Jadwal dibatalkan. Uang peserta dikembalikan dan mereka diberi tahu."),
    )


def total_of(outcomes: Sequence[Outcome]) -> Totals:
    """The sums under a preview."""
    splits = [each.verdict.split for each in outcomes]
    lost = [split.rest for each, split in zip(outcomes, splits, strict=True) if not each.is_spendable]
    return Totals(
        price=sum((each.gross + each.rest for each in splits), Decimal(0)),
        gross=sum((each.gross for each in splits), Decimal(0)),
        fee=sum((each.fee for each in splits), Decimal(0)),
        net=sum((each.net for each in splits), Decimal(0)),
        rest=sum((each.rest for each in splits), Decimal(0)),
        to_state=sum(lost, Decimal(0)),
    )


def _person(progress: Progress, now: datetime, net: Decimal | None) -> list[Any]:
    found = progress.enrolment
    href = url_for("provider.enrolment", enrolment_id=found.id)
    return [
        {"main": found.participant.full_name, "href": href, "bold": True},
        found.receipt_number,
        tag_cell(state_tag(progress, now)),
        {"done": progress.attended, "total": progress.promised},
        share_cell(progress, now, net),
    ]


def _ask_cancel(run_id: uuid.UUID, form: Form) -> str | Response:
    current = db.session()
    found = provider_queries.get_run_of_provider(current, run_id, current_provider().id)
    now = clock.now(current)
    if found.state != RunState.OPEN or found.ends_at <= now:
        return redirect(url_for("provider.run", run_id=run_id))
    outcomes = preview.preview_cancellation(current, found)
    totals = total_of(outcomes)
    return render_template(
        "provider/cancel_run.html",
        run=found,
        days=day_words(found),
        outcomes=outcomes,
        totals=totals,
        back=back_parts(totals.rest - totals.to_state, totals.to_state),
        held=holding.list_held(outcomes),
        has_begun=found.starts_at <= now,
        form=form,
        most=LONGEST_REASON,
    )


def _groups(rows: Iterable[RunRow], now: datetime) -> list[tuple[str, list[list[Any]]]]:
    """The runs under their headings; the query has put them in this order."""
    found = [
        (heading, list(group)) for heading, group in groupby(rows, key=lambda row: _heading(row.run, now))
    ]
    return [(heading, [_row(each, now) for each in group]) for heading, group in found]


def _heading(found: Run, now: datetime) -> str:
    if found.state != RunState.OPEN:
        return _("Selesai dan dibatalkan")
    if found.ends_at <= now:
        return _("Perlu dinyatakan selesai")
    return _("Sedang berjalan") if found.starts_at <= now else _("Akan datang")


def _row(row: RunRow, now: datetime) -> list[Any]:
    return [
        {
            "main": row.run.course.title,
            "href": url_for("provider.run", run_id=row.run.id),
            "bold": True,
        },
        {"main": when_and_where(row.run)},
        tag_cell(run_tag(row.run, now)),
        _parts(row),
        _("%(enrolled)s dari %(seats)s", enrolled=row.enrolled, seats=row.run.seats),
    ]


def _parts(row: RunRow) -> str:
    if row.run.kind == RunKind.SELF_PACED:
        return ngettext("%(num)s unit", "%(num)s unit", row.sessions)
    return ngettext("%(num)s sesi", "%(num)s sesi", row.sessions)


def _act(run_id: uuid.UUID, act: Callable[[Session, User], object], done: str) -> Response:
    provider_id, user_id = current_provider().id, signed_in_user().id

    def work(current: Session) -> None:
        provider_queries.get_run_of_provider(current, run_id, provider_id)
        act(current, current.get_one(User, user_id))

    return act_and_return(work, done, url_for("provider.run", run_id=run_id))
