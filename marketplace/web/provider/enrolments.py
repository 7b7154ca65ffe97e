"""Who enrolled: the list with its filters in the address, the same as a file, and one in detail."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from marketplace import clock, db
from marketplace.enrolments import provider_queries, queries
from marketplace.enrolments.models import CANCELLED, LIVE, SEATED, EnrolmentState
from marketplace.enrolments.pay import Split, split
from marketplace.enrolments.progress import Progress
from marketplace.enrolments.provider_queries import Filters
from marketplace.errors import NotFound
from marketplace.payouts import queries as payouts
from marketplace.web.downloads import csv_file
from marketplace.web.identity import current_provider
from marketplace.web.provider.blueprint import pages
from marketplace.web.provider.rows import (
    columns,
    day_words,
    file_head,
    file_rows,
    state_tag,
    table_rows,
    when_and_where,
)
from marketplace.web.state_words import earning_tag, hold_words, payout_tag

_STATES: dict[str, tuple[EnrolmentState, ...]] = {
    "awaiting": (EnrolmentState.AWAITING_CONFIRMATION,),
    "live": LIVE,
    "completed": (EnrolmentState.COMPLETED,),
    "no_show": (EnrolmentState.NO_SHOW,),
    "cancelled": CANCELLED,
}
_HELD = "held"
_SPANS = (7, 30, 90)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A search as the address says it. What means nothing there is left out, never an error."""

    text: str
    course_id: uuid.UUID | None
    run_id: uuid.UUID | None
    state: str
    days: int | None

    def filters(self, now: datetime) -> Filters:
        """The same for the query."""
        return Filters(
            text=self.text,
            course_id=self.course_id,
            run_id=self.run_id,
            states=_STATES.get(self.state, ()),
            held=self.state == _HELD,
            since=now - timedelta(days=self.days) if self.days else None,
        )

    def address(self, endpoint: str = "provider.enrolments", **more: Any) -> str:
        """The address of this search, perhaps with something changed; it starts at the first page."""
        parts = {
            "q": self.text,
            "course": self.course_id,
            "run": self.run_id,
            "state": self.state,
            "days": self.days,
            **more,
        }
        return url_for(endpoint, **{name: value for name, value in parts.items() if value})


def read_wanted(args: MultiDict[str, str]) -> Wanted:
    """A search from an address."""
    days = args.get("days", "")
    state = args.get("state", "")
    return Wanted(
        text=args.get("q", "").replace("\x00", "").strip()[:100],
        course_id=_id(args.get("course")),
        run_id=_id(args.get("run")),
        state=state if state in {*_STATES, _HELD} else "",
        days=int(days) if days in {str(span) for span in _SPANS} else None,
    )


@pages.get("/pendaftaran")
def enrolments() -> str | AnyResponse:
    """The list, newest first."""
    current = db.session()
    provider_id = current_provider().id
    now = clock.now(current)
    wanted = read_wanted(request.args)
    cursor = _id(request.args.get("cursor"))
    try:
        page = provider_queries.list_for_provider(current, provider_id, wanted.filters(now), cursor)
    except NotFound:
        return redirect(wanted.address())
    return render_template(
        "provider/enrolments.html",
        wanted=wanted,
        page=page,
        is_first=cursor is None,
        awaiting=provider_queries.list_awaiting(current, provider_id),
        when_and_where=when_and_where,
        columns=columns(),
        rows=table_rows(page.rows, now),
        now=now,
        run=_run(current, wanted),
        **choices(current),
    )


@pages.get("/pendaftaran.csv")
def enrolments_csv() -> Response:
    """Everything that the same filter finds, as a file."""
    current = db.session()
    now = clock.now(current)
    filters = read_wanted(request.args).filters(now)
    page = provider_queries.list_for_provider(current, current_provider().id, filters, limit=None)
    return csv_file(f"pendaftaran-{clock.local_date(now)}", file_head(), file_rows(page.rows, now))


@pages.get("/pendaftaran/<uuid:enrolment_id>")
def enrolment(enrolment_id: uuid.UUID) -> str:
    """One enrolment: who, when they came, and where its money is."""
    current = db.session()
    progress = provider_queries.get_for_provider(current, enrolment_id, current_provider().id)
    earning = progress.earning
    now = clock.now(current)
    return render_template(
        "provider/enrolment.html",
        progress=progress,
        enrolment=progress.enrolment,
        earning=earning,
        money=_money(progress),
        meetings=queries.list_meetings(current, progress.enrolment),
        payouts=payouts.list_payouts_of_earning(current, earning.id) if earning else [],
        tag=state_tag(progress, now),
        days=day_words(progress.enrolment.run),
        earning_tag=earning_tag(earning, now),
        hold_words=hold_words,
        payout_tag=payout_tag,
        now=now,
    )


def choices(session: Session) -> dict[str, list[tuple[str, str]]]:
    """What the filter's lists offer."""
    sold = provider_queries.list_courses_sold(session, current_provider().id)
    return {
        "courses": [("", _("Semua kursus")), *((str(course_id), title) for course_id, title in sold)],
        "states": [
            ("", _("Semua status")),
            ("awaiting", _("Menunggu konfirmasi")),
            ("live", _("Belum selesai")),
            ("completed", _("Selesai")),
            ("no_show", _("Tidak datang")),
            ("cancelled", _("Dibatalkan")),
            (_HELD, _("Ditahan")),
        ],
        "spans": [("", _("Semua waktu")), *((str(n), _("%(days)s hari terakhir", days=n)) for n in _SPANS)],
    }


def _money(progress: Progress) -> Split:
    """How the price is divided: as it was settled, or as it would be at full attendance."""
    enrolment = progress.enrolment
    paid = 100 if enrolment.state in SEATED else enrolment.paid_percent or 0
    return split(enrolment.price, paid, enrolment.fee_rate)


def _run(session: Session, wanted: Wanted) -> Any:
    """The run that the list is narrowed to, when it is this provider's."""
    if wanted.run_id is None:
        return None
    return provider_queries.get_run_of_provider(session, wanted.run_id, current_provider().id)


def _id(text: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        return None
