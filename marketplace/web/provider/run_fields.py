"""The fields of a run as they are typed: rows of sessions, or the units of a self-paced run."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from marshmallow import Schema, fields, validate

from marketplace.catalogue.models import Run, RunKind
from marketplace.catalogue.service import PlannedSession, RunPlan
from marketplace.web.formatting import here, local
from marketplace.web.forms import REQUIRED, Digits, Form, FormSchema, Paragraphs, Text, submitted

FIRST_ROWS, MORE_ROWS, MOST_ROWS = 4, 4, 100
MOST_SEATS = 100_000
_PARTS = ("date", "start", "end", "topic")
_LONGEST = validate.Length(max=120, error=_l("Tulis paling banyak %(most)s huruf.", most=120))


def _common() -> dict[str, Any]:
    """Seats and place: every run has them."""
    return {
        "seats": Digits(
            _l("Tulis jumlah kursi."),
            validate=validate.Range(1, MOST_SEATS, error=_l("Jumlah kursi dari 1 sampai 100.000.")),
            error_messages={"invalid": _l("Tulis jumlah kursi dengan angka saja.")},
        ),
        "place": Text(_l("Tulis tempatnya."), required=False, load_default="", validate=_LONGEST),
        "confirmation": Text(required=False, load_default=""),
        "key": fields.String(load_default=""),
    }


def read_scheduled() -> tuple[Form, int]:
    """The form that was sent, with as many rows as it had."""
    rows = row_count(request.form.get("rows", ""))
    buttons = {name: Text(required=False) for name in ("rows", "more")}
    return submitted(_schema(_common() | buttons | _rows(rows))), rows


def read_self_paced() -> Form:
    """The form of a self-paced run."""
    own = {
        "units": Paragraphs(_l("Tulis sedikitnya satu unit.")),
        "opens": Text(_l("Tulis tanggal mulai.")),
        "closes": Text(_l("Tulis tanggal akhir akses.")),
    }
    return submitted(_schema(_common() | own))


def read_topics(run: Run) -> Form:
    """The form of a run that somebody had bought: seats, place and topics."""
    topics = {
        f"topic-{meeting.sequence}": Text(
            _ask_for("topic", meeting.sequence), required=False, validate=_LONGEST
        )
        for meeting in run.sessions
    }
    return submitted(_schema(_common() | topics))


def row_count(typed: str) -> int:
    """How many rows of sessions a form has, between the first few and the most there can be."""
    digits = typed if typed.isascii() and typed.isdigit() and len(typed) <= 4 else "0"
    return min(MOST_ROWS, max(FIRST_ROWS, int(digits)))


def scheduled_plan(form: Form, rows: int) -> RunPlan:
    """The sessions that were typed, rows left empty passed over; what is wrong goes to the form."""
    sessions: list[PlannedSession] = []
    for number in range(1, rows + 1):
        typed = {part: form.data.get(f"{part}-{number}") or "" for part in _PARTS}
        if any(typed.values()) or (number == 1 and not _is_any_row_filled(form, rows)):
            read = _session(form, number, typed, sessions[-1] if sessions else None)
            sessions += [read] if read else []
    needs_confirmation = bool(form.data.get("confirmation"))
    seats, place = form.data.get("seats", 1), form.data.get("place", "")
    return RunPlan(RunKind.SCHEDULED, sessions, seats, place, needs_confirmation=needs_confirmation)


def self_paced_plan(form: Form) -> RunPlan:
    """Units and access that were typed; what is wrong goes to the form."""
    opens, closes = (_date(form, name) for name in ("opens", "closes"))
    if opens and closes and opens > closes:
        form.refuse("closes", _("Akhir akses harus sesudah mulainya."))
    units = [line.strip() for line in form.data.get("units", "").split("\n") if line.strip()]
    if any(len(unit) > 120 for unit in units) or len(units) > MOST_ROWS:
        form.refuse("units", _("Paling banyak 100 unit, masing-masing paling panjang 120 huruf."))
    return RunPlan(
        RunKind.SELF_PACED,
        [PlannedSession(unit) for unit in units],
        form.data.get("seats", 1),
        form.data.get("place", ""),
        starts_at=_at(opens, time(0)) if opens else None,
        ends_at=_at(closes, time(23, 59, 59)) if closes else None,
        needs_confirmation=bool(form.data.get("confirmation")),
    )


def typed_of(run: Run) -> dict[str, str]:
    """A run as its form shows it."""
    typed = {"seats": str(run.seats), "place": run.place}
    if run.kind == RunKind.SELF_PACED:
        opens, closes = local(run.starts_at).date(), local(run.ends_at).date()
        units = "\n".join(meeting.topic for meeting in run.sessions)
        return typed | {"units": units, "opens": opens.isoformat(), "closes": closes.isoformat()}
    for meeting in run.sessions:
        number, starts, ends = meeting.sequence, meeting.starts_at, meeting.ends_at
        assert starts is not None and ends is not None  # a scheduled run's sessions have times
        typed |= {
            f"date-{number}": local(starts).date().isoformat(),
            f"start-{number}": f"{local(starts):%H:%M}",
            f"end-{number}": f"{local(ends):%H:%M}",
            f"topic-{number}": meeting.topic,
        }
    return typed


def _schema(named: Mapping[str, Any]) -> Schema:
    return FormSchema.from_dict(dict(named))()


def _rows(rows: int) -> dict[str, Any]:
    return {
        f"{part}-{number}": Text(_ask_for(part, number), required=False, load_default="", validate=_LONGEST)
        for number in range(1, rows + 1)
        for part in _PARTS
    }


def _ask_for(part: str, number: int) -> object:
    return _l("Tulis topik sesi %(number)s.", number=number) if part == "topic" else REQUIRED


def _is_any_row_filled(form: Form, rows: int) -> bool:
    return any(form.data.get(f"{part}-{number}") for number in range(1, rows + 1) for part in _PARTS)


def _session(
    form: Form, number: int, typed: Mapping[str, str], before: PlannedSession | None
) -> PlannedSession | None:
    day = _date(form, f"date-{number}")
    start, end = _time(form, f"start-{number}"), _time(form, f"end-{number}")
    if day is None or start is None or end is None:
        return None
    starts_at, ends_at = _at(day, start), _at(day, end)
    if starts_at >= ends_at:
        form.refuse(f"end-{number}", _("Sesi %(number)s: selesainya harus sesudah mulainya.", number=number))
        return None
    if before and before.ends_at and starts_at < before.ends_at:
        words = _("Sesi %(number)s: mulainya harus sesudah sesi sebelumnya selesai.", number=number)
        form.refuse(f"date-{number}", words)
        return None
    return PlannedSession(typed["topic"], starts_at, ends_at)


def _at(day: date, typed: time) -> datetime:
    """What the clock on the provider's wall said, for that is what its staff type."""
    return datetime.combine(day, typed, ZoneInfo(here())).astimezone(UTC)


