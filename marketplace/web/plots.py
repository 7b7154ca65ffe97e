"""Plots as SVG made by the server: no script, no viewBox.

Horizontal places are percentages and text is in pixels, so labels stay 13 px at any width; phones get fewer
days. Bars start at zero. Colours come from the stylesheet's classes alone. Beside every plot stands
its table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

from markupsafe import Markup

from marketplace.web.formatting import number, rupiah, short_date

_TOP = 28
_HEIGHT = 146
_FOOT = 26
_BAR_SHARE = 0.72
_NICE = (1, 2, 5)
_AVERAGE_DAYS = 7
_LABEL_WIDTH = 24
"""Percent of the plot that an event's label may need on either side of its line."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One column: its height, its tick (or ""), whether it is paler, and what kind of money colours it."""

    value: float
    tick: str = ""
    pale: bool = False
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened before the bar at `index`."""

    index: int
    text: str


def daily_plot(
    values: Mapping[date, int],
    last: date,
    days: int = 30,
    phone_days: int = 14,
    events: Mapping[date, str] | None = None,
) -> Markup:
    """Counts a day up to `last`, weekends paler, with a seven-day average; missing days are zero.

    The average of the first days uses the days before the plot where `values` holds them.
    """
    wide = _daily_svg(values, last, days, events or {}, "plot-lebar")
    narrow = _daily_svg(values, last, min(days, phone_days), events or {}, "plot-sempit")
    return Markup('<div class="plot">{}{}</div>').format(narrow, wide)


def _daily_svg(
    values: Mapping[date, int], last: date, days: int, events: Mapping[date, str], css_class: str
) -> Markup:
    shown = [last - timedelta(days=back) for back in reversed(range(days))]
    bars = [Bar(values.get(day, 0), _tick(day, shown[0]), day.weekday() >= 5) for day in shown]
    marks = [Mark(index, events[day]) for index, day in enumerate(shown) if day in events]
    return bar_svg(bars, moving_average(values, shown), marks, css_class)


def _tick(day: date, first: date) -> str:
    """Mondays; the month is named at the first one shown and at the first of each month."""
    if day.weekday():
        return ""
    is_first = (day - first).days < 7
    return short_date(day) if is_first or day.day <= 7 else str(day.day)


def moving_average(values: Mapping[date, int], days: Sequence[date]) -> list[float]:
    """The mean of each day and the six before it; days before the first known one are not counted."""
    earliest = min((*values, *days[:1]))
    averages = []
    for day in days:
        window = [day - timedelta(days=back) for back in range(_AVERAGE_DAYS)]
        known = [values.get(each, 0) for each in window if each >= earliest]
        averages.append(sum(known) / len(known))
    return averages


def scale_top(highest: float) -> int:
    """The axis's upper end: four steps of 1, 2 or 5 times a power of ten that hold the highest value."""
    power = 1
    while True:
        for nice in _NICE:
            if nice * power * 4 >= highest:
                return nice * power * 4
        power *= 10


def weekly_plot(
    bars: Sequence[Bar], phone_weeks: int = 6, *, top: int | None = None, groups: int = 1, money: bool = False
) -> Markup:
    """One bar (or `groups` bars) a week; phones get the last weeks, every second named. `money` writes the
    axis in rupiah, above its lines, because amounts are never abbreviated and would need a margin."""
    drawn = [
        Markup('<svg class="{}" height="{}" aria-hidden="true">{}</svg>').format(
            css_class, _TOP + _HEIGHT + _FOOT, Markup("").join(_weeks(shown, top, groups, money))
        )
        for shown, css_class in (
            (_narrow(bars[-phone_weeks * groups :], groups), "plot-sempit"),
            (bars, "plot-lebar"),
        )
    ]
    return Markup('<div class="plot{}">{}</div>').format(" uang" if money else "", Markup("").join(drawn))


def _weeks(bars: Sequence[Bar], top: int | None, groups: int, money: bool) -> list[Markup]:
    top = top or scale_top(max([1, *(bar.value for bar in bars)]))
    return [*(_amounts(top) if money else _grid(top)), *_columns(bars, top, groups)]


