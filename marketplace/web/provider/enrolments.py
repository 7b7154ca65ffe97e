"""Who enrolled: the list with its filters in the address, the same as a file, and one in detail."""

import uuid
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from flask import Response, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from marketplace import clock, db
from marketplace.enrolments import correction, correction_plan, provider_queries, queries, rebooking
from marketplace.enrolments.models import SEATED, Enrolment
from marketplace.enrolments.pay import Split, split
from marketplace.enrolments.progress import Progress
from marketplace.enrolments.provider_queries import Page
from marketplace.enrolments.returned import returned
from marketplace.enrolments.tracking_models import ExportKind
from marketplace.errors import NotFound
from marketplace.payouts import queries as payouts
from marketplace.web import live
from marketplace.web.downloads import csv_file
from marketplace.web.identity import current_provider
from marketplace.web.provider import columns, exports, refining
from marketplace.web.provider.blueprint import pages
from marketplace.web.provider.rows import back_parts, day_words, state_tag, when_and_where
from marketplace.web.provider.wanted import Wanted, parse, read_wanted
from marketplace.web.spreadsheets import xlsx_file
from marketplace.web.state_words import earning_tag, hold_words, payout_tag

MOST_AT_ONCE = 10_000
"""Rows of a file that is written while somebody waits."""

MOST_AWAITING = 10
"""The most urgent, and a link to all: what stands beside the list is short (docs/decisions/0048)."""


@pages.get("/pendaftaran")
def enrolments() -> str | AnyResponse:
    """The list, newest first."""
    current = db.session()
    wanted, cursor = read_wanted(request.args), parse(request.args.get("cursor"))
    try:
        listed = _listed(current, wanted, cursor)
    except NotFound:
        return redirect(wanted.address())
    awaiting = provider_queries.list_awaiting(current, current_provider().id, MOST_AWAITING)
    return render_template(
        "provider/enrolments.html",
        **listed,
        awaiting=awaiting,
        awaiting_count=_count_awaiting(current, len(awaiting)),
        files=[] if cursor else exports.recent_rows(current),
        when_and_where=when_and_where,
        live=live.Region(wanted.address("provider.enrolments_live", cursor=cursor), _version(current)),
        chips=refining.chips(current, wanted),
        **refining.choices(current),
    )


@pages.get("/pendaftaran/langsung")
def enrolments_live() -> AnyResponse:
    """The part of the list that changes while somebody watches; 304 while nothing has."""
    current = db.session()
    wanted, cursor = read_wanted(request.args), parse(request.args.get("cursor"))
    return live.answer(
        _version(current),
        clock.now(current),
        lambda: render_template("provider/_enrolment_list.html", **_listed(current, wanted, cursor)),
    )


@pages.get("/pendaftaran.csv")
def enrolments_csv() -> AnyResponse:
    """Everything that the same filter finds, as a file."""
    return _file(ExportKind.CSV, _csv)


@pages.get("/pendaftaran.xlsx")
def enrolments_xlsx() -> AnyResponse:
    """The same as a spreadsheet, with the sums below."""
    return _file(ExportKind.XLSX, _xlsx)


@pages.get("/pendaftaran/<uuid:enrolment_id>")
def enrolment(enrolment_id: uuid.UUID) -> str:
    """One enrolment: who, when they came, and where its money is."""
    current = db.session()
    progress = provider_queries.get_for_provider(current, enrolment_id, current_provider().id)
    earning, money = progress.earning, _money(progress)
    now = clock.now(current)
    return render_template(
        "provider/enrolment.html",
        progress=progress,
        enrolment=progress.enrolment,
        earning=earning,
        money=money,
        back=_back(current, progress.enrolment, money),
        meetings=queries.list_meetings(current, progress.enrolment),
        payouts=payouts.list_payouts_of_earning(current, earning.id) if earning else [],
        tag=state_tag(progress, now),
        days=day_words(progress.enrolment.run),
        earning_tag=earning_tag(earning, now),
        hold_words=hold_words,
        payout_tag=payout_tag,
        corrections=correction.list_corrections(current, enrolment_id),
        may_correct=correction_plan.is_open(current, progress.enrolment),
        now=now,
    )


def _count_awaiting(session: Session, shown: int) -> int:
    """All that wait for the provider's word: counted only when there may be more than are shown."""
    if shown < MOST_AWAITING:
        return shown
    return provider_queries.count_awaiting(session, current_provider().id)


def _listed(session: Session, wanted: Wanted, cursor: uuid.UUID | None) -> dict[str, Any]:
    """What the table needs, on the page and in its live part."""
    now = clock.now(session)
    page = provider_queries.list_for_provider(session, current_provider().id, wanted.filters(now), cursor)
    shown = columns.on_page(wanted.columns)
    return {
        "wanted": wanted,
        "page": page,
        "is_first": cursor is None,
        "is_long": page.total > MOST_AT_ONCE,
        "columns": columns.heads(shown),
        "rows": columns.table_rows(shown, page.rows, now),
        "foot": columns.foot(shown, page, _("Jumlah")),
    }


def _version(session: Session) -> str:
    return live.version(session, current_provider().id)


def _file(kind: ExportKind, write: Callable[[str, Page, Wanted, datetime], Response]) -> AnyResponse:
    """Everything that the address asks for; what is too long to wait for is written in the background."""
    session = db.session()
    now, wanted = clock.now(session), read_wanted(request.args)
    found = provider_queries.list_for_provider(
        session, current_provider().id, wanted.filters(now), limit=MOST_AT_ONCE
    )
    if found.next_cursor:
        return redirect(wanted.address("provider.ask_export", kind=kind.value))
    return write(f"pendaftaran-{clock.local_date(now)}", found, wanted, now)


def _csv(name: str, found: Page, wanted: Wanted, now: datetime) -> Response:
    shown = columns.in_file(wanted.columns)
    return csv_file(name, columns.file_head(shown), columns.file_rows(shown, found.rows, now))


def _xlsx(name: str, found: Page, wanted: Wanted, now: datetime) -> Response:
    shown = columns.in_file(wanted.columns)
    foot = columns.file_foot(shown, found, _("Jumlah"))
    rows = columns.file_rows(shown, found.rows, now)
    return xlsx_file(name, _("Pendaftaran"), columns.file_head(shown), rows, foot)


def _money(progress: Progress) -> Split:
    """How the price is divided: as it was settled, or as it would be at full attendance."""
    enrolment = progress.enrolment
    paid = 100 if enrolment.state in SEATED else enrolment.paid_percent or 0
    return split(enrolment.price, paid, enrolment.fee_rate)


def _back(session: Session, enrolment: Enrolment, money: Split) -> list[tuple[str, Decimal, str]]:
    """Where what nobody earned has gone; before it has, and where nothing was posted, it is the buyer's."""
    if enrolment.settlement_id is None or not money.rest:
        return back_parts(money.rest, Decimal(0))
    went = returned(rebooking.read_trail(session, enrolment), enrolment)
    return back_parts(went.home, went.state)
