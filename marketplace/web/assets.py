"""Addresses of files under static that change when the file does, so that browsers may keep them."""

import hashlib
from functools import cache
from pathlib import Path

from flask import current_app, url_for


def asset_url(name: str) -> str:
    """The address of a file under static, with eight digits of its content. Raises FileNotFoundError."""
    folder = current_app.static_folder
    if folder is None:
        raise FileNotFoundError(name)
    path = Path(folder) / name
    return url_for("static", filename=name, v=_version(path, path.stat().st_mtime_ns))


@cache
def _version(path: Path, _changed: int) -> str:
    """The modification time is part of the key, so that an edit is seen without a restart."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]
