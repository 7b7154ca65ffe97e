"""Headers that every page carries: no frame, no third party, no shared cache, and no script but where a page
names one of our own files."""

import uuid
from collections.abc import MutableMapping

import structlog
from flask import Flask, Response, g, request

from marketplace.web.assets import asset_url

POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'none'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
WITH_SCRIPT = f"{POLICY}; script-src 'self'; connect-src 'self'"
"""Of a page that names one of our scripts. Inline ones stay forbidden there too."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def install(app: Flask) -> None:
    """Give each request an id and each answer its headers."""
    app.before_request(_begin)
    app.after_request(_protect)
    app.jinja_env.globals["script_url"] = script_url


def script_url(name: str) -> str:
    """The address of a script of ours. The page that asks for it is allowed to run it."""
    g.runs_script = True
    return asset_url(name)


def protect_file(headers: MutableMapping[str, str], path: str, url: str) -> None:
    """Headers of a file under static: it is what its type says, and nothing else."""
    headers["X-Content-Type-Options"] = HEADERS["X-Content-Type-Options"]


def _begin() -> None:
    g.request_id = uuid.uuid4().hex
    g.runs_script = False
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _protect(response: Response) -> Response:
    if g.get("runs_script"):
        response.headers["Content-Security-Policy"] = WITH_SCRIPT
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Request-Id"] = g.get("request_id", "")
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "private, no-store")
    return response
