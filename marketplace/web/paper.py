"""Text on paper: what the fonts have letters for, as large as it fits, and no wider than the page."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fpdf import FPDF


def printable(page: "FPDF", text: str) -> tuple[str, bool]:
    """What the font in use can print of a text, and whether that is all of it.

    A letter without a glyph would be left blank, silently.
    """
    from fpdf.fonts import TTFFont

    font = page.current_font
    assert isinstance(font, TTFFont)  # papers have no other fonts
    kept = "".join(letter for letter in text if letter == "\n" or ord(letter) in font.cmap)
    if len(kept) == len(text):
        return text, True
    lines = [" ".join(line.split()) for line in kept.split("\n")]
    return "\n".join(line for line in lines if line), False


def write(
    page: "FPDF", text: str, sizes: Iterable[int], lines: int = 1, style: str = "", height: float = 0.5
) -> None:
    """Write the text from here, in the first size (points) in which it takes at most so many lines.

    In the last size it takes as many as it needs. `height` is millimetres of a line for each point. The next
    text begins below it; none leaves the place as it is.
    """
    if not text:
        return
    for size in sizes:
        page.set_font("Roboto", style, size)
        needed = page.multi_cell(0, size * height, text, align="L", dry_run=True, output="LINES")
        assert isinstance(needed, list)  # what LINES gives
        if len(needed) <= lines:
            break
    page.multi_cell(0, page.font_size_pt * height, text, align="L", new_x="LMARGIN", new_y="NEXT")
