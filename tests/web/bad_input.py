"""What strangers and broken programs send. Values are bytes: not all of them are text."""

from urllib.parse import quote_from_bytes

ALERT = "<script>alert(1)</script>"

NASTY: dict[str, bytes] = {
    "nothing": b"",
    "spaces": b"   ",
    "NUL": b"a\x00b",
    "control characters": b"\x01\x07\x1b[31m",
    "line breaks": b"a\r\nSet-Cookie: x=1",
    "lone surrogate": b"\xed\xa0\x80",
    "not UTF-8": b"\xff\xfe\xfa",
    "right to left": "\u202egnp.exe \u0627\u0644\u0639\u0631\u0628\u064a\u0629".encode(),
    "no width": "a\u200b\ufeffb".encode(),
    "emoji": "👩🏽\u200d🎓".encode(),
    "HTML": ALERT.encode(),
    "attribute": b'" autofocus onfocus="alert(1)',
    "SQL": b'\'; DROP TABLE "user"; --',
    "search operators": b"a & | ! :* <-> (",
    "templates": b"{{7*7}} %(x)s %s ${7} {0}",
    "formula": b"=1+1",
    "path": b"../../etc/passwd",
    "minus": b"-1",
    "zero": b"0",
    "sen": b"3.500.000,50",
    "not a number": b"NaN",
    "exponent": b"1e400",
    "other digits": "٣٤٥".encode(),
    "power": "²".encode(),
    "many digits": b"9" * 400,
    "huge": b"x" * 100_000,
}


def encode(fields: dict[str, bytes]) -> str:
    """Fields as a browser would send them in an address or a form."""
    return "&".join(f"{name}={quote_from_bytes(value, safe='')}" for name, value in fields.items())