def _narrow(bars: Sequence[Bar], groups: int) -> list[Bar]:
    """Every second tick, counted from the last, so that none touches the next."""
    last = (len(bars) - 1) // groups
    return [
        bar if (last - index // groups) % 2 == 0 else replace(bar, tick="") for index, bar in enumerate(bars)
    ]


def _amounts(top: int) -> list[Markup]:
    line = Markup('<line class="grid" x1="0" x2="100%" y1="{0}" y2="{0}"/>')
    text = Markup('<text x="0" y="{}">{}</text>')
    values = [top * step // 2 for step in range(3)]
    words = [text.format(_y(value, top) - 4, rupiah(value)) for value in values if value]
    return [*(line.format(_y(value, top)) for value in values), *words]


def bar_svg(
    bars: Sequence[Bar], average: Sequence[float] = (), marks: Sequence[Mark] = (), css_class: str = ""
) -> Markup:
    """One SVG. Raises ValueError when an average is given for some bars only."""
    if average and len(average) != len(bars):
        raise ValueError("an average needs a value for every bar")
    top = scale_top(max([1, *(bar.value for bar in bars), *average]))
    shapes = [*_grid(top), *_columns(bars, top), *_line(average, top), *_marks(marks, len(bars))]
    return Markup('<svg class="{}" height="{}" aria-hidden="true">{}</svg>').format(
        css_class, _TOP + _HEIGHT + _FOOT, Markup("").join(shapes)
    )


def _y(value: float, top: int) -> float:
    return round(_TOP + _HEIGHT * (1 - value / top), 1)


def _grid(top: int) -> list[Markup]:
    steps = 4 if top % 4 == 0 else top
    values = [top * step // steps for step in range(steps + 1)]
    line = Markup('<line class="grid" x1="0" x2="100%" y1="{0}" y2="{0}"/><text x="-30" y="{1}">{2}</text>')
    return [line.format(_y(value, top), _y(value, top) + 4, number(value)) for value in values]


def _columns(bars: Sequence[Bar], top: int, groups: int = 1) -> list[Markup]:
    """Bars side by side; those of a group touch, and share the tick of their first."""
    step = 100 / len(bars) * groups if bars else 100
    width = step * _BAR_SHARE / groups
    shapes = []
    for index, bar in enumerate(bars):
        group, place = divmod(index, groups)
        x, y = (group + (1 - _BAR_SHARE) / 2) * step + place * width, _y(bar.value, top)
        css_class = " pucat" if bar.pale else f" {bar.kind}" if bar.kind else ""
        shapes.append(
            Markup('<rect class="bar{}" x="{:.2f}%" width="{:.2f}%" y="{}" height="{:.1f}" rx="2"/>').format(
                css_class, x, width, y, _TOP + _HEIGHT - y
            )
        )
        if bar.tick:
            shapes.append(_tick_text(group, len(bars) // groups, bar.tick))
    return shapes


def _tick_text(index: int, total: int, words: str) -> Markup:
    return Markup('<text x="{:.2f}%" y="{}" text-anchor="middle">{}</text>').format(
        (index + 0.5) * 100 / total, _TOP + _HEIGHT + 20, words
    )


def _line(average: Sequence[float], top: int) -> list[Markup]:
    """Percentages cannot stand in a path, so the line is its pieces: first the halo of all, then the line."""
    points = [((index + 0.5) * 100 / len(average), _y(value, top)) for index, value in enumerate(average)]
    piece = Markup('<line class="{}" x1="{:.2f}%" y1="{}" x2="{:.2f}%" y2="{}"/>')
    return [
        piece.format(css_class, x1, y1, x2, y2)
        for css_class in ("halo", "rata")
        for (x1, y1), (x2, y2) in pairwise(points)
    ]


def _marks(marks: Sequence[Mark], total: int) -> list[Markup]:
    shape = Markup(
        '<line class="kejadian" x1="{0:.2f}%" x2="{0:.2f}%" y1="6" y2="{1}"/>'
        '<text class="kejadian" x="{0:.2f}%" dx="{2}" y="14" text-anchor="{3}">{4}</text>'
    )
    drawn = []
    for mark in marks:
        x = mark.index * 100 / total
        side = (6, "start") if x < _LABEL_WIDTH else (-6, "end")
        drawn.append(shape.format(x, _TOP + _HEIGHT, *side, mark.text))
    return drawn
