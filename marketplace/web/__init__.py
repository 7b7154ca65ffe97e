"""Pages: server-rendered, Indonesian first, complete without script. One folder or file an audience."""

from flask import Flask
from flask_babel import Babel
from jinja2 import ChoiceLoader, PackageLoader, PrefixLoader

from marketplace.config import Settings
from marketplace.core import LANGUAGE
from marketplace.web import (
    account,
    applying,
    catalogue,
    certificates,
    compiled,
    compression,
    course_reviews,
    curation,
    desk,
    dev,
    errors,
    finance,
    formatting,
    health,
    limits,
    log,
    participant,
    people,
    provider,
    public,
    registration,
    security,
    shell,
    status,
)
from marketplace.web.access import Access, register
from marketplace.web.language import current_language

babel = Babel()


def install(app: Flask, settings: Settings) -> None:
    """Register every page with who may open it, and what all pages share."""
    babel.init_app(app, locale_selector=current_language, **LANGUAGE)
    govuk = PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})
    app.jinja_env.loader = ChoiceLoader([app.jinja_env.loader or govuk, govuk])
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    compiled.install(app, settings)
    for part in (formatting, security, shell, errors, compression):
        part.install(app)
    register(app, public.pages, Access.PUBLIC)
    register(app, health.pages, Access.PUBLIC)
    register(app, status.pages, Access.PUBLIC)
    register(app, catalogue.pages, Access.PUBLIC)
    register(app, log.pages, Access.PUBLIC)
    register(app, course_reviews.pages, Access.PUBLIC)
    register(app, certificates.pages, Access.PUBLIC)
    register(app, account.pages, Access.PUBLIC)
    register(app, registration.pages, Access.SIGNED_IN)
    register(app, applying.pages, Access.SIGNED_IN)
    register(app, participant.pages, Access.PARTICIPANT)
    register(app, provider.pages, Access.PROVIDER)
    register(app, finance.pages, Access.FINANCE)
    register(app, curation.pages, Access.CURATOR)
    register(app, desk.pages, Access.DESK)
    register(app, people.pages, Access.PEOPLE)
    if not settings.is_production:
        register(app, dev.pages, Access.DEVELOPMENT)
    limits.install(app, settings)
