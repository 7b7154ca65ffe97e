"""What narrows the list of enrolments: the usual choices beside it, and all on a page of their own."""

import uuid

from flask import render_template, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from marketplace import db
from marketplace.catalogue.models import Run
from marketplace.enrolments import provider_queries
from marketplace.schemes import queries as schemes
from marketplace.web.formatting import short_date, short_date_range
from marketplace.web.identity import current_provider
from marketplace.web.provider import columns
from marketplace.web.provider.blueprint import pages
from marketplace.web.provider.wanted import HELD, SPANS, Wanted, read_wanted

MOST_RUNS = 40

Choices = list[tuple[str, str]]


@pages.get("/pendaftaran/saring")
def refine_enrolments() -> str:
    """Everything that can narrow the list, and its columns."""
    current, wanted = db.session(), read_wanted(request.args)
    runs = _runs(current, wanted)
    return render_template(
        "provider/refine_enrolments.html",
        wanted=wanted,
        runs=[("", _("Semua jadwal")), *((str(each.id), _run_words(each)) for each in runs)],
        has_older_runs=len(runs) >= MOST_RUNS,
        bands=[("", _("Semua kehadiran")), *_bands(current)],
        all_columns=[(each.key, str(each.title)) for each in columns.COLUMNS if each.key != "who"],
        **choices(current),
    )


def choices(session: Session) -> dict[str, Choices]:
    """What the filter beside the list offers."""
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
            (HELD, _("Ditahan")),
        ],
        "spans": [("", _("Semua waktu")), *((str(n), _("%(days)s hari terakhir", days=n)) for n in SPANS)],
    }


def chips(session: Session, wanted: Wanted) -> Choices:
    """What was chosen on the page of all filters: in words, and the address without it."""
    found: Choices = []
    if wanted.run_id is not None:
        found.append((_run_words(_run(session, wanted.run_id)), wanted.without("run")))
    if wanted.percent is not None:
        low, high = wanted.percent
        found.append((_("Hadir %(low)s–%(high)s%%", low=low, high=high), wanted.without("percent")))
    if wanted.first is not None:
        found.append((_("Dibeli sejak %(day)s", day=short_date(wanted.first)), wanted.without("from")))
    if wanted.last is not None:
        found.append((_("Dibeli sampai %(day)s", day=short_date(wanted.last)), wanted.without("to")))
    if wanted.columns:
        found.append((_("Kolom pilihan"), wanted.without("col")))
    return found


def _runs(session: Session, wanted: Wanted) -> list[Run]:
    """The newest that were sold, and the chosen one."""
    found = provider_queries.list_runs_sold(session, current_provider().id, wanted.course_id, MOST_RUNS)
    if wanted.run_id is None or wanted.run_id in {each.id for each in found}:
        return list(found)
    return [*found, _run(session, wanted.run_id)]


def _run(session: Session, run_id: uuid.UUID) -> Run:
    """One of this provider's. Raises NotFound."""
    return provider_queries.get_run_of_provider(session, run_id, current_provider().id)


def _run_words(run: Run) -> str:
    return f"{short_date_range(run.starts_at, run.ends_at)}, {run.course.title}"


def _bands(session: Session) -> list[tuple[str, str]]:
    """Attendance between the thresholds at which the schemes pay differently, the best first."""
    edges = {0} | {
        edge
        for scheme in schemes.list_schemes(session)
        for edge in (scheme.minimum_pay_percent, scheme.full_pay_from_percent)
    }
    lows = sorted(edges, reverse=True)
    highs = [100, *(low - 1 for low in lows)]
    return [(f"{low}-{high}", f"{low}–{high}%") for low, high in zip(lows, highs, strict=False)]
