"""Enrolments as a provider reads them: the cells that tables of them share."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _

from marketplace.catalogue.models import Run, RunKind
from marketplace.enrolments.models import CANCELLED, EarningState
from marketplace.enrolments.pay import Evidence, paid_percent, split
from marketplace.enrolments.progress import Progress
from marketplace.web.catalogue import mode_name
from marketplace.web.formatting import date_range, long_date, rupiah, short_date, short_date_range
from marketplace.web.state_words import Tag, earning_tag, enrolment_tag

Row = list[Any]


def when_and_where(run: Run) -> str:
    """`1–10 Des, Sleman`, short enough for a table."""
    place = run.place or mode_name(run.course.mode)
    when = short_date_range(run.starts_at, run.ends_at)
    if run.kind == RunKind.SELF_PACED:
        when = _("sampai %(last)s", last=short_date(run.ends_at))
    return f"{when}, {place}" if place else when


def back_parts(home: Decimal, state: Decimal) -> list[tuple[str, Decimal, str]]:
    """What comes back of a price, as parts of a bar: to the buyer, and to the state's fund where it cannot be
    spent any more. In rupiah."""
    parts = [(_("Kembali ke peserta"), home, "available")] if home or not state else []
    return parts + ([(_("Kembali ke dana program"), state, "ready")] if state else [])


def tag_cell(tag: Tag) -> dict[str, str | None]:
    """A state as a cell."""
    text, tone, icon = tag
    return {"tag": text, "tone": tone, "icon": icon}


def state_tag(progress: Progress, now: datetime) -> Tag:
    """Where an enrolment stands; money that is held comes first, because it wants something done."""
    earning = progress.earning
    if earning is not None and earning.state == EarningState.HELD:
        return earning_tag(earning, now)
    return enrolment_tag(progress.enrolment, now)


def attendance_cell(progress: Progress, now: datetime) -> Any:
    """Sessions attended of promised, or that nothing has begun."""
    run, enrolment = progress.enrolment.run, progress.enrolment
    if progress.attended == 0 and (run.starts_at > now or enrolment.state in CANCELLED):
        return _("Belum mulai") if run.starts_at > now else "–"
    return {"done": progress.attended, "total": progress.promised}


def share_cell(progress: Progress, now: datetime, net: Decimal | None = None) -> dict[str, Any]:
    """What the provider gets of it, and how sure that is; `net` where the evidence has been read."""
    share = share_of(progress, now) if net is None else net
    return {"main": rupiah(share), "sub": _share_words(progress, now), "bold": True}


def share_of(progress: Progress, now: datetime) -> Decimal:
    """Earned, or what enough attendance would earn; once the run is over, what there was of it.

    A list does not read the others' check-ins, so it takes for granted that the class was held.
    """
    enrolment = progress.enrolment
    if not enrolment.is_live or enrolment.run.ends_at > now:
        return progress.provider_share
    self_paced = enrolment.run.kind == RunKind.SELF_PACED
    proven = Evidence(progress.percent, self_paced=self_paced, took_place=True)
    return split(enrolment.price, paid_percent(proven, enrolment.scheme), enrolment.fee_rate).net


def _share_words(progress: Progress, now: datetime) -> str:
    enrolment, earning = progress.enrolment, progress.earning
    if enrolment.is_awaiting:
        return _("bila dikonfirmasi")
    if enrolment.is_live:
        if enrolment.run.starts_at > now:
            return _("perkiraan")
        if enrolment.run.ends_at <= now:
            return _("menurut presensi")
        return _("bila hadir %(percent)s%%", percent=enrolment.scheme.full_pay_from_percent)
    if earning is None:
        return _("uang kembali") if enrolment.state in CANCELLED else _("tanpa presensi")
    if earning.state == EarningState.PAID:
        return _("dibayarkan")
    if earning.state == EarningState.HELD:
        return _("ditahan")
    return (
        _("siap dibayar")
        if earning.matures_at <= now
        else _("siap %(day)s", day=short_date(earning.matures_at))
    )


def day_words(run: Run) -> str:
    """A run's days in full, with the year."""
    if run.kind == RunKind.SELF_PACED:
        return _("Kapan saja sampai %(last)s", last=long_date(run.ends_at))
    return date_range(run.starts_at, run.ends_at)