def _date(form: Form, name: str) -> date | None:
    """A day as a browser's calendar sends it, or as people write it."""
    typed = str(form.data.get(name) or "").replace("/", "-").replace(".", "-")
    parts = typed.split("-")
    if len(parts) == 3 and all(part.isascii() and part.isdigit() and len(part) <= 4 for part in parts):
        numbers = [int(part) for part in parts]
        year, month, day = numbers if len(parts[0]) == 4 else reversed(numbers)
        try:
            found = date(year, month, day)
        except ValueError:
            found = None
        if found and 2000 <= found.year <= 2200:
            return found
    form.errors.setdefault(name, _of_row(name) + _("Tulis tanggal yang ada di kalender, misalnya 27-8-2027."))
    return None


def _time(form: Form, name: str) -> time | None:
    typed = str(form.data.get(name) or "").replace(".", ":")
    hour, _colon, minute = typed.partition(":")
    is_clock = all(part.isascii() and part.isdigit() and len(part) <= 2 for part in (hour, minute))
    if is_clock and int(hour) < 24 and int(minute) < 60:
        return time(int(hour), int(minute))
    form.errors.setdefault(name, _of_row(name) + _("Tulis jam dan menit, misalnya 09:00."))
    return None


def _of_row(name: str) -> str:
    """Which session a field is of, for the summary above the form."""
    _part, _dash, number = name.partition("-")
    return _("Sesi %(number)s", number=number) + ": " if number else ""
