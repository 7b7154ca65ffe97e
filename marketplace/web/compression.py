"""Pages travel compressed, for phones that pay by the megabyte."""

import gzip
from dataclasses import dataclass

from flask import Flask, Response, request

_LEAST = 1_000
_KINDS = frozenset({"text/html", "text/csv", "application/json"})
_TOKEN = b'name="csrf_token"'


@dataclass(frozen=True, slots=True)
class Packed:
    """A page without a token that is sent many times and compressed once."""

    plain: bytes
    small: bytes


def pack(page: str) -> Packed:
    """Compress a page for everybody who asks for it."""
    plain = page.encode()
    return Packed(plain, gzip.compress(plain, compresslevel=6))


def send(page: Packed) -> Response:
    """The page as this reader can read it."""
    is_small = bool(request.accept_encodings["gzip"])
    response = Response(page.small if is_small else page.plain, mimetype="text/html")
    response.vary.add("Accept-Encoding")
    if is_small:
        response.content_encoding = "gzip"
    return response


def install(app: Flask) -> None:
    """Compress what readers can read compressed."""
    app.after_request(_compress)


def _compress(response: Response) -> Response:
    """A page with a form's token stays as it is: its length and the address together could tell of it."""
    if response.mimetype not in _KINDS or response.is_streamed or response.content_encoding:
        return response
    response.vary.add("Accept-Encoding")
    content = response.get_data()
    if len(content) < _LEAST or _TOKEN in content or not request.accept_encodings["gzip"]:
        return response
    response.set_data(gzip.compress(content, compresslevel=6))
    response.content_encoding = "gzip"
    return response
