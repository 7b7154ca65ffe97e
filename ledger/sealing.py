"""Seals what was written: numbers it, extends the tree, and signs a checkpoint. See docs/ledger.md.

The database decides what is sealed and in which order and computes the tree; this module signs, after holding
the new tree against the last one that it signed, and keeps what witnesses sign.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from ledger import merkle
from ledger.calling import call
from ledger.errors import InvalidCheckpoint, LogEnded, NotSealed
from ledger.notes import Signer, checkpoint_text, continuation
from ledger.tiles import StoredTree
from ledger.verify_receipt import Refused, VerifierKey, check_consistency, open_note

BATCH = 50_000
# of the lock that the database's function takes too
_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended('ledger.seal', 0)) AS is_ours"
_SEALS = """
SELECT s.id, s.tree_size, s.through, s.root, s.sealed_at, c.origin, c.note, b.accounts, b.root AS balance_root
FROM ledger.seal s LEFT JOIN ledger.checkpoint c ON c.seal_id = s.id
LEFT JOIN ledger.balance_seal b ON b.seal_id = s.id
"""
_LOST = (
    "SELECT origin, tree_size, root, seal_id FROM ledger.adoption WHERE origin IS NOT NULL ORDER BY id DESC"
)


@dataclass(frozen=True, slots=True)
class Seal:
    """How far the log reaches: ``size`` transactions under one root, and the signed note that says so.

    They are those written below the position ``through``: read at it (``known_at``), balances are what was
    known at this seal.
    ``note`` is None only between sealing and signing, which happen in one database transaction.
    ``accounts`` and ``balance_root`` are there where balances were sealed too.
    """

    id: int
    size: int
    through: int
    root: bytes
    sealed_at: datetime
    origin: str | None
    note: str | None
    accounts: int | None
    balance_root: bytes | None


@dataclass(frozen=True, slots=True)
class Lost:
    """A published checkpoint that a restore fell behind, and the last seal that there was then."""

    origin: str
    size: int
    root: bytes
    seal_id: int


def seal(session: Session, signer: Signer, *, balances: bool = False, limit: int = BATCH) -> Seal | None:
    """Seal what was written before the oldest database transaction under way, about ``limit`` at most.

    Returns the newest seal, or None where nothing was waiting or another sealer is at work. With ``balances``
    the tree of all balances is sealed with it. Raises InvalidCheckpoint where the tree does not continue the
    one signed last: then somebody changed the past, nothing is signed, and the session goes on as if nothing
    had been sealed. Raises LogEnded where the signer's log was cut off by a restore, NeedsAdoption,
    WrongIsolation.
    """
    (lock,) = call(session, _LOCK, [])
    if not lock.is_ours:
        return None
    lost = _lost(session)
    if any(each.origin == signer.name for each in lost):
        raise LogEnded("a restore cut this log off: sign under another name", signer.name)
    # whoever commits after a refusal keeps no seal that can never be signed
    with session.begin_nested():
        (made,) = call(session, "SELECT ledger.seal_leaves(%s) AS id", [limit])
        if made.id is not None and balances:
            call(session, "SELECT ledger.seal_balances(%s)", [made.id])
        waiting = _seals(session, "WHERE c.seal_id IS NULL ORDER BY s.id")
        for each in waiting:
            _sign(session, signer, each, lost)
    return find_seal(session) if waiting else None


def find_seal(session: Session) -> Seal | None:
    """Return the newest seal that has its checkpoint, or None."""
    found = _seals(session, "WHERE c.seal_id IS NOT NULL ORDER BY s.id DESC LIMIT 1")
    return found[0] if found else None


def get_seal(session: Session, *, holding: int = 0, newest: bool = False, balances: bool = False) -> Seal:
    """Return the first signed seal that holds leaf ``holding``, or the newest, or the newest with balances.

    Raises NotSealed.
    """
    ending = "WHERE c.seal_id IS NOT NULL AND s.tree_size > :holding"
    if balances:
        ending += " AND b.seal_id IS NOT NULL"
    ending += " ORDER BY s.tree_size DESC LIMIT 1" if newest or balances else " ORDER BY s.tree_size LIMIT 1"
    found = _seals(session, ending, holding=holding)
    if not found:
        raise NotSealed("no signed checkpoint reaches so far", str(holding))
    return found[0]


def get_seal_of(session: Session, size: int) -> Seal:
    """Return the signed seal of exactly so many transactions, as a checkpoint names it. Raises NotSealed."""
    found = get_seal(session, holding=size - 1)
    if found.size != size:
        raise NotSealed("there is no checkpoint of this size", str(size))
    return found


def published_note(session: Session, seal: Seal) -> str:
    """Return the checkpoint of a signed seal as it is published: with what witnesses signed since."""
    query = text("SELECT line FROM ledger.cosignature WHERE seal_id = :id ORDER BY witness")
    return (seal.note or "") + "".join(session.scalars(query, {"id": seal.id}))


def cosign(session: Session, note: str, witness: VerifierKey) -> int:
    """Keep a witness's signature under the checkpoint that it signed; return the size of that checkpoint.

    A repeat changes nothing. Raises InvalidCheckpoint where the note is none of ours or badly signed.
    """
    try:
        signed = open_note(note, witness)
        lines = [line for line in note.rpartition("\n\n")[2].split("\n") if f" {witness.name} " in line]
    except Refused as refusal:
        raise InvalidCheckpoint(str(refusal), witness.name) from None
    ours = _seals(session, "WHERE starts_with(c.note, :text || chr(10))", text=signed)
    if len(ours) != 1 or len(lines) != 1:
        raise InvalidCheckpoint("this checkpoint was never published here", witness.name)
    call(session, "SELECT ledger.add_cosignature(%s, %s, %s)", [ours[0].id, witness.name, lines[0] + "\n"])
    return ours[0].size


def _sign(session: Session, signer: Signer, each: Seal, lost: Sequence[Lost]) -> None:
    """Sign one seal, if it only adds to the one before."""
    before = find_seal(session)
    extensions = _extensions(each, before, signer, lost)
    if before is not None:
        path = merkle.consistency_path(before.size, each.size, StoredTree(session, each.size).read)
        try:
            check_consistency(before.size, before.root, each.size, each.root, path)
        except Refused as refusal:
            raise InvalidCheckpoint(f"seal {each.id} cannot be signed: {refusal}", str(each.id)) from None
    note = signer.sign(checkpoint_text(signer.name, each.size, each.root, extensions))
    call(session, "SELECT ledger.add_checkpoint(%s, %s, %s)", [each.id, signer.name, note])


def _extensions(each: Seal, before: Seal | None, signer: Signer, lost: Sequence[Lost]) -> list[str]:
    lines = []
    if each.balance_root is not None:
        lines.append(f"balances {each.accounts} {base64.b64encode(each.balance_root).decode()}")
    # a log that goes on under another name says where it comes from, also where that is lost
    if lost and (before is None or before.id <= lost[0].seal_id):
        lines.append(continuation(lost[0].origin, lost[0].size, lost[0].root))
    elif before is not None and before.origin is not None and before.origin != signer.name:
        lines.append(continuation(before.origin, before.size, before.root))
    return lines


def _lost(session: Session) -> list[Lost]:
    """What restores fell behind, the latest first."""
    rows = session.execute(text(_LOST))
    return [Lost(row.origin, row.tree_size, bytes(row.root), row.seal_id) for row in rows]


def _seals(session: Session, ending: str, **parameters: object) -> Sequence[Seal]:
    rows = session.execute(text(f"{_SEALS} {ending}"), parameters)
    return [Seal(*row) for row in rows]
