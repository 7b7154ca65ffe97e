"""A certificate on paper: one A4 page with a code that leads to the page that proves it."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import segno
from flask_babel import gettext as _

from marketplace.enrolments.learning_models import Certificate
from marketplace.web import paper
from marketplace.web.formatting import WIB, date_range, hours, language, long_date

if TYPE_CHECKING:
    from fpdf import FPDF

_FONTS = Path(__file__).parent / "fonts"
_GREEN, _TURMERIC, _INK, _SOFT, _PAPER = (
    (14, 74, 59), (232, 163, 37), (32, 38, 31), (87, 92, 82), (250, 245, 236),
)  # fmt: skip
_WIDTH, _HEIGHT, _MARGIN = 297, 210, 24
_QR_SIDE = 36
_SMALLEST_NAME = 16
"""Points, on one line."""


def draw(certificate: Certificate, address: str) -> bytes:
    """The PDF. `address` is where anybody checks it, and what the code says. Lengths are millimetres."""
    page = _blank(certificate)
    _head(page, certificate)
    _body(page, certificate)
    _foot(page, certificate, address)
    return bytes(page.output())


def _blank(certificate: Certificate) -> "FPDF":
    # with its font tools it takes most of a second to import, which only who prints should wait for
    from fpdf import FPDF

    page = FPDF("landscape", "mm", "A4")
    page.set_creation_date(certificate.issued_at)
    page.set_lang(language())
    page.set_title(f"{_('Sertifikat')} {certificate.number}")
    page.set_author("Bekal")
    page.set_auto_page_break(False)
    page.c_margin = 0  # text stands exactly above the code's edge
    for style, name in (("", "Regular"), ("B", "Bold")):
        page.add_font("Roboto", style, _FONTS / f"Roboto-{name}.ttf")
    page.add_page()
    page.set_margin(_MARGIN)
    return page


def _head(page: "FPDF", certificate: Certificate) -> None:
    page.set_fill_color(*_PAPER)
    page.rect(0, 0, _WIDTH, _HEIGHT, "F")
    page.set_fill_color(*_GREEN)
    page.rect(0, 0, _WIDTH, 30, "F")
    page.set_fill_color(*_TURMERIC)
    page.rect(0, 30, _WIDTH, 1.6, "F")
    _line(page, 9, "bekal", 26, "B", (255, 250, 240))
    page.set_xy(_MARGIN, 12)
    page.set_font("Roboto", "", 12)
    page.cell(_WIDTH - 2 * _MARGIN, 7, certificate.number, align="R")


def _body(page: "FPDF", certificate: Certificate) -> None:
    _line(page, 46, _("Sertifikat"), 18, "B", _GREEN)
    _line(page, 58, _("diberikan kepada"), 12, "", _SOFT)
    _holder(page, certificate.holder_name)
    _line(page, 84, _("yang telah menyelesaikan pelatihan"), 12, "", _SOFT)
    page.set_xy(_MARGIN, 92)
    page.set_text_color(*_INK)
    page.set_font("Roboto", "B", 20)
    title, is_title_whole = paper.printable(page, certificate.course_title)
    paper.write(page, title, range(20, 9, -1), 3, "B", 0.45)
    page.set_y(page.get_y() + 2)
    provider, is_provider_whole = paper.printable(page, certificate.provider_name)
    paper.write(page, provider, range(14, 7, -1), 2)
    page.set_text_color(*_SOFT)
    if not (is_title_whole and is_provider_whole):
        elsewhere = _("Nama lengkap kursus dan lembaga ada di halaman publik sertifikat ini.")
        paper.write(page, elsewhere, [10])
    page.set_y(page.get_y() + 3)
    paper.write(page, ", ".join(_facts(certificate)), [12])


def _holder(page: "FPDF", name: str) -> None:
    """The name on one line, or a very long one on two; where letters are missing, where it can be read."""
    page.set_xy(_MARGIN, 66)
    page.set_text_color(*_INK)
    page.set_font("Roboto", "B", _SMALLEST_NAME)
    printed, is_whole = paper.printable(page, name)
    if page.get_string_width(printed) <= page.epw:
        paper.write(page, printed, range(34 if is_whole else 22, _SMALLEST_NAME - 1, -1), 1, "B")
    else:
        paper.write(page, printed, range(_SMALLEST_NAME if is_whole else 12, 7, -1), 2, "B")
    if not is_whole:
        page.set_text_color(*_SOFT)
        elsewhere = _(
            "Sebagian huruf nama ini tidak bisa dicetak di sini. "
            "Nama lengkapnya ada di halaman publik sertifikat ini."
        )
        paper.write(page, elsewhere, [11])


def _foot(page: "FPDF", certificate: Certificate, address: str) -> None:
    top, left = _HEIGHT - _MARGIN - _QR_SIDE, _MARGIN + _QR_SIDE + 8
    page.set_fill_color(255, 255, 255)
    page.rect(_MARGIN, top, _QR_SIDE, _QR_SIDE, "F")
    page.set_fill_color(0, 0, 0)
    for x, y, length, side in _dark_runs(address):
        page.rect(_MARGIN + x, top + y, length, side, "F")
    rows = (
        (_("Terbit %(day)s", day=long_date(certificate.issued_at, WIB)), "B", _INK),
        (_("Periksa keasliannya: pindai kode ini, atau buka"), "", _SOFT),
        (address, "", _INK),
        (_("Halaman itu mengatakan apakah sertifikat ini masih berlaku."), "", _SOFT),
    )
    for number, (text, style, colour) in enumerate(rows):
        page.set_xy(left, top + 4 + 7 * number)
        page.set_font("Roboto", style, 11)
        page.set_text_color(*colour)
        page.cell(0, 7, text, link=address if text == address else "")


def _facts(certificate: Certificate) -> list[str]:
    length = [hours(certificate.hours)] if certificate.hours else []
    days = date_range(certificate.starts_on, certificate.ends_on)
    return [*length, days, _("hadir %(percent)s%%", percent=certificate.percent)]


def _line(page: "FPDF", y: float, text: str, size: int, style: str, colour: tuple[int, int, int]) -> None:
    page.set_xy(_MARGIN, y)
    page.set_font("Roboto", style, size)
    page.set_text_color(*colour)
    page.cell(_WIDTH - 2 * _MARGIN, size * 0.5, text)


def _dark_runs(address: str) -> Iterator[tuple[float, float, float, float]]:
    """The code's dark modules, neighbours of a row together: x, y, length, side; four modules stay white."""
    rows = segno.make(address, error="m", micro=False).matrix
    side = _QR_SIDE / (len(rows) + 8)
    for y, row in enumerate(rows, start=4):
        x = 0
        while x < len(row):
            start = x
            while x < len(row) and row[x]:
                x += 1
            if x > start:
                yield (start + 4) * side, y * side, (x - start) * side, side
            x += 1
