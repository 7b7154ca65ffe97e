"""create_app(): the application with its pages, as web servers run it."""

from flask import Flask
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix
from whitenoise import WhiteNoise

from marketplace import web
from marketplace.config import Settings
from marketplace.core import build_core, refuse_old_database
from marketplace.web import attachments, security

csrf = CSRFProtect()


def create_app(settings: Settings | None = None) -> Flask:
    """The whole service.

    Raises ConfigurationError when the environment cannot carry it and, in production, when the database
    lacks a migration.
    """
    app = build_core(settings)
    settings = app.extensions["settings"]
    app.before_request(attachments.make_room)
    csrf.init_app(app)
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
    refuse_old_database(app)
    return app
