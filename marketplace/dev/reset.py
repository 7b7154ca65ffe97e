"""Forget an embedded installation: its engines, messages, bank files and logs."""

import shutil
from pathlib import Path

from marketplace.dev.errors import DevelopmentError
from marketplace.dev.supervisor import Supervisor

# named one by one: BEKAL_HOME may be a folder with other things in it
_OURS = ("engines", "log", "bank", "messages", "run", "cache")
_FILES = ("demo-people.json",)


def reset(home: Path) -> None:
    """Remove what Bekal made in a data folder. Raises FolderInUse while it is running.

    Raises DevelopmentError where there is nothing of ours.
    """
    if not (home / "run").is_dir():
        raise DevelopmentError(f"{home} is not a data folder of Bekal")
    with Supervisor(home, print, patience=0) as supervisor:
        layout = supervisor.layout
    if (home / "engines").is_symlink():
        (home / "engines").unlink()
        shutil.rmtree(layout.engines)
    layout.secrets.unlink(missing_ok=True)
    for name in _FILES:
        (home / name).unlink(missing_ok=True)
    for name in _OURS:
        shutil.rmtree(home / name, ignore_errors=True)
    if not any(home.iterdir()):
        home.rmdir()
