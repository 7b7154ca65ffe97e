"""Every colour that carries words or marks a control can be read, in light and in dark (WCAG 2.2 AA)."""

import re
from pathlib import Path

import pytest

STYLESHEET = Path(__file__).parents[2] / "static" / "bekal.css"
PLAIN = ("kertas", "lapis", "krem")
TINTS = ("daun-muda", "kunyit-muda", "bata-muda", "tarum-muda")

# (foreground, surfaces it is used on, least contrast): 4.5 for words, 3 for edges, fills and focus rings
WORDS = [
    ("arang", PLAIN + TINTS, 4.5),
    ("arang-2", PLAIN + TINTS, 4.5),
    ("daun", (*PLAIN, "daun-muda"), 4.5),
    ("di-daun", ("daun",), 4.5),
    ("kunyit-teks", (*PLAIN, "kunyit-muda", "daun-muda"), 4.5),
    ("bata", (*PLAIN, "bata-muda"), 4.5),
    ("tarum", (*PLAIN, "tarum-muda"), 4.5),
    ("hero-teks", ("hero",), 4.5),
    ("hero-redup", ("hero",), 4.5),
]
MARKS = [
    ("garis-kuat", PLAIN, 3.0),
    ("kunyit-tepi", ("lapis",), 3.0),
    ("tarum", PLAIN + TINTS, 3.0),
    ("hero-kunyit", ("hero",), 3.0),
    ("hero-fokus", ("hero",), 3.0),
    ("hero-tarum", ("hero",), 3.0),
    ("hero-abu", ("hero",), 3.0),
]

# the worst contrast that the look states, light and dark
STATED = {
    "garis-kuat": (3.5, 4.6),
    "daun": (6.8, 7.3),
    "di-daun": (8.1, 9.3),
    "bata": (5.5, 7.2),
    "hero-teks": (9.8, 11.7),
    "hero-redup": (7.1, 7.8),
}


def tokens(css: str, dark: bool) -> dict[str, str]:
    """The colour tokens of the stylesheet; dark ones lie over light ones, as in a browser."""
    light_block, dark_block = css.split("@media screen and (prefers-color-scheme: dark)", 1)
    dark_block = dark_block.split("/* ---- GOV.UK", 1)[0]
    found = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", light_block))
    if dark:
        found |= dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", dark_block))
    return found


def luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def too_faint(css: str, dark: bool) -> list[str]:
    """Pairs of tokens below their least contrast."""
    palette = tokens(css, dark)
    return [
        f"{name} on {surface}: {contrast(palette[name], palette[surface]):.2f}"
        for name, surfaces, least in WORDS + MARKS
        for surface in surfaces
        if contrast(palette[name], palette[surface]) < least
    ]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_pair_of_colours_in_use_can_be_read(dark: bool) -> None:
    assert too_faint(STYLESHEET.read_text(), dark) == []


def test_a_paler_secondary_text_would_be_found() -> None:
    css = STYLESHEET.read_text().replace("--arang-2: #575c52", "--arang-2: #9a9f95")
    assert any(line.startswith("arang-2 on kertas") for line in too_faint(css, dark=False))


@pytest.mark.parametrize("name", STATED)
def test_worst_contrasts_are_those_that_the_look_states(name: str) -> None:
    css = STYLESHEET.read_text()
    surfaces = next(used for token, used, _ in WORDS + MARKS if token == name)
    for dark, stated in zip((False, True), STATED[name], strict=True):
        palette = tokens(css, dark)
        worst = min(contrast(palette[name], palette[surface]) for surface in surfaces)
        assert worst == pytest.approx(stated, abs=0.1)


def test_black_on_white_is_twenty_one() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
