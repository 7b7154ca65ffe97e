"""What is kept of an uploaded document, and what is refused."""

import struct
import zlib

import pytest

from marketplace.providers import documents
from marketplace.providers.errors import DocumentInvalid

SECRET = b"GPS -7.79 110.36"


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(*more: bytes, width: int = 2, height: int = 2) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\0\1\2" * 2))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(more) + pixels + chunk(b"IEND", b"")


def segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def jpeg(*more: bytes, width: int = 2, height: int = 2) -> bytes:
    frame = segment(0xC0, struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0")
    scan = segment(0xDA, b"\1\1\0\0\x3f\0") + b"\x12\xff\x00\x34\xff\xd0\x56"
    jfif = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")
    return b"\xff\xd8" + jfif + b"".join(more) + segment(0xDB, bytes(65)) + frame + scan + b"\xff\xd9"


def pdf(body: bytes = b"1 0 obj<</Type/Catalog>>endobj") -> bytes:
    return b"%PDF-1.7\n" + body + b"\ntrailer<<>>\n%%EOF\n"


def test_pictures_lose_what_is_not_the_picture() -> None:
    for plain, told in (
        (png(), png(chunk(b"tEXt", SECRET), chunk(b"eXIf", SECRET)) + b"PK\x03\x04" + SECRET),
        (jpeg(), jpeg(segment(0xE1, b"Exif\0\0" + SECRET), segment(0xFE, SECRET)) + b"<script>" + SECRET),
    ):
        assert SECRET in told  # the control: it was there
        kept = documents.clean(told)
        assert kept.content == plain == documents.clean(plain).content


def test_a_pdf_stays_as_it_is() -> None:
    assert documents.clean(pdf()) == documents.Document("application/pdf", pdf())
    picture = pdf(
        b"2 0 obj<</Length 9>>stream\n/JS /XFA \nendstream endobj"
    )  # bytes of a picture say nothing
    assert documents.clean(picture).content == picture


def packed(objects: bytes) -> bytes:
    return (
        b"3 0 obj<</Type/ObjStm/Filter/FlateDecode>>stream\r\n" + zlib.compress(objects) + b"endstream endobj"
    )


FAULTS: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "empty"),
    "HTML": (b"<html><script>1</script>", "kind"),
    "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg" onload="x()"/>', "kind"),
    "a program": (b"MZ" + bytes(100), "kind"),
    "too many bytes": (pdf(b" " * documents.MOST_BYTES), "too_large"),
    "a huge picture": (png(width=60_000, height=60_000), "too_large"),
    "a huge photograph": (jpeg(width=60_000, height=60_000), "too_large"),
    "a cut picture": (png()[:-20], "damaged"),
    "an altered picture": (png().replace(b"\x08\x00\x00", b"\x10\x00\x00", 1), "damaged"),
    "a cut photograph": (jpeg()[:-2], "damaged"),
    "half a photograph": (jpeg()[:40], "damaged"),
    "only a beginning": (b"\xff\xd8\xff", "damaged"),
    "no pixels": (b"\x89PNG\r\n\x1a\n" + chunk(b"IEND", b""), "damaged"),
    "no end": (b"%PDF-1.7\n1 0 obj", "damaged"),
    "a script": (pdf(b"1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert)>>>>endobj"), "active"),
    "a script spelled otherwise": (pdf(b"1 0 obj<</S/J#61vaScript>>endobj"), "active"),
    "a script in a stream of objects": (pdf(packed(b"1 0 <</S/JavaScript>>")), "active"),
    "a stream that grows": (pdf(packed(bytes(6_000_000))), "too_large"),
    "a stream that is none": (pdf(b"3 0 obj<</Type/ObjStm>>stream\nabcendstream"), "active"),
    "an attachment": (pdf(b"1 0 obj<</Type/EmbeddedFile>>endobj"), "active"),
    "a password": (pdf(b"trailer<</Encrypt 5 0 R>>"), "active"),
}


@pytest.mark.parametrize("label", FAULTS)
def test_what_is_something_else_or_does_something_is_refused(label: str) -> None:
    content, fault = FAULTS[label]
    with pytest.raises(DocumentInvalid) as refusal:
        documents.clean(content)
    assert refusal.value.details["fault"] == fault


def test_objects_packed_as_usual_are_let_through() -> None:
    """Negative control of the refusals inside streams."""
    assert documents.clean(pdf(packed(b"1 0 <</Type/Page>>"))).media_type == "application/pdf"
