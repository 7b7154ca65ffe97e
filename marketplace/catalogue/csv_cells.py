"""One cell of a catalogue file: text, choices and figures, each read or refused with a reason.

Decisions, where more than one reading is possible:

* Money is never guessed. Accepted are `3500000` and Indonesian grouping (`3.500.000`, `Rp3.500.000`).
  English grouping, other currencies, sen, exponents and NaN are refused, each in its own words.
* Names (title, provider, category) with HTML tags are refused: an honest title has none. A
  description is reduced to plain text, scripts and styles together with their content.
* Text is NFC, without soft hyphens and zero-width spaces, runs of blanks joined. HTML entities that a
  website left behind (`&amp;`) become their characters. Everything is plain text: escape it on output.
* Marks that turn the writing direction are refused in names, where they can disguise one provider as
  another, and dropped from descriptions. Right-to-left letters themselves are welcome.
* Text that a spreadsheet would take for a formula is kept as it is (exports neutralise it) and noticed.
"""

import html
import re
import unicodedata
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal

import nh3

MODES = ("online", "in_person", "hybrid")
LEVELS = ("beginner", "intermediate", "advanced")
MAX_HOURS = 2000
MAX_RATING_COUNT = 100_000_000
MAX_SHOWN = 60  # characters of a refused value that a report repeats

_TAG = re.compile(r"<[A-Za-z/!?][^>]*>")
_BREAK = re.compile(r"<(?:br|/p|/div|/li|/h[1-6]|/tr)\b[^>]*>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._/-]{0,63}")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_PLAIN_PRICE = re.compile(r"0|[1-9][0-9]{0,17}")
_GROUPED_PRICE = re.compile(r"[1-9][0-9]{0,2}(?:\.[0-9]{3}){1,5}")
_ENGLISH_PRICE = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?")
_FRACTION = re.compile(r"[0-9.]*[0-9][.,][0-9]+")
_WHOLE = re.compile(r"[0-9]{1,9}")
_RATING = re.compile(r"[0-9](?:\.[0-9]{1,2})?")

Parser = Callable[[str], str]


class CellError(Exception):
    """Why a cell is refused: a stable code, and a reason in Indonesian."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def check_characters(text: str) -> None:
    """Refuse what no column may hold: broken encoding and control characters."""
    if _SURROGATE.search(text):
        raise CellError("not_utf8", "bukan UTF-8; simpan ulang berkas sebagai “CSV UTF-8”, lalu impor lagi")
    if "\ufffd" in text:
        raise CellError(
            "damaged_text", "ada huruf yang rusak (�) karena salah konversi; perbaiki di sumbernya"
        )
    if found := _CONTROL.search(text):
        raise CellError(
            "control_character", f"ada karakter kendali U+{ord(found[0]):04X}; hapus dari sel ini"
        )


def identifier(text: str) -> str:
    """A provider's own name for a course: stable between imports."""
    if not text:
        raise CellError("required", "wajib diisi")
    if not _IDENTIFIER.fullmatch(text):
        raise CellError("identifier", "hanya huruf, angka dan : . _ / - tanpa spasi, paling panjang 64")
    return text


def name(maximum: int, *, required: bool = True) -> Parser:
    """A reader of one-line text of at most `maximum` characters."""

    def read(text: str) -> str:
        if DIRECTION.search(text):
            raise CellError("direction_mark", "ada tanda pembalik arah tulisan yang tidak terlihat; hapus")
        line = " ".join(_decoded(text).split())
        if _TAG.search(line):
            raise CellError("html", "berisi tag HTML; tulis sebagai teks biasa")
        _check_length(line, maximum)
        if required and not line:
            raise CellError("required", "wajib diisi")
        if line and not any(character.isalnum() for character in line):
            raise CellError("no_letters", "tidak berisi huruf atau angka")
        return line

    return read


def description(maximum: int) -> Parser:
    """A reader of free text: tags dropped, paragraphs kept, at most `maximum` characters."""

    def read(text: str) -> str:
        plain = (
            _without_tags(DIRECTION.sub("", text)) if has_html(text) else _decoded(DIRECTION.sub("", text))
        )
        lines = [" ".join(line.split()) for line in plain.splitlines()]
        joined = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
        _check_length(joined, maximum)
        return joined

    return read


def choice(options: tuple[str, ...]) -> Callable[[str], str | None]:
    """A reader of one of a few words; blank is None."""

    def read(text: str) -> str | None:
        if text and text not in options:
            raise CellError("choice", f"harus salah satu dari {', '.join(options)}, atau kosong")
        return text or None

    return read


def language(text: str) -> str:
    """An ISO 639 code in small letters; blank means Indonesian."""
    if text and not _LANGUAGE.fullmatch(text):
        raise CellError("language", "harus kode bahasa ISO 639, misalnya id atau en")
    return text or "id"


