"""A PostgreSQL of the bench's own, set up to lose nothing, in a folder that goes when the bench ends."""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import URL, make_url

from marketplace.dev.binaries import locate
from marketplace.dev.engines import running
from marketplace.dev.layout import prepare
from marketplace.dev.postgres import APPLICATION, DATABASE, OWNER
from marketplace.dev.supervisor import Say

SUPERUSER = "postgres"


@dataclass(frozen=True, slots=True)
class Server:
    """Where the server and its programs are, and the roles' addresses."""

    folder: Path
    programs: Path
    redis_url: str
    roles: Mapping[str, URL]

    def url(self, role: str, database: str) -> str:
        """A role's SQLAlchemy address of a database."""
        return self.roles[role].set(database=database).render_as_string(hide_password=False)

    def connect(self, role: str, database: str) -> psycopg.Connection[tuple[object, ...]]:
        """A connection of a role, each statement its own transaction."""
        url = self.roles[role].set(drivername="postgresql", database=database)
        return psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)

    def create_database(self, name: str) -> None:
        """Make a database that belongs to the owner's role."""
        with self.connect(SUPERUSER, "postgres") as connection:
            names = [sql.Identifier(each) for each in (name, OWNER)]
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(*names))

    def program(self, name: str, arguments: list[str], role: str, database: str) -> str:
        """Run one of PostgreSQL's own programs against a database and return what it prints."""
        url = self.roles[role]
        place = {
            "PGHOST": str(url.query["host"]),
            "PGPORT": str(url.query["port"]),
            "PGUSER": role,
            "PGPASSWORD": url.password or "",
            "PGDATABASE": database,
        }
        command = [str(self.programs / name), *arguments]
        result = subprocess.run(
            command, env={**os.environ, **place}, capture_output=True, text=True, check=False
        )
        if result.returncode:
            raise RuntimeError(f"{name} ended with {result.returncode}:\n{result.stdout}{result.stderr}")
        return result.stdout

    def disk(self) -> str:
        """The file system that the data lies on: type and device, as the kernel names them."""
        mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
        inside = [(point, kind, device) for device, point, kind, *_ in mounts if self._lies_below(point)]
        _, kind, device = max(inside, key=lambda each: len(each[0]))
        return f"{kind} on {device}"

    def _lies_below(self, point: str) -> bool:
        return self.folder.is_relative_to(point)


@contextmanager
def serving(say: Say) -> Iterator[Server]:
    """A server with production's settings, in a folder of the machine's temporary one (TMPDIR)."""
    with tempfile.TemporaryDirectory(prefix="bekal-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        home = Path(folder).resolve() / "home"
        with running(home, {}, say, durable=True, temporary=True) as addresses:
            roles = {
                APPLICATION: make_url(addresses.database_url),
                OWNER: make_url(addresses.database_owner_url),
                SUPERUSER: make_url(addresses.database_admin_url),
            }
            programs = locate(prepare(home)).postgres
            yield Server(Path(folder).resolve(), programs, addresses.redis_url, roles)


def settings_that_matter(server: Server) -> str:
    """What the server says of its own durability, for the head of the table."""
    names = ("fsync", "synchronous_commit", "full_page_writes", "shared_buffers")
    with server.connect(SUPERUSER, DATABASE) as connection:
        shown = [
            connection.execute(sql.SQL("SHOW {}").format(sql.Identifier(each))).fetchone() for each in names
        ]
        version = connection.execute("SHOW server_version").fetchone()
    values = ", ".join(f"{name} {row[0]}" for name, row in zip(names, shown, strict=True) if row)
    return f"PostgreSQL {version[0] if version else '?'}, {values}"
