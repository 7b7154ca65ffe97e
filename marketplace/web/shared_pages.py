"""Strangers' pages that all web processes share, in Valkey, for a minute.

What is there saves making a page, and nothing else depends on it: whatever is wrong with Valkey or with what
it returns, the page is made anew. The queue and the limits lie in the same Valkey, so there is an end to how
many pages are kept, and to how long one may be.
"""

import gzip
import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import redis
from flask import current_app
from redis.backoff import NoBackoff
from redis.retry import Retry

from marketplace import broker
from marketplace.config import Settings
from marketplace.web.compression import Packed

T = TypeVar("T")

_NAME = "bekal.shared_pages"
_MOST, _LARGEST_BYTES = 2_000, 32 * 1024
"""So many new pages while one lasts: never more than twice as many are there, some 20 MB of usual ones."""

_SEAL_BYTES = 32
_ROOT = Path(__file__).resolve().parents[2]
_RELEASED = (
    "marketplace/**/*.py",
    "marketplace/**/*.mo",
    "templates/**/*",
    "static/**/*",
    "requirements.txt",
)


@dataclass(frozen=True, slots=True)
class SharedPages:
    """Pages in Valkey under sealed names; each release, installation and database has its own `seal_key`."""

    store: redis.Redis
    seal_key: bytes
    seconds: int

    def name_of(self, *everything: object) -> str:
        """A name for a page, by everything that it depends on besides the catalogue."""
        return f"page:{hmac.new(self.seal_key, repr(everything).encode(), hashlib.sha256).hexdigest()}"

    def get(self, name: str, make: Callable[[], Packed]) -> Packed:
        """The page that some process has made in the last `seconds`, or a new one."""
        found = self._ask(lambda: self._find(name))
        if found is None:
            found = make()
            self._ask(lambda: self._keep(name, found.small))
        return found

    def _find(self, name: str) -> Packed | None:
        """Bytes that are not ours under this name are no page."""
        value: Any = self.store.get(name) or b""
        seal, small = value[:_SEAL_BYTES], value[_SEAL_BYTES:]
        if not hmac.compare_digest(seal, self._seal(name, small)):
            return None
        return Packed(gzip.decompress(small), small)

    def _keep(self, name: str, small: bytes) -> None:
        if len(small) > _LARGEST_BYTES:
            return
        counter = f"pages:{int(time.time() / self.seconds)}"
        with self.store.pipeline() as both:
            both.incr(counter)
            both.expire(counter, self.seconds)
            kept, _ = both.execute()
        if kept <= _MOST:
            self.store.set(name, self._seal(name, small) + small, ex=self.seconds)

    def _seal(self, name: str, small: bytes) -> bytes:
        return hmac.digest(self.seal_key, name.encode() + small, "sha256")

    def _ask(self, question: Callable[[], T]) -> T | None:
        """None when Valkey is not to be asked, or does not answer well."""
        if not self.seconds or broker.is_left_alone():
            return None
        try:
            return question()
        except (redis.RedisError, OSError) as error:
            broker.leave_alone(error)
            return None


def shared_pages() -> SharedPages:
    """What this application shares, for as long as its settings say (`catalogue_shared_seconds`)."""
    found: SharedPages = current_app.extensions.get(_NAME) or _connected(current_app.extensions["settings"])
    current_app.extensions[_NAME] = found
    return found


def _connected(settings: Settings) -> SharedPages:
    """Without retries: they would wait for a Valkey that is away once more."""
    seconds = settings.catalogue_shared_seconds if settings.redis_url else 0
    store = redis.Redis.from_url(
        settings.redis_url or "redis://", retry=Retry(NoBackoff(), 0), **broker.IMPATIENT
    )
    own = f"bekal pages:{settings.secret_key}:{settings.database_url}:{_release()}"
    return SharedPages(store, hashlib.sha256(own.encode()).digest(), seconds)


@cache
def _release() -> str:
    """Another one for every change of what pages are made from: code, templates, words, styles, libraries."""
    files = sorted({path for pattern in _RELEASED for path in _ROOT.glob(pattern) if path.is_file()})
    contents = hashlib.sha256()
    for path in files:
        contents.update(hashlib.sha256(path.read_bytes()).digest())
    return contents.hexdigest()
