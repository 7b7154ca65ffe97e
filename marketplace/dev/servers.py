"""Real servers that somebody named: whether they answer, before anything is started that needs them."""

import psycopg
import redis
from sqlalchemy import make_url

from marketplace.config import Settings
from marketplace.dev.errors import DevelopmentError

_SECONDS = 5


def check_reachable(settings: Settings) -> None:
    """Raise DevelopmentError naming the first server that does not let us in, in its own words."""
    named = {"DATABASE_OWNER_URL": settings.database_owner_url, "DATABASE_URL": settings.database_url}
    for name, address in named.items():
        url = make_url(address).set(drivername="postgresql")
        try:
            psycopg.connect(url.render_as_string(hide_password=False), connect_timeout=_SECONDS).close()
        except psycopg.OperationalError as error:
            raise DevelopmentError(f"{name} does not work: {' '.join(str(error).split())}") from error
    try:
        with redis.Redis.from_url(settings.redis_url, socket_connect_timeout=_SECONDS) as client:
            client.ping()
    except (redis.exceptions.RedisError, ValueError) as error:
        raise DevelopmentError(f"REDIS_URL does not work: {error}") from error
