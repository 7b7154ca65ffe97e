"""create_app(): the application, its extensions, and who may open which blueprint."""

import structlog
from flask import Flask
from flask_wtf import CSRFProtect
from sqlalchemy.exc import OperationalError
from werkzeug.middleware.proxy_fix import ProxyFix
from whitenoise import WhiteNoise

from marketplace import broker, encryption, logs, schedule, web
from marketplace.config import ConfigurationError, Settings, load_settings
from marketplace.db import db, find_missing_migration
from marketplace.web import security

log = structlog.get_logger(__name__)

ROOT = "../"
csrf = CSRFProtect()


def create_app(settings: Settings | None = None) -> Flask:
    """The service as web servers and workers run it. Raises ConfigurationError like build_app().

    In production also when the database lacks a migration. One that is away is no reason: it may come back.
    """
    app = build_app(settings)
    if app.extensions["settings"].is_production:
        with app.app_context():
            _refuse_old_database()
    return app


def build_app(settings: Settings | None = None) -> Flask:
    """The whole service. Raises ConfigurationError when the environment cannot carry it."""
    settings = settings or load_settings()
    app = Flask(__name__, template_folder=ROOT + "templates", static_folder=ROOT + "static")
    app.config.update(_flask_config(settings))
    app.extensions["settings"] = settings
    logs.configure(settings)
    encryption.configure(settings.encryption_key)
    db.init_app(app)
    csrf.init_app(app)
    schedule.install(broker.build_celery(app, settings), settings)
    web.install(app, settings)
    app.wsgi_app = WhiteNoise(  # type: ignore[method-assign] # how WSGI middleware is installed
        app.wsgi_app,
        root=app.static_folder,
        prefix="static/",
        max_age=86400,
        add_headers_function=security.protect_file,
    )
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign] # the same
    return app


def _refuse_old_database() -> None:
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
