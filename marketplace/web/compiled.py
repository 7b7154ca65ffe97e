"""Templates compiled once for a data folder, instead of by each process anew.

Compiling all of them takes some two seconds, which else the first readers after a start would wait for.
"""

from pathlib import Path

import structlog
from flask import Flask
from jinja2 import BytecodeCache, FileSystemBytecodeCache
from jinja2.bccache import Bucket

from marketplace.config import Settings

log = structlog.get_logger(__name__)


class KeptTemplates(FileSystemBytecodeCache):
    """What was compiled, in files that only we can write. Jinja compares each with its source."""

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep one; a full disk costs the next process some time, and nobody their page."""
        try:
            super().dump_bytecode(bucket)
        except OSError as error:
            log.warning("template_not_kept", error=str(error))


def install(app: Flask, settings: Settings) -> None:
    """Keep compiled templates in the data folder, where it can be written."""
    app.jinja_env.bytecode_cache = _kept(settings.home / "cache" / "templates")


def _kept(folder: Path) -> BytecodeCache | None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        log.warning("templates_not_kept", error=str(error))
        return None
    return KeptTemplates(str(folder))
