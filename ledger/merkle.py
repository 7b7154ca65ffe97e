"""RFC 6962 trees, for whoever makes proofs: which perfect subtrees a root or a proof is put together from.

A perfect subtree is named by its level and its number there: (0, 5) is leaf 5, (3, 2) spans leaves 16 to 23.
Their hashes never change again once the tree has grown past them, so they can be stored and cached. Whoever
checks a proof uses ledger/verify_receipt.py, which shares the two hash functions with this module.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from ledger.verify_receipt import EMPTY_ROOT, node_hash

Subtree: TypeAlias = tuple[int, int]
Reader: TypeAlias = Callable[[Subtree], bytes]


def hash_of(hashes: Sequence[bytes]) -> bytes:
    """Return the root over these hashes as leaves; the last one may stand for a smaller subtree."""
    level = list(hashes) or [EMPTY_ROOT]
    while len(level) > 1:
        pairs = [node_hash(left, right) for left, right in zip(level[::2], level[1::2], strict=False)]
        level = pairs + level[len(pairs) * 2 :]
    return level[0]


def root(size: int, read: Reader) -> bytes:
    """Return the root of the first ``size`` leaves."""
    return _range_hash(0, size, read) if size else EMPTY_ROOT


def inclusion_path(index: int, size: int, read: Reader) -> list[bytes]:
    """Return the proof that leaf ``index`` is in the tree of ``size`` (RFC 6962, 2.1.1), lowest first."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is outside a tree of {size}")
    return [_range_hash(start, end, read) for start, end in _siblings(index, size)]


def consistency_path(old_size: int, size: int, read: Reader) -> list[bytes]:
    """Return the proof that the tree of ``size`` continues that of ``old_size`` (RFC 6962, 2.1.2)."""
    if not 0 <= old_size <= size:
        raise ValueError(f"a tree of {size} cannot continue one of {old_size}")
    if old_size in (0, size):
        return []
    return [_range_hash(start, end, read) for start, end in _seams(old_size, size)]


def subtrees(start: int, end: int) -> list[Subtree]:
    """Return the perfect subtrees that make up the leaves from start to end, left to right.

    ``start`` is a multiple of the largest power of two that fits, as it is for every node of a tree.
    """
    found = []
    while start < end:
        level = (end - start).bit_length() - 1
        found.append((level, start >> level))
        start += 1 << level
    return found


def _range_hash(start: int, end: int, read: Reader) -> bytes:
    *rest, last = (read(each) for each in subtrees(start, end))
    for each in reversed(rest):
        last = node_hash(each, last)
    return last


def _split(size: int) -> int:
    """The largest power of two below the size."""
    return 1 << (size - 1).bit_length() - 1


def _siblings(index: int, size: int) -> list[tuple[int, int]]:
    start, end, found = 0, size, []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start = middle
    return found[::-1]


def _seams(old_size: int, size: int) -> Iterable[tuple[int, int]]:
    """RFC 6962's SUBPROOF: down along the seam between the old leaves and the new ones."""
    start, end, found = 0, size, []
    while old_size < end:
        middle = start + _split(end - start)
        if old_size <= middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start = middle
    # the old tree itself is known to whoever asks; a right part of it is not
    if start:
        found.append((start, end))
    return found[::-1]
