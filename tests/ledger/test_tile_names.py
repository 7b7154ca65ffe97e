"""Where a tile is and what is in it, by the examples of C2SP tlog-tiles; no database is asked."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

from ledger import NotSealed, merkle
from ledger.tiles import StoredTree, get_entries, get_tile, read_tile_name, tile_path
from ledger.verify_receipt import leaf_hash

NAMES = {
    (0, 256): "000",
    (7, 256): "007",
    (999, 1): "999.p/1",
    (1_000, 256): "x001/000",
    # the example of the specification
    (1_234_067, 256): "x001/x234/067",
    (1_234_067, 255): "x001/x234/067.p/255",
    (10**18 - 1, 256): "x999/x999/x999/x999/x999/999",
}


@pytest.mark.parametrize(("tile", "name"), NAMES.items())
def test_a_tile_has_one_name(tile: tuple[int, int], name: str) -> None:
    number, width = tile
    assert tile_path(3, number, width) == f"tile/3/{name}"
    assert read_tile_name(name) == (number, width)


@pytest.mark.parametrize(
    "name",
    [
        "", "0", "00", "0000", "1000", "x001", "x000/001", "x1/000", "001/000", "x001/x000", "000/", "/000",
        "000.p", "000.p/", "000.p/0", "000.p/01", "000.p/256", "000.p/999", "000.p/1000", "000.q/1",
        "000.p/1/", "٠٠٠", "-01", "x999/" * 6 + "999", "000\n",
    ],
)  # fmt: skip
def test_no_tile_has_another_name(name: str) -> None:
    assert read_tile_name(name) is None


class Shelf:
    """Stands where the database would: the tiles of a tree of so many entries, and who asked for which."""

    def __init__(self, size: int) -> None:
        self.leaves = [leaf_hash(number.to_bytes(4, "big")) for number in range(size)]
        self.asked: list[tuple[int, int]] = []

    def _hashes(self, level: int, first: int, last: int) -> list[bytes]:
        span = 256**level
        return [merkle.hash_of(self.leaves[at * span : (at + 1) * span]) for at in range(first, last)]

    def scalar(self, _: object, tile: dict[str, int]) -> bytes | None:
        level, number = tile["level"], tile["number"]
        self.asked.append((level, number))
        if (number + 1) * 256 ** (level + 1) > len(self.leaves):
            return None
        return b"".join(self._hashes(level, number * 256, number * 256 + 256))

    def scalars(self, _: object, part: dict[str, int]) -> list[bytes]:
        if "level" not in part:
            return [number.to_bytes(4, "big") for number in range(part["first"], part["last"])]
        self.asked.append((part["level"], part["first"] // 256))
        return self._hashes(part["level"], part["first"], part["last"])


SIZE = 70_000


@pytest.fixture(scope="module")
def shelf() -> Any:
    return Shelf(SIZE)


# the example of the specification: 273 full tiles and one of 112, one full and one of 17, one of 1
@pytest.mark.parametrize(
    ("level", "number", "width"),
    [(0, 0, 256), (0, 272, 256), (0, 273, 112), (1, 0, 256), (1, 1, 17), (2, 0, 1)],
)
def test_a_tree_of_70000_has_these_tiles(shelf: Any, level: int, number: int, width: int) -> None:
    tile = get_tile(shelf, SIZE, level, number, width)
    assert len(tile) == 32 * width
    first = number * 256
    assert tile == b"".join(shelf._hashes(level, first, first + width))
    if width > 1:
        assert len(get_tile(shelf, SIZE, level, number, width - 1)) == 32 * (width - 1)


@pytest.mark.parametrize(
    ("level", "number", "width"),
    [
        (0, 273, 256), (0, 273, 113), (0, 274, 1), (1, 1, 18), (1, 2, 1), (2, 0, 2), (3, 0, 1), (8, 0, 1),
        (-1, 0, 1), (0, -1, 256), (0, 0, 0), (0, 0, 257), (0, 0, -1),
    ],
)  # fmt: skip
def test_a_tree_of_70000_has_no_other_tiles(shelf: Any, level: int, number: int, width: int) -> None:
    with pytest.raises(NotSealed) as refused:
        get_tile(shelf, SIZE, level, number, width)
    assert refused.value.detail == tile_path(level, max(number, 0), width)
    if level == 0:
        with pytest.raises(NotSealed):
            get_entries(shelf, SIZE, number, width)


def test_the_highest_level_is_seven(shelf: Any) -> None:
    assert get_tile(shelf, 256**8, 7, 0, 1) == shelf._hashes(7, 0, 1)[0]


def test_a_tile_that_is_lost_is_said_to_be(shelf: Any) -> None:
    with pytest.raises(NotSealed) as refused:
        get_tile(shelf, 256 * 400, 0, 300)
    assert (refused.value.message, refused.value.detail) == ("this tile is not stored", "tile/0/300")


def test_entries_stand_behind_their_length(shelf: Any) -> None:
    assert get_entries(shelf, SIZE, 273, 2) == b"\x00\x04\x00\x01\x11\x00\x00\x04\x00\x01\x11\x01"
    assert len(get_entries(shelf, SIZE, 0)) == 256 * 6


@pytest.mark.parametrize("size", [1, 255, 256, 257, 65_537, SIZE])
def test_every_root_and_proof_is_made_of_tiles(shelf: Any, size: int) -> None:
    session: Session = shelf
    shelf.asked.clear()
    tree = StoredTree(session, size)
    assert merkle.root(size, tree.read) == merkle.hash_of(shelf.leaves[:size])
    for index in {0, size - 1}:
        path = merkle.inclusion_path(index, size, tree.read)
        plain = merkle.inclusion_path(index, size, lambda node: _plain(shelf, node))
        assert path == plain
    # each tile is read once, however many hashes of it are needed
    assert len(shelf.asked) == len(set(shelf.asked))


def _plain(shelf: Shelf, node: merkle.Subtree) -> bytes:
    height, number = node
    return merkle.hash_of(shelf.leaves[number << height : (number + 1) << height])
