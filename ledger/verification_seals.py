"""Re-computes the public history: leaves without gaps and in order, tiles, roots, checkpoints, balances.

Nothing is taken from the database's own functions; leaves are streamed. Each problem is a table, the name of
the first bad row in it, and what is wrong with it.
"""

from base64 import b64encode
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, TypeAlias

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from ledger import canonical, merkle
from ledger.notes import checkpoint_text, continuation
from ledger.tiles import WIDTH
from ledger.verification_sql import (
    LEAVES,
    LOST,
    NEWEST_BALANCES,
    SEALS,
    STORED_TILE,
    STRAY_LEAVES,
    STRAY_TILES,
    UNSEALED,
)
from ledger.verify_receipt import Checkpoint, GrowingTree, Refused, VerifierKey, leaf_hash, open_note

Found: TypeAlias = tuple[str, str, str]
_BATCH = 2000
_HASH_BYTES = 32
_NOTHING: tuple[Any, ...] = (None,) * 5


@dataclass(slots=True)
class _Walk:
    """How far the leaves were read: the tree so far, and the hashes of the tile under way at each height."""

    session: Session
    tree: GrowingTree = field(default_factory=GrowingTree)
    place: tuple[int, Any] = (-1, None)
    hashes: list[list[bytes]] = field(default_factory=lambda: [[]])
    keys: list[str] = field(default_factory=list)


def seal_problems(
    session: Session,
    keys: Sequence[VerifierKey],
    published: Checkpoint | None,
    progress: Callable[[int], None],
) -> Generator[Found, None, None]:
    """Yield what is wrong with the seals, the leaves under them, tiles, checkpoints and sealed balances.

    Signatures are checked where keys are given; then every origin must have one. ``published`` is a
    checkpoint that was kept elsewhere: the log must still lead to it. ``progress`` is told of leaves.
    """
    with closing(_walk(session, keys, published, progress)) as found:
        yield from found
    for table, query in (("leaf", STRAY_LEAVES), ("transaction", UNSEALED), ("tile", STRAY_TILES)):
        for row in session.execute(text(query)):
            yield table, row.row, row.what
    yield from _balance_problems(session)


def _walk(
    session: Session,
    keys: Sequence[VerifierKey],
    published: Checkpoint | None,
    progress: Callable[[int], None],
) -> Generator[Found, None, None]:
    walk, last, lost = _Walk(session), None, session.execute(text(LOST)).all()
    options = {"yield_per": _BATCH}
    with (
        session.execute(text(SEALS), execution_options=options) as seals,
        session.execute(text(LEAVES), execution_options=options) as leaves,
    ):
        for seal in seals:
            yield from _seal_problems(seal, last)
            yield from _leaf_problems(walk, leaves, seal, last, published, progress)
            if bytes(seal.root) != walk.tree.root():
                first = last.tree_size if last else 0
                yield "seal", str(seal.id), f"its root is not that of leaves {first} to {seal.tree_size - 1}"
            yield from _checkpoint_problems(seal, keys)
            yield from _name_problems(seal, last, lost)
            last = seal
    if published is not None and published.size > walk.tree.size:
        row = str(last.id if last else 0)
        yield (
            "seal",
            row,
            f"it is the last, and a checkpoint of {published.size} was published: the tail is gone",
        )


def _seal_problems(seal: Row[Any], last: Row[Any] | None) -> Iterator[Found]:
    expected = last.id + 1 if last else 1
    if seal.id != expected:
        yield "seal", str(expected), f"it is missing: seal {seal.id} comes next"
    if last and (seal.tree_size <= last.tree_size or seal.through <= last.through):
        yield "seal", str(seal.id), "it does not reach further than the one before"


def _leaf_problems(
    walk: _Walk,
    leaves: Iterator[Row[Any]],
    seal: Row[Any],
    last: Row[Any] | None,
    published: Checkpoint | None,
    progress: Callable[[int], None],
) -> Iterator[Found]:
    since, through, size = last.through if last else 0, seal.through, published.size if published else -1
    for expected in range(walk.tree.size, seal.tree_size):
        number, transaction_id, key, position, commitment = next(leaves, _NOTHING)
        if number != expected:
            yield "leaf", str(expected), "it is missing"
            return
        if commitment is None:
            yield "leaf", str(number), f"its transaction {transaction_id} does not exist"
            return
        place = (position, transaction_id)
        if not since <= position < through:
            yield _named(number, key, f"its transaction was written outside the positions of seal {seal.id}")
        if place <= walk.place:
            yield _named(
                number, key, "it is out of order: transactions are sealed in the order of their positions"
            )
        walk.place = place
        hashed = leaf_hash(commitment)
        walk.tree.add(hashed)
        if walk.tree.size % _BATCH == 0:
            progress(walk.tree.size)
        walk.keys.append(key)
        walk.hashes[0].append(hashed)
        if len(walk.keys) == WIDTH:
            yield from _tile_problems(walk, 0)
        if size == walk.tree.size and published and published.root != walk.tree.root():
            yield _named(number, key, f"up to here the log is not what the checkpoint of {size} published")


