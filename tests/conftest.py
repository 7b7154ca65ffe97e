"""Fixtures of the whole suite: servers, a database per test, the application, clients, a browser."""

import gc
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import redis as redis_client
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session

from marketplace.config import Settings, load_settings
from tests import servers as test_servers
from tests.scenery import make_current
from tests.servers import APPLICATION, OWNER, Servers
from tests.sharing import share_compiled
from tests.thorough import THOROUGH

pytest_plugins = ["tests.live", "tests.browser", "tests.skips"]

_STACK = pytest.StashKey[ExitStack]()
_SERVERS = pytest.StashKey[Servers]()


def _servers_of(config: pytest.Config) -> Servers:
    """Start the servers when the first test (or the first worker) asks for them."""
    if _SERVERS not in config.stash:
        given = getattr(config, "workerinput", {}).get("bekal")
        if given is None:
            config.stash[_STACK] = ExitStack()
            config.stash[_SERVERS] = config.stash[_STACK].enter_context(test_servers.provided(os.environ))
        else:
            config.stash[_SERVERS] = Servers(**given)
    return config.stash[_SERVERS]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long modules first: the short ones then fill the workers evenly until the end.

    What is only for those who wait for nothing is left out at a desk, and counted as deselected.
    """
    left_out = [] if THOROUGH else [item for item in items if item.get_closest_marker("thorough")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_collection_finish() -> None:
    """What has been imported stays: whoever looks for garbage need not look there every few tests."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """pytest-xdist: one set of servers for all workers, started by the controlling process."""
    node.workerinput["bekal"] = test_servers.to_dict(_servers_of(node.config))


def pytest_unconfigure(config: pytest.Config) -> None:
    if _STACK in config.stash:
        config.stash[_STACK].close()
    test_servers.hang_up()


@pytest.fixture(scope="session")
def servers(pytestconfig: pytest.Config) -> Servers:
    """PostgreSQL and Redis/Valkey of this run, with `clone()` for databases of one's own."""
    return _servers_of(pytestconfig)


@pytest.fixture(scope="session")
def worker_number(pytestconfig: pytest.Config) -> int:
    """1, 2, 3 ... for parallel workers, 1 without them."""
    name = getattr(pytestconfig, "workerinput", {}).get("workerid", "gw0")
    return int(name.removeprefix("gw")) + 1


@pytest.fixture(scope="session")
def compiled(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What processes of this run keep for each other: templates, compiled once for all."""
    folder = tmp_path_factory.getbasetemp()
    return (folder.parent if hasattr(pytestconfig, "workerinput") else folder) / "compiled"


@pytest.fixture(scope="session")
def settings(
    servers: Servers, worker_number: int, tmp_path_factory: pytest.TempPathFactory, compiled: Path
) -> Settings:
    """Settings of the application under test: this worker's database, Redis and folders."""
    home = tmp_path_factory.mktemp("home")
    share_compiled(compiled, home)
    name = f"{servers.prefix}_{worker_number}"
    return load_settings(
        {
            "BEKAL_ENV": "test",
            "BEKAL_HOME": str(home),
            "DATABASE_URL": servers.url(APPLICATION, name),
            "DATABASE_OWNER_URL": servers.url(OWNER, name),
            "REDIS_URL": servers.redis(worker_number),
            # every test has a catalogue of its own
            "CATALOGUE_SECONDS": "0",
        }
    )


@pytest.fixture(scope="session")
def _application(settings: Settings) -> Flask:
    from marketplace.app import create_app
    from marketplace.command import equip

    application = equip(create_app(settings))
    # forms are posted without fetching the page first; the test of the protection turns it on
    application.config["WTF_CSRF_ENABLED"] = False
    return application


@pytest.fixture
def database(servers: Servers, settings: Settings) -> str:
    """The name of a fresh copy of the migrated database; whatever the test commits is its own."""
    name = settings.database_url.rpartition("/")[2].partition("?")[0]
    servers.clone(name)
    return name


@pytest.fixture
def app(_application: Flask, database: str, settings: Settings) -> Iterator[Flask]:
    """The application on a fresh database, as the role that owns nothing, with empty folders."""
    from marketplace.db import db

    for folder in (settings.bank_folder, settings.message_folder):
        shutil.rmtree(folder, ignore_errors=True)
    make_current(_application)
    configuration = dict(_application.config)
    yield _application
    _application.config.clear()
    _application.config.update(configuration)
    with _application.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """The application's session, in an application context. `transaction()` commits this same one."""
    from marketplace.db import db

    with app.app_context():
        yield db.session()
        db.session.rollback()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without a screen: keeps cookies, follows no redirect unasked."""
    return app.test_client()


@pytest.fixture
def app_engine(database: str, settings: Settings) -> Iterator[Engine]:
    """Raw SQL as the application's role, beside any session."""
    yield from _engine(settings.database_url)


@pytest.fixture
def owner_engine(database: str, settings: Settings) -> Iterator[Engine]:
    """Raw SQL as the owner: what no request may do."""
    yield from _engine(settings.database_owner_url)


def _engine(url: str) -> Iterator[Engine]:
    engine = create_engine(url)
    yield engine
    engine.dispose()


@pytest.fixture
def redis_url(settings: Settings) -> str:
    """This worker's Redis database, emptied."""
    with redis_client.Redis.from_url(settings.redis_url) as client:
        client.flushdb()
    return settings.redis_url


@pytest.fixture
def mute() -> Iterator[str]:
    """A broker that takes connections and never says a word, like one that is stopped."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real catalogue files (BEKAL_TEST_DATA, or `shared/data` beside the checkout)."""
    folder = Path(os.environ.get("BEKAL_TEST_DATA", test_servers.ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"data: no real catalogue files in {folder}; set BEKAL_TEST_DATA")
    return folder
