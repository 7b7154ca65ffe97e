"""Signed notes (C2SP signed-note) and checkpoints (C2SP tlog-checkpoint), for whoever signs them.

Reading them is in ledger/verify_receipt.py. A key is written as ``PRIVATE+KEY+name+id+base64``, its public
part as ``name+id+base64``, as other implementations write them.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.errors import InvalidSigningKey
from ledger.verify_receipt import NOTE_SIGNATURE, VerifierKey

_SEED_BYTES = 32
_PREFIX = "PRIVATE+KEY+"


@dataclass(frozen=True, slots=True)
class Signer:
    """A log's name, which is also the origin of its checkpoints, and its Ed25519 key."""

    name: str
    private: Ed25519PrivateKey

    @property
    def key(self) -> VerifierKey:
        """The public part: what everybody may know."""
        return VerifierKey(self.name, NOTE_SIGNATURE, self.private.public_key().public_bytes_raw())

    @property
    def secret(self) -> str:
        """The private key as text. Whoever has it can sign in the log's name."""
        seed = base64.b64encode(bytes([NOTE_SIGNATURE]) + self.private.private_bytes_raw()).decode()
        return f"{_PREFIX}{self.name}+{self.key.id.hex()}+{seed}"

    def sign(self, text: str) -> str:
        """Return the note: the text, a blank line, and the signature over the text."""
        if not text.endswith("\n") or any(each < " " and each != "\n" for each in text):
            raise ValueError("a note's text ends with a newline and has no control characters")
        return f"{text}\n{signature_line(self.key, self.private.sign(text.encode()))}"


def new_signer(name: str, seed: bytes | None = None) -> Signer:
    """Make a signer; a seed of 32 bytes gives the same key every time. Raises InvalidSigningKey."""
    if not name or not name.isprintable() or any(each.isspace() or each == "+" for each in name):
        raise InvalidSigningKey("a key's name has no spaces and no plus signs", name[:50])
    if seed is None:
        return Signer(name, Ed25519PrivateKey.generate())
    if len(seed) != _SEED_BYTES:
        raise InvalidSigningKey(f"a seed has {_SEED_BYTES} bytes")
    return Signer(name, Ed25519PrivateKey.from_private_bytes(seed))


def read_signer(text: str) -> Signer:
    """Read ``PRIVATE+KEY+name+id+base64``. Raises InvalidSigningKey; its message never holds the key."""
    name, _, rest = text.removeprefix(_PREFIX).partition("+")
    key_id, _, encoded = rest.partition("+")
    try:
        material = base64.b64decode(encoded, validate=True)
    except ValueError:
        material = b""
    if not text.startswith(_PREFIX) or material[:1] != bytes([NOTE_SIGNATURE]):
        raise InvalidSigningKey("a signing key is written PRIVATE+KEY+name+id+base64")
    signer = new_signer(name, material[1:])
    if signer.key.id.hex() != key_id:
        raise InvalidSigningKey("the signing key's id does not fit its key", name)
    return signer


def signature_line(key: VerifierKey, signature: bytes) -> str:
    """Write one line under a note."""
    return f"— {key.name} {base64.b64encode(key.id + signature).decode()}\n"


def checkpoint_text(origin: str, size: int, root: bytes, extensions: Sequence[str] = ()) -> str:
    """Write the text of a checkpoint: origin, size, root, and further lines."""
    return "".join(f"{line}\n" for line in (origin, size, base64.b64encode(root).decode(), *extensions))


def continuation(origin: str, size: int, root: bytes) -> str:
    """Write the line by which the first checkpoint under another name says what it continues."""
    return f"continues {origin} {size} {base64.b64encode(root).decode()}"
