"""Checks a proof from the ledger without asking anybody: copy this one file and run it.

    python verify_receipt.py receipt.json --key 'bekal.example/log+0123abcd+AQ...'

It needs Python 3.11 and `cryptography`, no service and no database. It knows receipts of a transaction and of
a sealed balance, proofs that a later checkpoint only adds to an earlier one, and full exports. The verifier
key must come from somewhere that you trust. Formats: RFC 6962, C2SP signed-note, tlog-checkpoint and
tlog-cosignature, and what docs/ledger.md says is hashed. Everything is re-computed from the content.
"""

import argparse
import base64
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

NOTE_SIGNATURE, COSIGNATURE = 1, 4
EMPTY_ROOT = sha256(b"").digest()
_HASH_BYTES = 32
_SIGNATURE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+=*)\n")
_NOTE = re.compile(rf"(?P<text>[^\x00-\x09\x0b-\x1f]*\n)\n(?P<signatures>(?:{_SIGNATURE.pattern})+)")
_CHECKPOINT = re.compile(
    r"(?P<origin>.+)\n(?P<size>0|[1-9][0-9]*)\n(?P<root>[A-Za-z0-9+/]{43}=)\n(?P<extensions>(?:.+\n)*)"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Refused(Exception):
    """The proof does not hold; the message says where."""


def leaf_hash(entry: bytes) -> bytes:
    """RFC 6962, 2.1: SHA-256 of a zero byte and the entry."""
    return sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962, 2.1: SHA-256 of a one byte and both children."""
    return sha256(b"\1" + left + right).digest()


def climb(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """Return the root that an inclusion proof leads to (RFC 9162, 2.1.3.2). Raises Refused."""
    if not 0 <= index < size:
        raise Refused(f"leaf {index} is outside a tree of {size}")
    for step, is_left in _turns(index, size - 1, path):
        leaf = node_hash(step, leaf) if is_left else node_hash(leaf, step)
    return leaf


def check_consistency(old_size: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]) -> None:
    """Raise Refused unless the larger tree only adds to the smaller one (RFC 9162, 2.1.4.2)."""
    if not 0 <= old_size <= size:
        raise Refused(f"a tree of {size} cannot continue one of {old_size}")
    if old_size in (0, size):
        if path or old_root != (EMPTY_ROOT if old_size == 0 else root):
            raise Refused("two trees of one size have different roots")
        return
    first, *steps = path if old_size & (old_size - 1) else [old_root, *path]
    height = (old_size & -old_size).bit_length() - 1
    before = after = first
    for step, is_left in _turns((old_size - 1) >> height, (size - 1) >> height, steps):
        before = node_hash(step, before) if is_left else before
        after = node_hash(step, after) if is_left else node_hash(after, step)
    if before != old_root or after != root:
        raise Refused("the later tree does not continue the earlier one")


def _turns(node: int, last: int, steps: Sequence[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Walk up from a node of a level whose last node is known; say of each step whether it is to the left."""
    for step in steps:
        if last == 0:
            raise Refused("the proof is too long")
        is_left = bool(node & 1) or node == last
        while is_left and node and not node & 1:
            node, last = node >> 1, last >> 1
        yield step, is_left
        node, last = node >> 1, last >> 1
    if last:
        raise Refused("the proof is too short")


class GrowingTree:
    """A tree that leaves are added to one by one; remembers only one hash for each bit of its size."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """Append a leaf hash; two peaks of equal height become one."""
        self._peaks.append(leaf)
        self.size += 1
        for _ in range((self.size & -self.size).bit_length() - 1):
            right = self._peaks.pop()
            self._peaks.append(node_hash(self._peaks.pop(), right))

    def root(self) -> bytes:
        """Return the root of all leaves so far."""
        found = self._peaks[-1] if self._peaks else EMPTY_ROOT
        for peak in reversed(self._peaks[:-1]):
            found = node_hash(peak, found)
        return found


class VerifierKey(NamedTuple):
    """Who may have signed: name, kind of signature, and an Ed25519 public key of 32 bytes."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        """The four bytes in front of every signature by this key."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def signed(self, mark: bytes, text: str) -> tuple[bytes, bytes]:
        """The bare signature and what it covers: a witness signs the moment too."""
        if self.kind == NOTE_SIGNATURE:
            return mark, text.encode()
        return mark[8:], f"cosignature/v1\ntime {int.from_bytes(mark[:8], 'big')}\n{text}".encode()

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(bytes([self.kind]) + self.public).decode()}"


