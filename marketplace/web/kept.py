"""Things that are the same for everybody, kept for a few seconds in this process."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from flask import current_app

T = TypeVar("T")

_RENEWAL_SECONDS = 2.0


@dataclass
class Kept(Generic[T]):
    """The last `most` values that were asked for, none older than `seconds`; with 0 nothing is kept.

    When one is too old, the first who asks makes it anew, and whoever asks meanwhile gets the old one, or
    waits where there is none: a crowd that opens the same page makes it once.
    """

    seconds: float
    most: int
    _values: OrderedDict[Hashable, tuple[float, T]] = field(default_factory=OrderedDict)
    _making: dict[Hashable, threading.Lock] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value of the key, made by `make` when there is none or it is too old."""
        if not self.seconds:
            return make()
        found = self._find(key)
        if found is not None:
            return found
        return self._renew(key, make) if key in self._values else self._make_once(key, make)

    def _find(self, key: Hashable) -> T | None:
        """Whoever finds it too old renews it: the others get it for two more seconds."""
        now = time.monotonic()
        with self._lock:
            until, value = self._values.get(key, (0.0, None))
            if value is not None and now < until:
                self._values.move_to_end(key)
                return value
            if value is not None:
                self._values[key] = now + _RENEWAL_SECONDS, value
        return None

    def _make_once(self, key: Hashable, make: Callable[[], T]) -> T:
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            found = self._find(key)
            try:
                return self._renew(key, make) if found is None else found
            finally:
                self._making.pop(key, None)

    def _renew(self, key: Hashable, make: Callable[[], T]) -> T:
        now, made = time.monotonic(), make()
        with self._lock:
            self._values[key] = now + self.seconds, made
            self._values.move_to_end(key)
            while len(self._values) > self.most:
                self._values.popitem(last=False)
        return made


def kept(name: str, most: int) -> Kept[Any]:
    """What this application keeps under a name, for as long as its settings say (`catalogue_seconds`)."""
    seconds = current_app.extensions["settings"].catalogue_seconds
    found: Kept[Any] = current_app.extensions.setdefault(name, Kept(seconds, most))
    return found
