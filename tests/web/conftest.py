"""Signing in without the code, for tests that are about something else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from bs4 import BeautifulSoup
from flask import Flask, g
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.orm import Session

from marketplace import broker
from marketplace.config import Settings
from marketplace.db import db, transaction
from marketplace.identity import service as identity
from marketplace.identity.models import User
from marketplace.oversight import tasks as oversight
from marketplace.web.kept import Kept
from marketplace.web.shared_pages import SharedPages
from tests.scenery import Scenery, paint
from tests.servers import Servers
from tests.watermark import wait_for_others
from tests.web.scene import Scene, build

SignIn = Callable[[User], FlaskClient]
_MONTHS = [
    *("Januari", "Februari", "Maret", "April", "Mei", "Juni"),
    *("Juli", "Agustus", "September", "Oktober", "November", "Desember"),
]


@pytest.fixture(scope="session")
def _painted_scene(servers: Servers, settings: Settings, _application: Flask) -> Iterator[Scenery[Scene]]:
    with paint(servers, settings, _application, "scene", _sealed_scene) as scenery:
        yield scenery


def _sealed_scene() -> Scene:
    with transaction() as session:
        scene = build(session)
    wait_for_others(db.session())
    oversight.seal()
    return scene


@pytest.fixture
def scene(app: Flask, session: Session, database: str, _painted_scene: Scenery[Scene]) -> Scene:
    """A copy of the scene: `scene.people` and the ids of what is theirs. The test is in the application."""
    session.rollback()
    return deepcopy(_painted_scene.put_up(app, database))


@pytest.fixture(autouse=True)
def _a_g_of_its_own_for_each_request(app: Flask) -> Iterator[None]:
    """The test's own application context, and so its `g`, would outlive each request."""

    def forget() -> None:
        for remembered in ("user", "participant", "provider", "signed_in", "zone", "_flask_babel"):
            g.pop(remembered, None)

    first = app.before_request_funcs.setdefault(None, [])
    first.insert(0, forget)
    yield
    first.remove(forget)


@pytest.fixture
def sign_in(app: object, client: FlaskClient) -> SignIn:
    """Make `client` the browser of a (committed) user."""

    def become(user: User) -> FlaskClient:
        with transaction() as session:
            token = identity.start_session(session, user, "test")
        with client.session_transaction() as cookie:
            cookie["token"] = token
        return client

    return become


@contextmanager
def counted(app: Flask) -> Iterator[list[str]]:
    """The statements that reach the database meanwhile."""
    statements: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield statements
    event.remove(db.engine, "before_cursor_execute", note)


def forget_kept(app: Flask) -> None:
    """Be a process that has just started: nothing of what is kept is in its memory."""
    for name in [*app.extensions]:
        if isinstance(app.extensions[name], Kept | SharedPages):
            app.extensions.pop(name)


@pytest.fixture
def keeping(app: Flask, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An application that keeps pages, as outside of tests, with nothing kept yet."""
    settings = app.extensions["settings"]
    monkeypatch.setattr(broker, "_silent_until", 0.0)
    app.extensions["settings"] = replace(settings, catalogue_seconds=60)
    forget_kept(app)
    yield
    app.extensions["settings"] = settings
    forget_kept(app)


def read(html: str) -> BeautifulSoup:
    """A page as a tree."""
    return BeautifulSoup(html, "html.parser")


def words(html: str) -> str:
    """What a person reads on a page: its text, with white space folded."""
    return " ".join(read(html).get_text(" ").split())


def written_day(instant: datetime) -> str:
    """A day in Jakarta as a page writes it: `23 November 2026`."""
    day = instant.astimezone(ZoneInfo("Asia/Jakarta"))
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def hidden_fields(html: str) -> dict[str, str]:
    """The hidden fields of the page's forms, without the CSRF token."""
    inputs = read(html).select("input[type=hidden]")
    return {str(each["name"]): str(each["value"]) for each in inputs if each["name"] != "csrf_token"}


def seen_on(browser: FlaskClient, address: str) -> dict[str, str]:
    """The mark of what a page shows, as its form brings it back."""
    return {"seen": hidden_fields(browser.get(address).text)["seen"]}
