"""What every process has: settings, logs, the database, Celery, words. Pages and commands come on top.

Apart from both, so that a worker starts without pages and a command without what it does not use.
"""

import structlog
from flask import Flask
from flask_babel import Babel
from sqlalchemy.exc import OperationalError

from marketplace import broker, encryption, logs, schedule
from marketplace.config import ConfigurationError, Settings, load_settings
from marketplace.db import attach, db, find_missing_migration

log = structlog.get_logger(__name__)

_ROOT = "../"

LANGUAGE = {
    "default_locale": "id",
    "default_timezone": "Asia/Jakarta",
    "default_translation_directories": "translations",
}
"""Of what nobody has chosen a language for; pages ask their reader."""


def build_core(settings: Settings | None = None) -> Flask:
    """An application without pages. Raises ConfigurationError when the environment cannot carry it."""
    settings = settings or load_settings()
    app = Flask(__name__, template_folder=_ROOT + "templates", static_folder=_ROOT + "static")
    app.config.update(_flask_config(settings))
    app.extensions["settings"] = settings
    logs.configure(settings)
    encryption.configure(settings.encryption_key)
    attach(app)
    Babel(app, **LANGUAGE)
    schedule.install(broker.build_celery(app, settings), settings)
    return app


def refuse_old_database(app: Flask) -> None:
    """In production, raise ConfigurationError where the database lacks a migration.

    A database that is away is no reason: it may come back.
    """
    if not app.extensions["settings"].is_production:
        return
    with app.app_context():
        try:
            missing = find_missing_migration(db.session())
        except OperationalError as error:
            log.error("database_not_ready", error=str(error))
            return
        finally:
            db.session.remove()
        if missing:
            db.engine.dispose()
            raise ConfigurationError(f"the database lacks migration {missing}: run `flask db upgrade` first")


def _flask_config(settings: Settings) -> dict[str, object]:
    return {
        "SECRET_KEY": settings.secret_key,
        "SQLALCHEMY_DATABASE_URI": settings.database_url or "postgresql+psycopg://",
        "SQLALCHEMY_ENGINE_OPTIONS": {
            "pool_size": 8,
            "max_overflow": 8,
            "pool_timeout": 5,
            "pool_pre_ping": True,
            # what a statement carries is personal data, and errors are logged
            "hide_parameters": True,
            "isolation_level": "READ COMMITTED",
            "connect_args": {"connect_timeout": 5, "options": "-c timezone=UTC -c lock_timeout=10s"},
        },
        "SESSION_COOKIE_NAME": "bekal",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": settings.is_production,
        "MAX_CONTENT_LENGTH": 2 * 1024 * 1024,
        "WTF_CSRF_TIME_LIMIT": None,
        "TESTING": settings.environment == "test",
    }
