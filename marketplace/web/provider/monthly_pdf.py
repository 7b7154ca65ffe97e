"""A monthly statement on paper: A4, its sums first, then every line, the head repeated on each page."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _

from marketplace import web
from marketplace.payouts.statements import Line, MonthStatement
from marketplace.web import paper
from marketplace.web.formatting import WIB, language, long_date, month, rupiah, short_date
from marketplace.web.provider.lines import title_of
from marketplace.web.state_words import kind_words

if TYPE_CHECKING:
    from fpdf import FPDF

_FONTS = Path(web.__file__).parent / "fonts"
_GREEN, _INK, _SOFT, _RULE, _PAPER = (
    (14, 74, 59),
    (32, 38, 31),
    (87, 92, 82),
    (228, 220, 205),
    (243, 236, 223),
)
_MARGIN = 16
_WIDTHS = (18, 78, 26, 26, 30)
"""Millimetres of the table's columns; together the page without its margins."""


def draw(found: MonthStatement, provider: str, at: datetime) -> bytes:
    """The PDF, as things were `at` (programme time)."""
    page = _blank(found, at)
    _head(page, found, provider, at)
    _sums(page, found)
    _lines(page, found)
    return bytes(page.output())


def _blank(found: MonthStatement, at: datetime) -> "FPDF":
    # with its font tools it takes most of a second to import, which only who prints should wait for
    from fpdf import FPDF

    class Paper(FPDF):
        """Every page says which one of how many it is."""

        def footer(self) -> None:
            self.set_y(-14)
            self.set_font("Roboto", "", 8)
            self.set_text_color(*_SOFT)
            self.cell(0, 5, f"{_title(found)}, {self.page_no()}/{{nb}}", align="R")

    page = Paper("portrait", "mm", "A4")
    page.set_creation_date(at)
    page.set_lang(language())
    page.set_title(_title(found))
    page.set_author("Bekal")
    page.set_margin(_MARGIN)
    page.set_auto_page_break(True, 18)
    for style, name in (("", "Regular"), ("B", "Bold")):
        page.add_font("Roboto", style, _FONTS / f"Roboto-{name}.ttf")
    page.add_page()
    return page


def _title(found: MonthStatement) -> str:
    return _("Laporan %(month)s", month=month(found.month))


def _head(page: "FPDF", found: MonthStatement, provider: str, at: datetime) -> None:
    page.set_font("Roboto", "", 11)
    name, is_whole = paper.printable(page, provider)
    rows = [("bekal", "B", 20, _GREEN), (_title(found), "B", 16, _INK), (name, "", 11, _INK)]
    if not found.is_closed:
        rows.append((_("Sampai %(day)s; bulan ini belum berakhir.", day=long_date(at, WIB)), "", 9, _SOFT))
    if not (is_whole and all(paper.printable(page, _what(line))[1] for line in found.lines)):
        words = _("Sebagian huruf nama tidak bisa dicetak di sini; selengkapnya ada di halaman laporan ini.")
        rows.append((words, "", 9, _SOFT))
    for text, style, size, colour in rows:
        page.set_text_color(*colour)
        paper.write(page, text, [size], style=style)
    page.ln(4)


def _sums(page: "FPDF", found: MonthStatement) -> None:
    rows = [
        (_("Saldo awal"), found.opening),
        (_("Hak baru"), found.earned),
        (_("Dibayarkan"), -found.paid),
        (_("Saldo akhir"), found.closing),
    ]
    for number, (label, amount) in enumerate(rows, 1):
        page.set_font("Roboto", "B" if number == len(rows) else "", 10)
        page.set_text_color(*_INK)
        page.cell(60, 6, label)
        page.cell(40, 6, rupiah(amount), align="R", new_x="LMARGIN", new_y="NEXT")
    page.ln(5)


def _lines(page: "FPDF", found: MonthStatement) -> None:
    from fpdf.fonts import FontFace

    page.set_font("Roboto", "", 8.5)
    page.set_draw_color(*_RULE)
    head = [_("Tanggal"), _("Uraian"), _("Kotor"), _("Jumlah"), _("Saldo")]
    with page.table(
        col_widths=_WIDTHS,
        text_align=("LEFT", "LEFT", "RIGHT", "RIGHT", "RIGHT"),
        borders_layout="HORIZONTAL_LINES",
        headings_style=FontFace(emphasis="BOLD", color=_SOFT, fill_color=_PAPER),
        line_height=4.6,
        padding=0.8,
    ) as table:
        for cells in (head, *map(_cells, found.lines)):
            row = table.row()
            for cell in cells:
                row.cell(paper.printable(page, cell)[0])


def _cells(line: Line) -> Sequence[str]:
    gross: Any = rupiah(line.earning.gross) if line.earning else ""
    return [short_date(line.at, WIB), _what(line), gross, rupiah(line.amount), rupiah(line.balance)]


def _what(line: Line) -> str:
    if line.enrolment is not None:
        return f"{line.enrolment.participant.full_name}\n{title_of(line)}"
    return f"{kind_words(line.kind)}\n{line.payout.label}" if line.payout else kind_words(line.kind)
