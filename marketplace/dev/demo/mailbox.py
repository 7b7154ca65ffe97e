"""Reading one's messages: the folder to which Bekal delivers them in development."""

import json
import re
import threading
import time
from pathlib import Path

_CODE = re.compile(r"\b(\d{6})\b")
_PATIENCE_SECONDS = 60.0
_PAUSE_SECONDS = 0.02


class NoMessage(Exception):
    """A message that should have come did not."""


class Mailbox:
    """Everybody's messages. Each file is read once, whoever asks; threads share one mailbox."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: set[str] = set()
        self._codes: dict[str, str] = {}
        self._lock = threading.Lock()

    @property
    def count(self) -> int:
        """How many messages have been delivered."""
        return len(self._seen)

    def take_code(self, contact: str) -> str:
        """The sign-in code that was sent to a contact. Raises NoMessage when none comes."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            with self._lock:
                self.look()
                code = self._codes.pop(contact, None)
            if code:
                return code
            time.sleep(_PAUSE_SECONDS)
        raise NoMessage(f"no sign-in code came to {contact} within {_PATIENCE_SECONDS:g} s")

    def look(self) -> None:
        """Read what has come since the last look."""
        if not self._folder.is_dir():
            return
        fresh = {path.name for path in self._folder.glob("*.json")} - self._seen
        for name in fresh:
            message = json.loads((self._folder / name).read_text(encoding="utf-8"))
            code = _CODE.search(message["body"]) if "kode" in message["subject"].lower() else None
            if code:
                self._codes[message["to"]] = code.group(1)
        self._seen |= fresh
