"""Uploaded documents: what may be kept of them, and in which form.

Pictures are written anew from the parts that make the picture, so that places, cameras, comments and
whatever hangs behind them are gone; nothing decodes them here. A PDF stays as it is or is refused: with
scripts, attachments, forms of its own or a password it cannot be told what it does.
"""

import re
import struct
import zlib
from dataclasses import dataclass

from marketplace.providers.errors import DocumentInvalid

MOST_BYTES = 2_000_000
_LARGEST_SIDE, _MOST_PIXELS = 12_000, 50_000_000

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_JPEG = b"\xff\xd8\xff"
_FRAMES = frozenset({0xC0, 0xC1, 0xC2})
_SCAN, _END, _ADOBE, _JFIF = 0xDA, 0xD9, 0xEE, 0xE0
_JPEG_KEPT = _FRAMES | {0xC4, 0xDB, 0xDD, _SCAN}
_PDF = re.compile(rb"%PDF-[12]\.[0-9]")
_STREAM = re.compile(rb"(<<(?:(?!<<|stream).){0,4000}?>>)\s*stream\r?\n(.*?)endstream", re.DOTALL)
_ACTIVE = re.compile(
    rb"/(?:JavaScript|JS|Launch|EmbeddedFiles?|RichMedia|XFA|Encrypt|SubmitForm|ImportData)(?![A-Za-z0-9])"
)
_MOST_INFLATED = 5_000_000


@dataclass(frozen=True, slots=True)
class Document:
    """A document as it is kept."""

    media_type: str
    content: bytes


def clean(content: bytes) -> Document:
    """What is kept of an upload. Raises DocumentInvalid; `details["fault"]` says why."""
    if not content:
        raise DocumentInvalid("nothing was sent", fault="empty")
    if len(content) > MOST_BYTES:
        raise DocumentInvalid("too large", fault="too_large")
    try:
        if content.startswith(_PNG):
            return Document("image/png", _clean_png(content))
        if content.startswith(_JPEG):
            return Document("image/jpeg", _clean_jpeg(content))
    except (struct.error, IndexError) as error:
        raise DocumentInvalid("cut off", fault="damaged") from error
    if _PDF.match(content):
        return Document("application/pdf", _check_pdf(content))
    raise DocumentInvalid("another kind of file", fault="kind")


def _clean_png(content: bytes) -> bytes:
    kept, at = [_PNG], len(_PNG)
    kinds: list[bytes] = []
    while True:
        (length,) = struct.unpack_from(">I", content, at)
        kind, data = content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        (checksum,) = struct.unpack_from(">I", content, at + 8 + length)
        if zlib.crc32(kind + data) != checksum:
            raise DocumentInvalid("a checksum is wrong", fault="damaged")
        if not kinds:
            _check_png_header(kind, data)
        kinds.append(kind)
        if kind in _PNG_KEPT:
            kept.append(content[at : at + 12 + length])
        at += 12 + length
        if kind == b"IEND":
            break
    if b"IDAT" not in kinds:
        raise DocumentInvalid("no picture in it", fault="damaged")
    return b"".join(kept)


def _check_png_header(kind: bytes, data: bytes) -> None:
    if kind != b"IHDR" or len(data) != 13:
        raise DocumentInvalid("no header", fault="damaged")
    width, height = struct.unpack_from(">II", data)
    _check_size(width, height)


def _clean_jpeg(content: bytes) -> bytes:
    kept, at = [content[:2]], 2
    seen: set[int] = set()
    while True:
        while content[at + 1] == 0xFF:  # any number of them may stand before a marker
            at += 1
        if content[at] != 0xFF:
            raise DocumentInvalid("no marker where one should be", fault="damaged")
        marker = content[at + 1]
        if marker == _END:
            break
        (length,) = struct.unpack_from(">H", content, at + 2)
        data = content[at + 4 : at + 2 + length]
        if length < 2 or len(data) != length - 2:
            raise DocumentInvalid("a part is cut off", fault="damaged")
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", data, 1)
            _check_size(width, height)
        seen.add(marker)
        kept.append(_kept_segment(marker, data))
        at += 2 + length
        if marker == _SCAN:
            end = _end_of_scan(content, at)
            kept.append(content[at:end])
            at = end
    if _SCAN not in seen or not seen & _FRAMES:
        raise DocumentInvalid("no picture in it", fault="damaged")
    return b"".join(kept) + b"\xff\xd9"


def _kept_segment(marker: int, data: bytes) -> bytes:
    """The segment, or nothing: of those of applications only how colours are to be understood."""
    if marker == _JFIF and data.startswith(b"JFIF\0") and len(data) >= 14:
        data = data[:12] + b"\0\0"  # without its thumbnail
    elif marker not in _JPEG_KEPT and not (
        marker == _ADOBE and data.startswith(b"Adobe") and len(data) == 12
    ):
        return b""
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def _end_of_scan(content: bytes, at: int) -> int:
    """Where the next marker stands: in a scan FF is followed by 00 or by a restart."""
    while True:
        at = content.index(b"\xff", at) if b"\xff" in content[at : at + 1_000_000] else len(content)
        following = content[at + 1]
        if following != 0 and not 0xD0 <= following <= 0xD7:
            return at
        at += 2


def _check_size(width: int, height: int) -> None:
    if not (0 < width <= _LARGEST_SIDE and 0 < height <= _LARGEST_SIDE and width * height <= _MOST_PIXELS):
        raise DocumentInvalid("a picture of that size", fault="too_large")


def _check_pdf(content: bytes) -> bytes:
    if b"%%EOF" not in content[-2048:]:
        raise DocumentInvalid("no end", fault="damaged")
    if _ACTIVE.search(_spelled_out(_STREAM.sub(rb"\1", content))):
        raise DocumentInvalid("it does something", fault="active")
    inflated = 0
    for found in _STREAM.finditer(content):
        if b"/ObjStm" in _spelled_out(found[1]):
            objects = _inflate(found[2], _MOST_INFLATED - inflated)
            inflated += len(objects)
            if _ACTIVE.search(_spelled_out(objects)):
                raise DocumentInvalid("it does something", fault="active")
    return content


def _inflate(data: bytes, most: int) -> bytes:
    """The objects in a stream. What is packed in another way, or is too much, cannot be looked through."""
    unpacking = zlib.decompressobj()
    try:
        objects = unpacking.decompress(data, max(1, most))
    except zlib.error as error:
        raise DocumentInvalid("it cannot be looked through", fault="active") from error
    if unpacking.unconsumed_tail:
        raise DocumentInvalid("it grows too much", fault="too_large")
    return objects


def _spelled_out(text: bytes) -> bytes:
    """Names with their letters: `/J#61vaScript` is `/JavaScript`."""
    return re.sub(rb"#([0-9A-Fa-f]{2})", lambda found: bytes([int(found[1], 16)]), text)
