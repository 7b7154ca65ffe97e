"""Checks a proof from the ledger without asking anybody: copy this one file and run it.

    python verify_receipt.py receipt.json --key 'bekal.example/log+0123abcd+AQ...'

It needs Python 3.11 and `cryptography`. It knows receipts of a transaction and of a sealed balance, proofs
that a later checkpoint only adds to an earlier one, and full exports. Verifier keys (name+id+base64; several
where the log changed its own) come from where you trust them. Formats: RFC 6962, C2SP signed-note and tlog,
and what docs/ledger.md says is hashed. A proof that is not written just as the ledger writes it is refused.
"""

import argparse
import base64
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import reduce
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

NOTE_SIGNATURE, COSIGNATURE = 1, 4
EMPTY_ROOT = sha256(b"").digest()
_BASE64 = re.compile("(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=|[A-Za-z0-9+/][AQgw]==)?")
_SIGNATURE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+=*)\n")
_NOTE = re.compile(rf"(?P<text>[^\x00-\x09\x0b-\x1f]*\n)\n(?P<signatures>(?:{_SIGNATURE.pattern})+)")
_CHECKPOINT = re.compile(r"(.+)\n(0|[1-9][0-9]*)\n([A-Za-z0-9+/]{43}=)\n((?:.+\n)*)")
_TRANSACTION = "id key kind effective_at recorded_at settles reverses reference metadata postings"
# the one way in which these are written; what is not here is hashed or signed as it stands
_MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00"
_FORMS = {"salt": r"[0-9a-f]{64}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "digest": r"[0-9a-f]{64}"}
_FORMS |= {"leaf": r"0|[1-9]\d*", "effective_at": _MOMENT, "recorded_at": _MOMENT}
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
    first, *steps = (path or [b""]) if old_size & (old_size - 1) else [old_root, *path]
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
        if last == 0 or len(step) != len(EMPTY_ROOT):
            raise Refused("the proof is too long, or no hash stands in it")
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
        self.size, self._peaks = 0, list[bytes]()

    def add(self, leaf: bytes) -> None:
        """Append a leaf hash; two peaks of equal height become one."""
        self._peaks.append(leaf)
        self.size += 1
        for _ in range((self.size & -self.size).bit_length() - 1):
            self._peaks[-2:] = [node_hash(*self._peaks[-2:])]

    def root(self) -> bytes:
        """Return the root of all leaves so far."""
        return reduce(lambda right, left: node_hash(left, right), reversed(self._peaks or [EMPTY_ROOT]))


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
    if not name or len(public) != len(EMPTY_ROOT) or kind[0] not in (NOTE_SIGNATURE, COSIGNATURE):
        raise Refused("this is no Ed25519 verifier key (name+id+base64)")
    key = VerifierKey(name, kind[0], public)
    if key.id.hex() != key_id:
        raise Refused("the verifier key's id does not fit its key")
    return key


def open_note(note: str, *keys: VerifierKey) -> str:
    """Return the text of a note that one of these keys signed, and none of them wrongly. Raises Refused."""
    if (parts := _NOTE.fullmatch(note)) is None:
        raise Refused("this is no signed note")
    signatures = [(name, _bytes(mark)) for name, mark in _SIGNATURE.findall(parts["signatures"])]
    marks = [(k, mark) for k in keys for name, mark in signatures if (name, mark[:4]) == (k.name, k.id)]
    try:
        for key, mark in marks:
            Ed25519PublicKey.from_public_bytes(key.public).verify(*key.signed(mark[4:], parts["text"]))
    except InvalidSignature:
        raise Refused(f"the signature of {key.name} is wrong") from None
    if not marks:
        raise Refused(" or ".join(f"{key.name} (key {key.id.hex()})" for key in keys) + " did not sign this")
    return parts["text"]


def read_checkpoint(note: str, *keys: VerifierKey) -> Checkpoint:
    """Return a checkpoint that one of these keys signed. Raises Refused."""
    if (parts := _CHECKPOINT.fullmatch(open_note(note, *keys))) is None:
        raise Refused("this is no checkpoint")
    origin, size, root, extensions = parts.groups()
    return Checkpoint(origin, int(size), _bytes(root), extensions.split("\n")[:-1])


def _bytes(text: str) -> bytes:
    if not _BASE64.fullmatch(text):
        raise Refused(f"{text[:50]!r} is not base64")
    return base64.b64decode(text)


def _read(part: Mapping[str, Any], names: str) -> list[Any]:
    """Return the values of these fields. Raises Refused where there are others, or one is written oddly."""
    odd = [name for name in part.keys() & _FORMS if not re.fullmatch(_FORMS[name], f"{part[name]}")]
    if odd or list(part) != names.split():
        raise Refused(f"{', '.join(odd or part)[:80]}: the ledger writes {names}")
    return list(part.values())


def commitment(document: Mapping[str, Any]) -> bytes:
    """Re-compute the log's entry from the content and salts of a transaction, written as in a receipt."""
    personal, digest = document["personal"], EMPTY_ROOT
    if personal is not None and "digest" in personal:
        digest = bytes.fromhex(*_read(personal, "digest"))
    elif personal is not None:
        salt, content = _read(personal, "salt content")
        digest = sha256(UUID(salt).bytes + content.encode()).digest()
    name, key, kind, effective_at, recorded_at, *rest, postings = _read(document["transaction"], _TRANSACTION)
    moments = (datetime.fromisoformat(each) - _EPOCH for each in (effective_at, recorded_at))
    fields = ["bekal-ledger/1", name, key, *(str(each // timedelta(microseconds=1)) for each in moments)]
    fields += [kind, *rest]
    for each in postings:
        fields += _read(each, "debit credit currency amount")
    return sha256(_salted(UUID(document["salt"]).bytes, fields) + digest).digest()


def _salted(salt: bytes, fields: Iterable[str | None]) -> bytes:
    """Hash fields, each behind its length in bytes, so that no two lists have the same bytes."""
    written = ("-:" if value is None else f"{len(value.encode())}:{value}" for value in fields)
    return sha256(salt + "".join(written).encode()).digest()


def check_receipt(document: Mapping[str, Any], *keys: VerifierKey) -> str:
    """Return in a sentence what a receipt proves. Raises Refused."""
    _, said, *_, number, path, note = _read(document, "format transaction salt personal leaf path checkpoint")
    _, size, root, _ = read_checkpoint(note, *keys)
    if climb(leaf_hash(commitment(document)), number, size, list(map(_bytes, path))) != root:
        raise Refused("the transaction is not in the signed tree as the receipt says")
    return f"transaction {said['id']} is entry {number} of {size}"


def check_balance(document: Mapping[str, Any], *keys: VerifierKey) -> str:
    """Return in a sentence what a receipt of a balance proves. Raises Refused."""
    _, balance, salt, number, path, note = _read(document, "format balance salt leaf path checkpoint")
    _, size, _, extensions = read_checkpoint(note, *keys)
    found = (line.split(" ") for line in extensions if line.startswith("balances "))
    _, accounts, root = next(found, ["", "0", ""])
    account, currency, debits, credits = fields = _read(balance, "account currency debits credits")
    leaf = leaf_hash(_salted(bytes.fromhex(salt), ["bekal-balance/1", *fields]))
    if climb(leaf, number, int(accounts), list(map(_bytes, path))) != _bytes(root):
        raise Refused("the balance is not in the signed tree as the receipt says")
    return f"{account} had {debits} debits and {credits} credits ({currency}) after entry {size - 1}"


def check_growth(document: Mapping[str, Any], *keys: VerifierKey) -> str:
    """Return in a sentence that one checkpoint continues another. Raises Refused."""
    _, *notes, path = _read(document, "format old new path")
    old, new = (read_checkpoint(note, *keys) for note in notes)
    check_consistency(old.size, old.root, new.size, new.root, list(map(_bytes, path)))
    return f"the tree of {new.size} in {new.origin} only adds to the tree of {old.size}"


def check_export(lines: Iterable[str], *keys: VerifierKey) -> str:
    """Hold every checkpoint of a full export against the content before it. Raises Refused."""
    tree, sealed, names = GrowingTree(), 0, dict[str, None]()
    for document in map(json.loads, lines):
        if document.get("leaf", tree.size) != tree.size:
            raise Refused(f"entry {document['leaf']} stands in the place of entry {tree.size}")
        if "leaf" in document:
            tree.add(leaf_hash(commitment(document)))
        elif "checkpoint" in document:
            checkpoint = read_checkpoint(document["checkpoint"], *keys)
            if (checkpoint.size, checkpoint.root) != (tree.size, tree.root()):
                raise Refused(f"entries {sealed} to {checkpoint.size - 1} are not those that were signed")
            sealed, names[checkpoint.origin] = checkpoint.size, None
    if sealed != tree.size:
        raise Refused(f"nobody signed entry {sealed} and those after it")
    return f"all {sealed} entries are those that {' and '.join(names) or 'nobody'} signed"


_CHECKS = {"bekal-receipt/1": check_receipt, "bekal-balance/1": check_balance, "bekal-growth/1": check_growth}


def check(path: Path, *keys: VerifierKey) -> str:
    """Check whichever document this is and return in a sentence what it proves. Raises Refused, OSError."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            first = file.readline()
            if '"bekal-export/1"' in first:
                return check_export(file, *keys)
            text = first + file.read()
        document = json.loads(text)
        if text != json.dumps(document, ensure_ascii=False, indent=1) + "\n":
            raise Refused("the file is not as the ledger wrote it")
        return _CHECKS[document["format"]](document, *keys)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Refused(f"this is no proof of a kind known here ({type(error).__name__}: {error})") from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Check one file; 0 when it holds, 1 when it does not."""
    parser = argparse.ArgumentParser(description="Check a proof from the ledger without asking anybody.")
    parser.add_argument("file", type=Path, help="a receipt, another proof, or an export")
    parser.add_argument("--key", required=True, action="append", help="verifier key; again for a former one")
    given = parser.parse_args(arguments)
    try:
        print(f"holds: {check(given.file, *map(read_key, given.key))}")
    except (Refused, OSError) as error:
        print(f"REFUSED: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
