"""create_app(): the application, its extensions, and who may open which blueprint."""

import gc

import structlog
from flask import Flask
from flask_migrate import Migrate
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix
from whitenoise import WhiteNoise

from marketplace import broker, cli, encryption, logs, schedule, web
from marketplace.cli.engines import starting
from marketplace.config import Settings, load_settings
from marketplace.db import db
from marketplace.web import security

log = structlog.get_logger(__name__)

ROOT = "../"
csrf = CSRFProtect()
migrate = Migrate()


def create_app(settings: Settings | None = None) -> Flask:
    """The whole service. Raises ConfigurationError when the environment cannot carry it."""
    settings = settings or load_settings()
    app = Flask(__name__, template_folder=ROOT + "templates", static_folder=ROOT + "static")
    app.config.update(_flask_config(settings))
    app.extensions["settings"] = settings
    logs.configure(settings)
    encryption.configure(settings.encryption_key)
    db.init_app(app)
    migrate.init_app(app, db, directory="migrations")
    csrf.init_app(app)
    schedule.install(broker.build_celery(app, settings), settings)
    web.install(app, settings)
    cli.install(app, settings)
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


def create_cli_app() -> Flask:
    """The service as the `flask` command sees it: stopped embedded engines run while the command does."""
    with starting():
        app = create_app()
    # all of it stays until the end, where looking through it for garbage would take half a second
    gc.freeze()
    return app


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