class Checkpoint(NamedTuple):
    """What a log signed: its origin, how many leaves, their root, and further lines."""

    origin: str
    size: int
    root: bytes
    extensions: Sequence[str]


def read_key(text: str) -> VerifierKey:
    """Read `name+id+base64`. Raises Refused where the parts do not fit each other."""
    name, key_id, encoded = [*text.split("+", 2), "", ""][:3]
    kind, public = _bytes(encoded)[:1], _bytes(encoded)[1:]
    if not name or len(public) != _HASH_BYTES or kind[0] not in (NOTE_SIGNATURE, COSIGNATURE):
        raise Refused("this is no Ed25519 verifier key (name+id+base64)")
    key = VerifierKey(name, kind[0], public)
    if key.id.hex() != key_id:
        raise Refused("the verifier key's id does not fit its key")
    return key


def open_note(note: str, key: VerifierKey) -> str:
    """Return the text of a note signed by this key. Raises Refused unless its signature is there and good."""
    parts = _NOTE.fullmatch(note)
    if parts is None:
        raise Refused("this is no signed note")
    signatures = ((name, _bytes(mark)) for name, mark in _SIGNATURE.findall(parts["signatures"]))
    marks = [mark for name, mark in signatures if name == key.name and mark[:4] == key.id]
    try:
        for mark in marks:
            Ed25519PublicKey.from_public_bytes(key.public).verify(*key.signed(mark[4:], parts["text"]))
    except InvalidSignature:
        raise Refused(f"the signature of {key.name} is wrong") from None
    if not marks:
        raise Refused(f"{key.name} (key {key.id.hex()}) did not sign this")
    return parts["text"]


def read_checkpoint(note: str, key: VerifierKey) -> Checkpoint:
    """Return a checkpoint signed by this key. Raises Refused."""
    parts = _CHECKPOINT.fullmatch(open_note(note, key))
    if parts is None:
        raise Refused("this is no checkpoint")
    root, extensions = _bytes(parts["root"]), parts["extensions"].split("\n")[:-1]
    return Checkpoint(parts["origin"], int(parts["size"]), root, extensions)


def _bytes(text: object) -> bytes:
    try:
        return base64.b64decode(str(text), validate=True)
    except ValueError:
        raise Refused(f"{str(text)[:50]!r} is not base64") from None


