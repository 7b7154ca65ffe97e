"""The three ways in which the bank changes the disk. A crash before or after each must be harmless."""

import os
from collections.abc import Iterator
from pathlib import Path


def append(path: Path, content: bytes) -> None:
    """Add to a file and wait until the disk has it."""
    with path.open("ab") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def write(path: Path, content: bytes) -> None:
    """Put a file in place so that a reader sees all of it or nothing."""
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(b"")
    append(draft, content)
    draft.replace(path)


def move(path: Path, folder: Path) -> None:
    """Take a file out of one folder into another; gone already is fine."""
    if path.exists():
        path.replace(folder / path.name)


def waiting(folder: Path, pattern: str) -> Iterator[Path]:
    """Complete files in the order of their names; drafts begin with a dot."""
    yield from sorted(path for path in folder.glob(pattern) if not path.name.startswith("."))
