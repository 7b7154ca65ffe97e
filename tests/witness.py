"""A witness of the log: somebody else who signs its checkpoints, as C2SP tlog-cosignature says."""

import time

from ledger.notes import new_signer, signature_line
from ledger.verify_receipt import COSIGNATURE, VerifierKey

_WITNESS = new_signer("witness.example/w1", bytes(range(2, 34)))
KEY = VerifierKey(_WITNESS.name, COSIGNATURE, _WITNESS.key.public)


def cosigned(note: str) -> str:
    """The line under a checkpoint by which the witness says that it has seen it."""
    body, moment = note.rpartition("\n\n")[0] + "\n", int(time.time())
    mark = _WITNESS.private.sign(f"cosignature/v1\ntime {moment}\n{body}".encode())
    return signature_line(KEY, moment.to_bytes(8, "big") + mark)