def _named(number: int, key: str, what: str) -> Found:
    return "leaf", f"{number} ({key})", what


def _tile_problems(walk: _Walk, level: int) -> Iterator[Found]:
    """Hold a tile that has become full against what is stored, and go up."""
    tile = walk.hashes[level]
    if len(tile) < WIDTH:
        return
    number = (walk.tree.size >> (8 * (level + 1))) - 1
    stored = walk.session.execute(text(STORED_TILE), {"level": level, "number": number}).one_or_none()
    root = merkle.hash_of(tile)
    if stored is None:
        yield "tile", f"{level}/{number}", "it is missing"
    elif bytes(stored.hashes) != b"".join(tile) and level == 0:
        at = next(
            i for i, each in enumerate(tile) if each != bytes(stored.hashes[i * _HASH_BYTES :][:_HASH_BYTES])
        )
        first = walk.tree.size - WIDTH
        yield _named(first + at, walk.keys[at], "its transaction is not the one that was sealed")
    elif bytes(stored.hashes) != b"".join(tile) or bytes(stored.root) != root:
        yield "tile", f"{level}/{number}", "it is not made of the hashes below it"
    walk.hashes[level] = []
    walk.keys = []
    if len(walk.hashes) == level + 1:
        walk.hashes.append([])
    walk.hashes[level + 1].append(root)
    yield from _tile_problems(walk, level + 1)


def _checkpoint_problems(seal: Row[Any], keys: Sequence[VerifierKey]) -> Iterator[Found]:
    if seal.note is None:
        yield "seal", str(seal.id), "nobody signed it"
        return
    said = checkpoint_text(seal.origin, seal.tree_size, bytes(seal.root))
    if seal.balance_root is not None:
        said += f"balances {seal.accounts} {b64encode(bytes(seal.balance_root)).decode()}\n"
    if not seal.note.startswith(said):
        yield "checkpoint", str(seal.id), "it says something else than its seal"
        return
    if seal.balance_root is None and "\nbalances " in seal.note:
        yield "balance_seal", str(seal.id), "it is missing, and its checkpoint names it"
        return
    mine = [key for key in keys if key.name == seal.origin]
    if keys and not mine:
        yield "checkpoint", str(seal.id), f"no key is known for {seal.origin}"
    refusals = [each for key in mine if (each := _refusal(seal.note, key))]
    # a key may have been replaced by another of the same name: one good signature is enough
    if mine and len(refusals) == len(mine):
        yield "checkpoint", str(seal.id), refusals[0]


def _name_problems(seal: Row[Any], last: Row[Any] | None, lost: Sequence[Row[Any]]) -> Iterator[Found]:
    """A checkpoint under another name than the one before says what it continues."""
    due = [each for each in lost if each.seal_id < seal.id and (last is None or last.id <= each.seal_id)]
    if due:
        before = due[-1]
    elif last is not None and last.origin != seal.origin:
        before = last
    else:
        return
    expected = continuation(before.origin or "", before.tree_size, bytes(before.root))
    if seal.note is not None and expected not in seal.note.partition("\n\n")[0].split("\n"):
        yield "checkpoint", str(seal.id), f"it does not say that it {expected}"


def _refusal(note: str, key: VerifierKey) -> str | None:
    try:
        open_note(note, key)
    except Refused as refusal:
        return str(refusal)
    return None


def _balance_problems(session: Session) -> Iterator[Found]:
    """The newest tree of balances, from the postings below its seal; older ones are held by their roots."""
    tree, newest = GrowingTree(), None
    with session.execute(text(NEWEST_BALANCES), execution_options={"yield_per": _BATCH}) as rows:
        for row in rows:
            newest = row
            salt = sha256(row.secret.bytes + row.code.encode()).digest()
            tree.add(
                leaf_hash(canonical.balance_entry(salt, row.code, row.currency, row.debits, row.credits))
            )
    if newest is not None and (tree.size, tree.root()) != (newest.accounts, bytes(newest.root)):
        yield "balance_seal", str(newest.seal_id), "its root is not that of the balances its postings make"