def price(ceiling: Decimal) -> Callable[[str], Decimal]:
    """A reader of whole rupiah from 0 to `ceiling`."""

    def read(text: str) -> Decimal:
        amount = Decimal(_price_digits(text))
        if amount > ceiling:
            raise CellError("price_too_high", f"{rupiah(amount)} melebihi batas {rupiah(ceiling)}")
        return amount

    return read


def hours(text: str) -> int | None:
    """Whole hours, 0 to 2.000; blank is None (not stated)."""
    if not text:
        return None
    if not _WHOLE.fullmatch(text):
        raise CellError("hours", "harus jumlah jam bulat, misalnya 24")
    if int(text) > MAX_HOURS:
        raise CellError("hours_too_many", "melebihi 2.000 jam; periksa satuannya (jam, bukan menit)")
    return int(text)


def rating(text: str) -> Decimal | None:
    """0 to 5, rounded half up to one decimal; blank and 0 mean not yet rated."""
    if not text:
        return None
    if not _RATING.fullmatch(text):
        raise CellError("rating", "harus angka dari 0 sampai 5 dengan titik desimal, misalnya 4.6")
    value = Decimal(text)
    if value > 5:
        raise CellError("rating", "lebih dari 5; skala penilaian adalah 1 sampai 5")
    return value.quantize(Decimal("0.1"), ROUND_HALF_UP) or None


def rating_count(text: str) -> int:
    """How many people rated; blank is 0."""
    if text and not _WHOLE.fullmatch(text):
        raise CellError("rating_count", "harus bilangan bulat tanpa pemisah, misalnya 128")
    if int(text or 0) > MAX_RATING_COUNT:
        raise CellError("rating_count", "tidak masuk akal: lebih dari 100 juta penilai")
    return int(text or 0)


def has_html(text: str) -> bool:
    """Does the text hold anything that looks like a tag?"""
    return bool(_TAG.search(text))


def looks_like_formula(text: str) -> bool:
    """Would a spreadsheet calculate this cell instead of showing it?"""
    return text.startswith(("=", "+", "-", "@"))


def rupiah(amount: Decimal) -> str:
    """`Rp3.500.000`."""
    return f"Rp{amount:,.0f}".replace(",", ".")


def shown(text: str) -> str:
    """A value as a report may print it: short, on one line, nothing invisible or undecodable."""
    short = text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"
    return "".join(character if character.isprintable() else _escaped(character) for character in short)


def _price_digits(text: str) -> str:
    """The digits of a price written in an accepted way. Raises CellError naming what is wrong."""
    bare = re.sub(r"^Rp\.? ?", "", text)
    if _PLAIN_PRICE.fullmatch(bare):
        return bare
    if _GROUPED_PRICE.fullmatch(bare):
        return bare.replace(".", "")
    raise _price_error(bare)


def _price_error(text: str) -> CellError:
    example = "tulis rupiah bulat, misalnya 3500000 atau 3.500.000"
    if not text:
        return CellError("required", f"harga wajib diisi (0 bila gratis); {example}")
    if text.startswith(("-", "\u2212", "(")):
        return CellError("price_negative", f"harga tidak boleh di bawah nol; {example}")
    if any(unicodedata.category(character) == "Sc" for character in text) or re.match(
        "(USD|IDR) ?[0-9]", text
    ):
        return CellError("price_currency", f"memakai lambang mata uang lain; {example}")
    if _ENGLISH_PRICE.fullmatch(text):
        return CellError("price_format", f"memakai pemisah ribuan gaya Inggris; {example}")
    if _FRACTION.fullmatch(text):
        return CellError("price_has_sen", f"memuat sen; {example}")
    return CellError("price_not_a_number", f"bukan bilangan rupiah; {example}")


def _check_length(text: str, maximum: int) -> None:
    if len(text) > maximum:
        raise CellError("too_long", f"{len(text)} karakter; paling panjang {maximum}")


def _decoded(text: str) -> str:
    """Plain text with entities resolved, in one normal form. Entities may hide what is not allowed."""
    resolved = _ENTITY.sub(lambda match: html.unescape(match[0]), text)
    check_characters(resolved)
    return unicodedata.normalize("NFC", _INVISIBLE.sub("", resolved))


def _without_tags(markup: str) -> str:
    """The text that a browser would show."""
    return _decoded(nh3.clean(_BREAK.sub("\n", markup), tags=set(), clean_content_tags={"script", "style"}))


def _escaped(character: str) -> str:
    """`\\xe9` for a byte that was not UTF-8, `\\u202e` for an invisible mark."""
    if "\udc80" <= character <= "\udcff":
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")
