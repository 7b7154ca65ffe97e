"""Where an embedded installation keeps its files, and which account its engines run under.

PostgreSQL refuses to run as root. As root it therefore runs as an unprivileged account, and that
account must be able to reach its data: where the data folder lies below a closed folder such as
/root, the engines' part of it moves to /var/lib/bekal and the data folder holds a link. Modes of
folders that are not ours are never touched.
"""

import errno
import hashlib
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from marketplace.dev.errors import DevelopmentError

CHECKOUT = Path(__file__).resolve().parents[2]
_OUTSIDE = Path("/var/lib/bekal")
_ENGINE_ACCOUNT = "nobody"
# sun_path holds 107 characters; PostgreSQL appends ".s.PGSQL.5432.lock"
_LONGEST_SOCKET_FOLDER = 107 - len("/.s.PGSQL.5432.lock")


@dataclass(frozen=True, slots=True)
class Account:
    """The operating system's account that the engines run under."""

    uid: int
    gid: int

    def may_enter(self, folder: Path) -> bool:
        """Whether every folder on the way is open to this account."""
        resolved = folder.resolve()
        return all(self._may_pass(part) for part in (resolved, *resolved.parents) if part.exists())

    def _may_pass(self, folder: Path) -> bool:
        status = folder.stat()
        if status.st_uid == self.uid:
            return bool(status.st_mode & stat.S_IXUSR)
        if status.st_gid == self.gid:
            return bool(status.st_mode & stat.S_IXGRP)
        return bool(status.st_mode & stat.S_IXOTH)


def engine_account() -> Account | None:
    """The account to change to before starting an engine, or None where we are not root."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(_ENGINE_ACCOUNT)
    except KeyError as error:
        raise DevelopmentError(
            f"as root the engines run as {_ENGINE_ACCOUNT!r}, and this system has no such account; "
            "run as an ordinary user instead"
        ) from error
    return Account(entry.pw_uid, entry.pw_gid)


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders of one embedded installation. `home` is BEKAL_HOME."""

    home: Path
    engines: Path
    account: Account | None

    @property
    def run(self) -> Path:
        """Addresses, process records and the lock of the installation that runs now."""
        return self.home / "run"

    @property
    def log(self) -> Path:
        """One log file per process."""
        return self.home / "log"

    @property
    def addresses(self) -> Path:
        """Where `marketplace.config` finds the engines. Mode 0600: it holds passwords."""
        return self.run / "engines.json"

    @property
    def secrets(self) -> Path:
        """Passwords of the database roles and of Valkey. Mode 0600."""
        return self.home / "engines.secret.json"

    @property
    def sockets_inside(self) -> Path | None:
        """The socket folder within the installation, or None where its path would be too long, or has
        a mark that ends a name in PostgreSQL's list of folders."""
        folder = self.engines / "sockets"
        is_plain = not set(',"') & set(str(folder))
        return folder if is_plain and len(os.fsencode(folder)) <= _LONGEST_SOCKET_FOLDER else None


def prepare(home: Path) -> Layout:
    """Make the folders of an installation, private to its owner, and say where they are.

    Raises DevelopmentError where that is not possible: a file in the way, somebody else's folder.
    """
    home = home.resolve()
    try:
        return _prepare(home, engine_account())
    except OSError as error:
        raise DevelopmentError(
            f"the data folder {home} cannot be used ({error.strerror}: {error.filename}); "
            "choose another one, for example: BEKAL_HOME=~/bekal make run"
        ) from error


def _prepare(home: Path, account: Account | None) -> Layout:
    if not home.exists():
        home.mkdir(parents=True)
        # as root, the engines' account must be able to walk through; it can list nothing
        home.chmod(0o711 if account else 0o700)
    layout = Layout(home, _engine_folder(home, account), account)
    for folder in (layout.run, layout.log):
        folder.mkdir(mode=0o700, exist_ok=True)
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
    return layout


def make_engine_folder(layout: Layout) -> None:
    """Make the engines' folder, and a link to it where it had to move out of the data folder."""
    layout.engines.mkdir(parents=True, exist_ok=True)
    layout.engines.chmod(0o711)
    link = layout.home / "engines"
    if link != layout.engines and not link.is_symlink():
        link.symlink_to(layout.engines)


def _engine_folder(home: Path, account: Account | None) -> Path:
    if account is None or account.may_enter(home):
        return home / "engines"
    return _OUTSIDE / hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
