"""Plots: zero-based bars in percent, text in pixels, fewer days on phones."""

import re
from datetime import date, timedelta

import pytest
from lxml import etree

from marketplace.web.plots import Bar, Mark, bar_svg, daily_plot, moving_average, scale_top

LAST = date(2026, 11, 23)
COUNTS = {LAST - timedelta(days=back): back % 7 + 5 for back in range(30)}


def drawn(svg: str) -> etree._Element:
    return etree.fromstring(f"<g>{svg}</g>")


def test_bars_start_at_zero_and_reach_their_value() -> None:
    root = drawn(bar_svg([Bar(0), Bar(20), Bar(40)]))
    heights = [float(bar.get("height")) for bar in root.iter("rect")]
    assert heights[0] == 0
    assert heights[2] == pytest.approx(2 * heights[1], abs=0.2)


def test_horizontal_places_are_percentages_so_that_text_keeps_its_size() -> None:
    svg = bar_svg([Bar(3), Bar(5, tick="2 Nov")], average=[3, 4], marks=[Mark(1, "bantuan cair")])
    assert "viewBox" not in svg
    places = re.findall(r' (?:x|x1|x2|width)="([^"]+)"', svg)
    assert all(place.endswith("%") or place in {"0", "-30"} for place in places)


def test_nothing_is_styled_in_line() -> None:
    svg = daily_plot(COUNTS, LAST, events={LAST: "hari ini"})
    assert not re.search(r'style=|fill="|stroke="', svg)
    assert len(list(drawn(svg).iter("svg"))) == 2


def test_phones_get_fewer_days() -> None:
    narrow, wide = drawn(daily_plot(COUNTS, LAST, days=30, phone_days=14)).iter("svg")
    assert (narrow.get("class"), wide.get("class")) == ("plot-sempit", "plot-lebar")
    assert (len(narrow.findall("rect")), len(wide.findall("rect"))) == (14, 30)


def test_weekends_are_paler() -> None:
    wide = list(drawn(daily_plot(COUNTS, LAST, days=7)).iter("svg"))[1]
    classes = [bar.get("class") for bar in wide.findall("rect")]
    assert classes == ["bar"] * 4 + ["bar pucat"] * 2 + ["bar"]


def test_mondays_are_named_and_months_once() -> None:
    wide = list(drawn(daily_plot(COUNTS, LAST, days=30)).iter("svg"))[1]
    ticks = [text.text for text in wide.findall("text") if text.get("text-anchor") == "middle"]
    assert ticks == ["26 Okt", "2 Nov", "9", "16", "23"]


def test_the_average_looks_back_seven_days_and_no_further_than_the_first() -> None:
    days = [date(2026, 11, 1) + timedelta(days=n) for n in range(8)]
    values = {day: 7 * index for index, day in enumerate(days)}
    assert moving_average(values, days) == [0, 3.5, 7, 10.5, 14, 17.5, 21, 28]


def test_the_halo_lies_under_the_whole_line() -> None:
    lines = [
        line.get("class")
        for line in drawn(bar_svg([Bar(1)] * 4, average=[1, 2, 3, 4])).iter("line")
        if line.get("class") != "grid"
    ]
    assert lines == ["halo"] * 3 + ["rata"] * 3


@pytest.mark.parametrize(
    ("highest", "top"), [(1, 4), (4, 4), (5, 8), (34, 40), (41, 80), (200, 200), (1284, 2000)]
)
def test_the_axis_ends_on_a_round_number_above_the_highest(highest: int, top: int) -> None:
    assert scale_top(highest) == top


def test_an_average_for_some_bars_only_is_refused() -> None:
    with pytest.raises(ValueError, match="every bar"):
        bar_svg([Bar(1), Bar(2)], average=[1])


def test_no_days_draw_an_empty_plot() -> None:
    assert not list(drawn(bar_svg([])).iter("rect"))


def test_words_are_escaped() -> None:
    assert "<b>" not in bar_svg([Bar(1, tick="<b>")], marks=[Mark(0, "<b>x")])
