"""The servers that the suite runs on, a migrated template, and quick copies of it.

Without DATABASE_URL the suite starts engines of its own in a temporary folder. With it, the named
server is used: the address is taken for a role that may create roles and databases, and the suite
makes its own, never touching others. One template database is migrated once; each test that may
write gets a copy (some 40 ms), because the ledger's tables refuse to be emptied, by design.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from flask import Flask
from flask_migrate import Migrate, upgrade
from psycopg import sql
from sqlalchemy import URL, make_url

from marketplace.config import load_settings
from marketplace.db import db
from marketplace.dev.engines import running

ROOT = Path(__file__).resolve().parents[1]
OWNER = "bekal_owner"
APPLICATION = "bekal_app"
_ROOM_BYTES = 2 * 1024**3
_KNOWS_SCRAM_ITERATIONS = 160000
_TEMPLATE_LOCK = 0x62656B616C
# copying files beats writing WAL for a template this small; PostgreSQL 15 knows both
_CLONE = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {} STRATEGY FILE_COPY")
_DROP = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")

_CONNECTIONS: dict[str, psycopg.Connection[tuple[object, ...]]] = {}


@dataclass(frozen=True, slots=True)
class Servers:
    """Addresses of the servers under test. `prefix` begins the name of every database we make."""

    admin_url: str
    redis_url: str
    prefix: str
    role_password: str

    def url(self, role: str, database: str) -> str:
        """A role's SQLAlchemy address of a database."""
        admin = make_url(self.admin_url)
        url = admin.set(username=role, password=self.role_password, database=database)
        return url.render_as_string(hide_password=False)

    def redis(self, worker: int) -> str:
        """The Redis database of one test worker."""
        base, _, first = self.redis_url.rpartition("/")
        return f"{base}/{int(first or 0) + worker}" if first.isdigit() else f"{self.redis_url}/{worker}"

    @contextmanager
    def admin(self) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
        """A connection that may create databases, each statement its own transaction."""
        yield _admin_connection(self.admin_url)

    @property
    def template(self) -> str:
        return f"{self.prefix}_template"

    def clone(self, name: str, template: str = "") -> None:
        """Make `name` a fresh copy in place of what it was: of the migrated template, or of another
        database that nobody is connected to.
        """
        with self.admin() as connection:
            self._ensure_template(connection)
            connection.execute(_DROP.format(sql.Identifier(name)))
            names = [sql.Identifier(each) for each in (name, template or self.template, OWNER)]
            connection.execute(_CLONE.format(*names))

    def drop(self, name: str) -> None:
        """Remove a copy, whoever is still connected to it."""
        with self.admin() as connection:
            connection.execute(_DROP.format(sql.Identifier(name)))

    def _ensure_template(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        """Migrate the template once, whichever worker comes first; the others wait for it."""
        if exists(connection, self.template):
            return
        connection.execute("SELECT pg_advisory_lock(%s)", [_TEMPLATE_LOCK])
        try:
            if not exists(connection, self.template):
                self._build_template(connection)
        finally:
            connection.execute("SELECT pg_advisory_unlock(%s)", [_TEMPLATE_LOCK])

    def _build_template(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        draft = f"{self.prefix}_draft"
        self.drop(draft)
        names = [sql.Identifier(each) for each in (draft, OWNER)]
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(*names))
        migrate(self.url(APPLICATION, draft), self.url(OWNER, draft))
        rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        connection.execute(rename.format(sql.Identifier(draft), sql.Identifier(self.template)))


def _admin_connection(url: str) -> psycopg.Connection[tuple[object, ...]]:
    """One for a process of the suite, which asks for a database at nearly every test."""
    if url not in _CONNECTIONS:
        _CONNECTIONS[url] = psycopg.connect(plain(make_url(url)), autocommit=True)
    return _CONNECTIONS[url]


def hang_up() -> None:
    """Close what `Servers.admin` has opened in this process."""
    while _CONNECTIONS:
        _CONNECTIONS.popitem()[1].close()


def plain(url: URL) -> str:
    """A SQLAlchemy address as psycopg itself understands it."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def exists(connection: psycopg.Connection[tuple[object, ...]], database: str) -> bool:
    """Whether the server has a database of this name."""
    query = "SELECT 1 FROM pg_database WHERE datname = %s"
    return connection.execute(query, [database]).fetchone() is not None


def migrate(database_url: str, owner_url: str) -> None:
    """Run the migrations as the owner. An application of nothing but the database is enough for them."""
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = database_url
    addresses = {"DATABASE_URL": database_url, "DATABASE_OWNER_URL": owner_url}
    app.extensions["settings"] = load_settings({"BEKAL_ENV": "test", **addresses})
    db.init_app(app)
    Migrate(app, db, directory=str(ROOT / "migrations"))
    with app.app_context():
        upgrade()
        db.engine.dispose()


def to_dict(servers: Servers) -> dict[str, str]:
    """For handing over to a pytest-xdist worker."""
    return asdict(servers)


@contextmanager
def provided(environ: Mapping[str, str]) -> Iterator[Servers]:
    """The servers for one run of the suite; everything made on them is removed afterwards."""
    prefix = f"bekal_test_{os.getpid()}"
    if environ.get("DATABASE_URL"):
        with _named(environ, prefix) as servers:
            yield servers
        return
    with TemporaryDirectory(prefix="bekal-test-", dir=quick_folder()) as folder:
        Path(folder).chmod(0o711)
        with running(Path(folder) / "home", {}, print, durable=False, temporary=True) as engines:
            # our own engines have both roles already; their password is all that the suite must know
            servers = Servers(engines.database_admin_url, engines.redis_url, prefix, os.urandom(16).hex())
            with _roles(servers):
                yield servers


def quick_folder() -> str | None:
    """Memory instead of a disk, where there is plenty: a copy of a database is a thousand files."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        return None
    room = os.statvfs(memory)
    fits = room.f_bavail * room.f_frsize > _ROOM_BYTES and not room.f_flag & os.ST_NOEXEC
    return str(memory) if fits else None


@contextmanager
def _named(environ: Mapping[str, str], prefix: str) -> Iterator[Servers]:
    if not environ.get("REDIS_URL"):
        raise RuntimeError("DATABASE_URL is set but REDIS_URL is not: name both servers, or neither")
    admin_url = make_url(environ["DATABASE_URL"]).set(drivername="postgresql+psycopg")
    admin = admin_url.render_as_string(hide_password=False)
    # the same for every run against this server, so that two runs do not lock each other out
    password = hashlib.sha256(f"suite:{admin}".encode()).hexdigest()[:32]
    servers = Servers(admin, environ["REDIS_URL"], prefix, password)
    with servers.admin() as connection:
        if exists(connection, "bekal"):
            raise RuntimeError("this server holds a database named bekal: give the suite a server of its own")
    with _roles(servers):
        try:
            yield servers
        finally:
            _drop_databases(servers)


def _drop_databases(servers: Servers) -> None:
    with servers.admin() as connection:
        query = "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"
        names = [str(name) for (name,) in connection.execute(query, [servers.prefix]).fetchall()]
    for name in names:
        servers.drop(name)


@contextmanager
def _roles(servers: Servers) -> Iterator[None]:
    """Both roles of an installation, removed again if they are ours.

    The role that we connect as becomes a member of both: a role that is no superuser may then make
    databases for the owner, and end the application's connections.
    """
    made = []
    with servers.admin() as connection:
        if connection.info.server_version >= _KNOWS_SCRAM_ITERATIONS:
            # a suite connects some thousand times, and each proof of a password took milliseconds
            connection.execute("SET scram_iterations = 1")
        for role in (OWNER, APPLICATION):
            name = sql.Identifier(role)
            known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
            if not known:
                made.append(name)
            statement = sql.SQL("{} ROLE {} LOGIN PASSWORD {}")
            verb = sql.SQL("ALTER" if known else "CREATE")
            connection.execute(statement.format(verb, name, sql.Literal(servers.role_password)))
            connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(name))
    try:
        yield
    finally:
        with servers.admin() as connection:
            for name in made:
                connection.execute(sql.SQL("DROP ROLE {}").format(name))
