"""Pages travel compressed, for phones that pay by the megabyte."""

import gzip

from flask import Flask, Response, request

_LEAST = 1_000
_KINDS = frozenset({"text/html", "text/csv", "application/json"})
_TOKEN = b'name="csrf_token"'


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