def commitment(document: Mapping[str, Any]) -> bytes:
    """Re-compute the log's entry from the content and salts of a transaction, written as in a receipt."""
    transaction, personal, digest = document["transaction"], document.get("personal"), EMPTY_ROOT
    if personal and "digest" in personal:
        digest = bytes.fromhex(personal["digest"])
    elif personal:
        digest = sha256(UUID(personal["salt"]).bytes + personal["content"].encode()).digest()
    moments = (datetime.fromisoformat(transaction[name]) for name in ("effective_at", "recorded_at"))
    fields = ["bekal-ledger/1", transaction["id"], transaction["key"]]
    fields += [str((moment - _EPOCH) // timedelta(microseconds=1)) for moment in moments]
    fields += [transaction[name] for name in ("kind", "settles", "reverses", "reference", "metadata")]
    for each in transaction["postings"]:
        fields += [each["debit"], each["credit"], each["currency"], each["amount"]]
    return sha256(_salted(UUID(document["salt"]).bytes, fields) + digest).digest()


def _salted(salt: bytes, fields: Iterable[str | None]) -> bytes:
    """Hash fields, each behind its length in bytes, so that no two lists have the same bytes."""
    written = ("-:" if value is None else f"{len(value.encode())}:{value}" for value in fields)
    return sha256(salt + "".join(written).encode()).digest()


def check_receipt(document: Mapping[str, Any], key: VerifierKey) -> str:
    """Return in a sentence what a receipt proves. Raises Refused."""
    checkpoint = read_checkpoint(document["checkpoint"], key)
    leaf, number = leaf_hash(commitment(document)), document["leaf"]
    if climb(leaf, number, checkpoint.size, _path(document)) != checkpoint.root:
        raise Refused("the transaction is not in the signed tree as the receipt says")
    return f"transaction {document['transaction']['id']} is entry {number} of {checkpoint.size}"


def check_balance(document: Mapping[str, Any], key: VerifierKey) -> str:
    """Return in a sentence what a receipt of a balance proves. Raises Refused."""
    checkpoint, balance = read_checkpoint(document["checkpoint"], key), document["balance"]
    found = [line.split(" ") for line in checkpoint.extensions if line.startswith("balances ")]
    if not found:
        raise Refused("the checkpoint names no root of balances")
    _, accounts, root = found[0]
    fields = ["bekal-balance/1", *(balance[name] for name in ("account", "currency", "debits", "credits"))]
    leaf = leaf_hash(_salted(bytes.fromhex(document["salt"]), fields))
    if climb(leaf, document["leaf"], int(accounts), _path(document)) != _bytes(root):
        raise Refused("the balance is not in the signed tree as the receipt says")
    sums = f"{balance['debits']} debits and {balance['credits']} credits"
    return f"{balance['account']} had {sums} ({balance['currency']}) after entry {checkpoint.size - 1}"


def check_growth(document: Mapping[str, Any], key: VerifierKey) -> str:
    """Return in a sentence that one checkpoint continues another. Raises Refused."""
    old, new = (read_checkpoint(document[name], key) for name in ("old", "new"))
    check_consistency(old.size, old.root, new.size, new.root, _path(document))
    return f"the tree of {new.size} in {new.origin} only adds to the tree of {old.size}"


def check_export(lines: Iterable[str], key: VerifierKey) -> str:
    """Hold every checkpoint of a full export against the content before it. Raises Refused."""
    tree, sealed = GrowingTree(), 0
    for document in map(json.loads, lines):
        if document.get("leaf", tree.size) != tree.size:
            raise Refused(f"entry {document['leaf']} stands in the place of entry {tree.size}")
        if "leaf" in document:
            tree.add(leaf_hash(commitment(document)))
        elif "checkpoint" in document:
            checkpoint = read_checkpoint(document["checkpoint"], key)
            if (checkpoint.size, checkpoint.root) != (tree.size, tree.root()):
                raise Refused(f"entries {sealed} to {checkpoint.size - 1} are not those that were signed")
            sealed = checkpoint.size
    if sealed != tree.size:
        raise Refused(f"nobody signed entry {sealed} and those after it")
    return f"all {sealed} entries are those that {key.name} signed"


_CHECKS = {"bekal-receipt/1": check_receipt, "bekal-balance/1": check_balance, "bekal-growth/1": check_growth}


def check(path: Path, key: VerifierKey) -> str:
    """Check whichever document this is and return in a sentence what it proves. Raises Refused, OSError."""
    try:
        with path.open(encoding="utf-8") as file:
            first = file.readline()
            if '"bekal-export/1"' in first:
                return check_export(file, key)
            document = json.loads(first + file.read())
        return _CHECKS[document["format"]](document, key)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Refused(f"this is no proof of a kind known here ({type(error).__name__}: {error})") from error


def _path(document: Mapping[str, Any]) -> list[bytes]:
    path = [_bytes(each) for each in document["path"]]
    if {len(each) for each in path} - {_HASH_BYTES}:
        raise Refused("a proof is made of hashes of 32 bytes")
    return path


def main(arguments: Sequence[str] | None = None) -> int:
    """Check one file; 0 when it holds, 1 when it does not."""
    parser = argparse.ArgumentParser(description="Check a proof from the ledger without asking anybody.")
    parser.add_argument("file", type=Path, help="a receipt, another proof, or an export")
    parser.add_argument("--key", required=True, help="the log's verifier key: name+id+base64")
    given = parser.parse_args(arguments)
    try:
        print(f"holds: {check(given.file, read_key(given.key))}")
    except (Refused, OSError) as error:
        print(f"REFUSED: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
