"""The migrations build what the models say, and can be undone."""

import dataclasses
import shlex

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from flask_migrate import Config
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.orm import Session

from marketplace.app import create_app
from marketplace.catalogue.publishing import note_sold
from marketplace.command import equip
from marketplace.config import ConfigurationError, Settings
from marketplace.db import db
from marketplace.dev.valkey import free_port
from tests import factories
from tests.marketplace.enrolments.scenes import buy

REFUSED = (
    "clock",
    "clock advance 1d",
    "sql 'SELECT 1'",
    "reset --yes",
    "seed",
    "runs",
    "staff",
    "books",
    "engines",
    "up",
)
"""Commands of `flask dev` that would forge time, rows or people."""


def _config(app: Flask) -> Config:
    config: Config = app.extensions["migrate"].migrate.get_config("migrations")
    return config


def _differences(connection: Connection) -> list[object]:
    def ours(item: object, name: str | None, kind: str, reflected: bool, compare_to: object) -> bool:
        return kind != "table" or getattr(item, "schema", None) is None

    context = MigrationContext.configure(
        connection, opts={"include_object": ours, "compare_type": True, "compare_server_default": True}
    )
    return list(compare_metadata(context, db.metadata))


def test_the_migrated_database_is_what_the_models_say(app: Flask, owner_engine: Engine) -> None:
    with owner_engine.connect() as connection:
        assert _differences(connection) == []


def test_a_column_that_no_migration_makes_is_noticed(app: Flask, owner_engine: Engine) -> None:
    """Negative control of the test above."""
    with owner_engine.begin() as connection:
        connection.execute(text("ALTER TABLE course DROP COLUMN language"))
        assert _differences(connection)


def test_migrations_can_be_undone_and_done_again(
    app: Flask, settings: Settings, owner_engine: Engine
) -> None:
    with app.app_context():
        command.downgrade(_config(app), "base")
        assert inspect(owner_engine).get_table_names() == ["alembic_version"]
        command.upgrade(_config(app), "head")
    with owner_engine.connect() as connection:
        assert _differences(connection) == []
        assert connection.execute(text("SELECT count(*) FROM scheme")).scalar() == 2


def test_what_was_bought_before_gets_the_title_that_was_sold(
    app: Flask, session: Session, owner_engine: Engine
) -> None:
    written, imported = (factories.make_course(session, title="Menjahit", hours=24) for _ in range(2))
    note_sold(session, written, None)
    runs = [factories.make_run(session, course) for course in (written, imported)]
    bought = [buy(session, run).id for run in runs]
    for course in (written, imported):
        course.title, course.hours, course.version = "Menjahit Kebaya", 40, 2
    bought.append(buy(session, runs[0]).id)
    session.commit()
    command.downgrade(_config(app), "0017-1")
    command.upgrade(_config(app), "head")
    with owner_engine.connect() as connection:
        found = connection.execute(text("SELECT id, course_title, course_hours FROM enrolment")).all()
    kept = {key: (title, hours) for key, title, hours in found}
    now = ("Menjahit Kebaya", 40)
    assert [kept[key] for key in bought] == [("Menjahit", 24), now, now]  # no version tells of the second


def test_the_application_role_owns_nothing(owner_engine: Engine) -> None:
    owned = text(
        "SELECT relname FROM pg_class WHERE relowner = 'bekal_app'::regrole UNION ALL "
        "SELECT proname FROM pg_proc WHERE proowner = 'bekal_app'::regrole"
    )
    with owner_engine.connect() as connection:
        assert connection.execute(owned).all() == []


def test_tables_of_later_migrations_are_open_to_the_application(
    owner_engine: Engine, app_engine: Engine
) -> None:
    with owner_engine.begin() as connection:
        connection.execute(text("CREATE TABLE later (id int)"))
    with app_engine.begin() as connection:
        connection.execute(text("INSERT INTO later VALUES (1)"))
        assert connection.execute(text("SELECT id FROM later")).scalar() == 1


def test_production_has_no_development_and_starts_only_with_every_migration(
    settings: Settings, database: str, owner_engine: Engine
) -> None:
    production = dataclasses.replace(settings, environment="production")
    served = equip(create_app(production))
    visitor = served.test_client()
    assert visitor.get("/masuk", base_url="https://bekal.example").status_code == 200
    assert visitor.get("/dev/inbox", base_url="https://bekal.example").status_code == 404
    assert visitor.post("/dev/sign-in", base_url="https://bekal.example").status_code == 404
    for words in REFUSED:
        result = served.test_cli_runner().invoke(args=["dev", *shlex.split(words)])
        assert (result.exit_code, result.stdout) == (2, ""), words
        assert result.stderr.startswith("bekal: refused: BEKAL_ENV=production"), words
    with served.app_context():
        db.engine.dispose()
    with owner_engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    with pytest.raises(ConfigurationError, match="run `flask db upgrade` first"):
        create_app(production)


def test_production_starts_and_waits_while_its_database_is_away(settings: Settings) -> None:
    nowhere = f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/none"
    waiting = create_app(dataclasses.replace(settings, environment="production", database_url=nowhere))
    assert waiting.test_client().get("/readyz").status_code == 503
