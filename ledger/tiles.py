"""The log as files that never change: C2SP tlog-tiles.

A tile is 256 neighbouring hashes of the tree at height 0, 8, 16 ...; a bundle is the 256 entries under a tile
of height 0. The last of each level is partial until the tree has filled it. Any monitor or witness that knows
the format can follow the log from these and the checkpoint.
"""

import re
from functools import lru_cache

from sqlalchemy import text
from sqlalchemy.orm import Session

from ledger import merkle
from ledger.errors import NotSealed

WIDTH = 256
_HEIGHT = 8
_HASH_BYTES = 32
_MAX_LEVEL = 7
_NAME = re.compile(r"((?:x\d{3}/){0,5}\d{3})(?:\.p/([1-9]\d{0,2}))?")
_FULL = "SELECT hashes FROM ledger.tile WHERE level = :level AND number = :number"
_PARTIAL = "SELECT hash FROM ledger.tree_hashes(:level, :first, :last) ORDER BY number"
_ENTRIES = """
SELECT t.commitment FROM ledger.leaf l JOIN ledger.transaction t ON t.id = l.transaction_id
WHERE l.number >= :first AND l.number < :last ORDER BY l.number
"""


def get_tile(session: Session, size: int, level: int, number: int, width: int = WIDTH) -> bytes:
    """Return the hashes of one tile of the tree of ``size`` leaves, 32 bytes each.

    Raises NotSealed where that tree has no such tile.
    """
    _require(size, level, number, width)
    if width == WIDTH:
        stored: bytes | None = session.scalar(text(_FULL), {"level": level, "number": number})
        if stored is None:
            raise NotSealed("this tile is not stored", tile_path(level, number))
        return bytes(stored)
    first = number * WIDTH
    hashes = session.scalars(text(_PARTIAL), {"level": level, "first": first, "last": first + width})
    return b"".join(map(bytes, hashes))


def get_entries(session: Session, size: int, number: int, width: int = WIDTH) -> bytes:
    """Return a bundle: each entry (a commitment of 32 bytes) behind its length in two bytes.

    Raises NotSealed where the tree of ``size`` leaves has no such bundle.
    """
    _require(size, 0, number, width)
    first = number * WIDTH
    entries = session.scalars(text(_ENTRIES), {"first": first, "last": first + width})
    return b"".join(len(entry).to_bytes(2, "big") + bytes(entry) for entry in entries)


def tile_path(level: int | str, number: int, width: int = WIDTH) -> str:
    """Write where a tile is: ``tile/0/x001/234``; a partial one ends in ``.p/7``."""
    groups = [f"{number % 1000:03d}"]
    while number := number // 1000:
        groups.insert(0, f"x{number % 1000:03d}")
    return f"tile/{level}/" + "/".join(groups) + ("" if width == WIDTH else f".p/{width}")


def read_tile_name(name: str) -> tuple[int, int] | None:
    """Read number and width out of ``x001/234.p/7``; None where it is not written like that."""
    match = _NAME.fullmatch(name)
    if match is None or not name.isascii():
        return None
    number, width = int(match[1].replace("x", "").replace("/", "")), int(match[2] or WIDTH)
    # each tile has one name, so that a cache holds it once
    is_proper = tile_path(0, number, width) == f"tile/0/{name}" and (match[2] is None or width < WIDTH)
    return (number, width) if is_proper else None


class StoredTree:
    """The tree of a size, read from tiles: where proofs take their hashes from."""

    def __init__(self, session: Session, size: int) -> None:
        self._session = session
        self._size = size
        self._hashes = lru_cache(maxsize=256)(self._load)

    def read(self, node: merkle.Subtree) -> bytes:
        """Return the hash of a perfect subtree."""
        height, number = node
        level, spans = divmod(height, _HEIGHT)
        first = number << spans
        hashes = self._hashes(level, first // WIDTH)
        start = first % WIDTH
        return merkle.hash_of(hashes[start : start + (1 << spans)])

    def _load(self, level: int, number: int) -> list[bytes]:
        width = min(WIDTH, (self._size >> (_HEIGHT * level)) - number * WIDTH)
        tile = get_tile(self._session, self._size, level, number, width)
        return [tile[at : at + _HASH_BYTES] for at in range(0, len(tile), _HASH_BYTES)]


def _require(size: int, level: int, number: int, width: int) -> None:
    is_proper = 0 <= level <= _MAX_LEVEL and number >= 0 and 1 <= width <= WIDTH
    if not is_proper or number * WIDTH + width > size >> (_HEIGHT * level):
        raise NotSealed("the tree has no such tile", tile_path(level, max(number, 0), width))
