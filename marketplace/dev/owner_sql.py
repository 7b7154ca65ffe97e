"""One statement of SQL as the database's owner: to look behind the application, and to try to cheat it."""

import psycopg
from sqlalchemy import make_url

from marketplace.dev.errors import DevelopmentError


def execute(owner_url: str, statement: str) -> tuple[str, list[list[str]]]:
    """What PostgreSQL says of it, and the rows that it returns, as text. Raises DevelopmentError."""
    plain = make_url(owner_url).set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        with psycopg.connect(plain) as connection:
            done = connection.execute(statement.encode())
            rows = done.fetchall() if done.description else []
            return done.statusmessage or "", [[str(value) for value in row] for row in rows]
    except psycopg.Error as error:
        raise DevelopmentError(str(error).strip()) from error
