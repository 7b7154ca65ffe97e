"""What a load balancer asks: is the process there, and can it serve."""

import redis
import structlog
from flask import Blueprint, Response, current_app
from sqlalchemy.exc import SQLAlchemyError

from marketplace import db
from marketplace.config import Settings

log = structlog.get_logger(__name__)

pages = Blueprint("health", __name__)

OK = "ok"
_BROKER_SECONDS = 0.5


@pages.get("/healthz")
def healthz() -> Response:
    """The process answers."""
    return Response("ok\n", mimetype="text/plain")


@pages.get("/readyz")
def readyz() -> Response:
    """Whether this process can serve: 503 without its database, or before its migrations.

    A broker that is away is told and is no reason to send people elsewhere: selling goes on without it.
    """
    database = database_state()
    answers = broker_answers(current_app.extensions["settings"])
    broker = "ok" if answers else "away, messages and payouts wait"
    return Response(
        f"database: {database}\nbroker: {broker}\n", 200 if database == OK else 503, mimetype="text/plain"
    )


def database_state() -> str:
    """OK, or what keeps this process from serving."""
    try:
        missing = db.find_missing_migration(db.session())
    except SQLAlchemyError as error:
        log.error("database_not_ready", error=str(error))
        return "away"
    return f"migration {missing} is missing" if missing else OK


def broker_answers(settings: Settings) -> bool:
    """Whether messages and payouts go out at once; asked for half a second at most."""
    client = redis.Redis.from_url(
        settings.redis_url, socket_timeout=_BROKER_SECONDS, socket_connect_timeout=_BROKER_SECONDS
    )
    with client:
        try:
            return bool(client.ping())
        except redis.RedisError as error:
            log.warning("broker_unavailable", error=str(error))
            return False
