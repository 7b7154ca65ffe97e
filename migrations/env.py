"""How migrations run: as the owner of the database, never as the application's role."""

from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from alembic import context
from flask import current_app
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

import marketplace
from marketplace.config import ConfigurationError, Settings
from marketplace.db import db

# a migration that cannot get its lock gives up instead of making every request queue behind it
LOCK_TIMEOUT = "5s"
_RUNNING_AT_ONCE = 0x62656B616C  # any number: whoever holds it is migrating


def _import_models() -> None:
    """Every table must be known, or autogenerate would propose to drop it."""
    package = Path(marketplace.__file__).parent
    for path in sorted(package.glob("*/*models.py")):
        import_module(f"marketplace.{path.parent.name}.{path.stem}")


def _owner_url() -> str:
    settings: Settings = current_app.extensions["settings"]
    if not settings.database_owner_url:
        raise ConfigurationError("DATABASE_OWNER_URL names no database: migrations run as its owner")
    return settings.database_owner_url


def _include_name(name: str | None, kind: str, parents: Any) -> bool:
    """The ledger's schema is kept by hand-written SQL; autogenerate leaves it alone."""
    return kind != "schema" or name is None


def _include_object(item: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    return not (kind == "table" and item.schema == "ledger")


def _render_item(kind: str, item: Any, autogenerate_context: Any) -> str | Literal[False]:
    """Types of our own as the types of the database, so that a migration never imports the application."""
    implementation = getattr(item, "impl", None)
    if kind == "type" and implementation is not None and type(item).__module__.startswith("marketplace"):
        return f"sa.{implementation!r}"
    return False


def _run() -> None:
    _import_models()
    engine = create_engine(_owner_url(), poolclass=NullPool, connect_args={"options": "-c timezone=UTC"})
    with engine.connect() as connection:
        # two installations that start at once: the second waits, and finds nothing left to do
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _RUNNING_AT_ONCE})
        connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            include_name=_include_name,
            include_object=_include_object,
            render_item=_render_item,
            transaction_per_migration=True,
            compare_type=True,
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


if context.is_offline_mode():
    raise ConfigurationError("migrations are run against a database, not printed")
_run()
