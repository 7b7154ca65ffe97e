"""A witness of the log: somebody else who signs its checkpoints, as C2SP tlog-cosignature says."""

import time

from ledger.notes import new_signer, signature_line
from ledger.verify_receipt import COSIGNATURE, VerifierKey

_FIRST = new_signer("witness.example/w1", bytes(range(2, 34)))
_SECOND = new_signer("witness.example/w2", bytes(range(3, 35)))
KEY, SECOND_KEY = (VerifierKey(each.name, COSIGNATURE, each.key.public) for each in (_FIRST, _SECOND))
_PRIVATE = {KEY: _FIRST.private, SECOND_KEY: _SECOND.private}


def cosigned(note: str, key: VerifierKey = KEY) -> str:
    """The line under a checkpoint by which a witness says that it has seen it."""
    body, moment = note.rpartition("\n\n")[0] + "\n", int(time.time())
    mark = _PRIVATE[key].sign(f"cosignature/v1\ntime {moment}\n{body}".encode())
    return signature_line(key, moment.to_bytes(8, "big") + mark)
