"""The public log as C2SP tlog-tiles: any monitor or witness that knows the format can follow it."""

from collections.abc import Callable

from flask import Blueprint, Response, abort, current_app

from ledger import LedgerError, find_seal, get_entries, get_tile, published_note, read_tile_name
from marketplace import db
from marketplace.oversight.log import signer

pages = Blueprint("log", __name__, url_prefix="/log")

_FOR_EVER = "public, max-age=31536000, immutable"
_FOR_SECONDS = "public, max-age=3"


@pages.get("/checkpoint")
def checkpoint() -> Response:
    """The newest signed checkpoint, with what witnesses signed."""
    current = db.session()
    newest = find_seal(current)
    if newest is None:
        abort(404)
    return _text(published_note(current, newest))


@pages.get("/key")
def key() -> Response:
    """The verifier key of this log: name, id, public key."""
    return _text(f"{signer(current_app.extensions['settings']).key}\n")


@pages.get("/tile/<any('0', '1', '2', '3', '4', '5', '6', '7'):level>/<path:name>")
def tile(level: str, name: str) -> Response:
    """256 hashes of the tree, or as many as there are; they never change."""
    number, width, size = _asked(name)
    return _bytes(lambda: get_tile(db.session(), size, int(level), number, width))


@pages.get("/tile/entries/<path:name>")
def entries(name: str) -> Response:
    """256 entries of the log, or as many as there are: commitments, which reveal nothing."""
    number, width, size = _asked(name)
    return _bytes(lambda: get_entries(db.session(), size, number, width))


def _asked(name: str) -> tuple[int, int, int]:
    """Number and width of a tile by its name, and the size of the tree that it must lie in."""
    found, newest = read_tile_name(name), find_seal(db.session())
    if found is None or newest is None:
        abort(404)
    return *found, newest.size


def _text(text: str) -> Response:
    return Response(text, content_type="text/plain; charset=utf-8", headers={"Cache-Control": _FOR_SECONDS})


def _bytes(read: Callable[[], bytes]) -> Response:
    try:
        content = read()
    except LedgerError:
        abort(404)
    return Response(content, mimetype="application/octet-stream", headers={"Cache-Control": _FOR_EVER})
