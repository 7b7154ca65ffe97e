"""What a load balancer asks of a process."""

import dataclasses

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, create_engine, text

from marketplace.dev.valkey import free_port


def test_a_process_with_everything_is_ready(client: FlaskClient) -> None:
    assert client.get("/healthz").text == "ok\n"
    answer = client.get("/readyz")
    assert (answer.status_code, answer.text) == (200, "database: ok\nbroker: ok\n")


def test_a_process_whose_database_lacks_a_migration_is_not_ready(
    client: FlaskClient, owner_engine: Engine
) -> None:
    with owner_engine.begin() as owner:
        owner.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.text.startswith("database: migration 0")


def test_a_process_without_its_broker_still_sells(app: Flask, client: FlaskClient) -> None:
    settings = app.extensions["settings"]
    nowhere = f"redis://127.0.0.1:{free_port()}/0"
    app.extensions["settings"] = dataclasses.replace(settings, redis_url=nowhere)
    try:
        answer = client.get("/readyz")
    finally:
        app.extensions["settings"] = settings
    assert (answer.status_code, answer.text) == (
        200,
        "database: ok\nbroker: away, messages and payouts wait\n",
    )


def test_a_process_without_its_database_is_alive_and_not_ready(app: Flask, client: FlaskClient) -> None:
    from marketplace.db import db

    nowhere = create_engine(f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/none")
    with app.app_context():
        engines = db.engines
        found, engines[None] = engines[None], nowhere
    try:
        assert client.get("/healthz").status_code == 200
        answer = client.get("/readyz")
    finally:
        with app.app_context():
            db.engines[None] = found
    assert (answer.status_code, answer.text) == (503, "database: away\nbroker: ok\n")
