"""What cannot work is said in one line with exit code 2, never by a traceback."""

import os
from pathlib import Path

import pytest

from tests import commands

_NOWHERE = "postgresql://bekal_app:s3cret@127.0.0.1:1/bekal"
_REAL = {"DATABASE_URL": _NOWHERE, "DATABASE_OWNER_URL": _NOWHERE, "REDIS_URL": "redis://127.0.0.1:1/0"}
_OURS = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "BEKAL_ENV", "BEKAL_HOME")


@pytest.mark.parametrize(
    ("command", "environ", "said"),
    [
        ("ledger balance fund:2023", _REAL, "the database cannot be used"),
        ("dev clock", {"DATABASE_URL": _NOWHERE}, "DATABASE_OWNER_URL names no database"),
        ("dev up", _REAL, "DATABASE_OWNER_URL does not work"),
        ("dev up", {"BEKAL_ENV": "production"}, "production needs DATABASE_URL"),
        ("dev up", {"BEKAL_TICK_SECONDS": "soon"}, "BEKAL_TICK_SECONDS must be a number"),
        ("ledger verify", {"BEKAL_HOME": "/proc/bekal"}, "the data folder /proc/bekal cannot be used"),
        ("dev up", {"BEKAL_HOME": "/etc/hostname"}, "the data folder /etc/hostname cannot be used"),
    ],
)
def test_it_is_said_what_is_wrong(tmp_path: Path, command: str, environ: dict[str, str], said: str) -> None:
    clean = {name: value for name, value in os.environ.items() if name not in _OURS}
    result = commands.flask(clean | {"BEKAL_HOME": str(tmp_path / "home")} | environ, *command.split())
    assert result.returncode == 2, result.stderr
    [line] = result.stderr.splitlines()
    assert line.startswith("bekal: ") and said in line
    assert "s3cret" not in line
