"""Compiled templates: kept in the data folder, of use to the next process, in nobody's way."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from marketplace.app import create_app
from marketplace.config import Settings
from marketplace.db import db

pytestmark = pytest.mark.usefixtures("database")


@contextmanager
def _process(settings: Settings, home: Path) -> Iterator[FlaskClient]:
    """A web process over a data folder."""
    app = create_app(replace(settings, home=home))
    yield app.test_client()
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def test_what_one_process_compiled_the_next_reads(settings: Settings, tmp_path: Path) -> None:
    kept = []
    for _number in (1, 2):
        with _process(settings, tmp_path) as client:
            assert client.get("/masuk").status_code == 200
        kept.append({each: each.stat().st_mtime_ns for each in (tmp_path / "cache" / "templates").iterdir()})
    assert len(kept[0]) > 3
    assert kept[0] == kept[1]


def test_where_nothing_can_be_kept_pages_are_as_ever(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "no-folder"
    home.touch()
    with _process(settings, home) as client:
        assert client.get("/masuk").status_code == 200
    assert "templates_not_kept" in capsys.readouterr().err


def test_a_folder_that_went_away_costs_nobody_their_page(settings: Settings, tmp_path: Path) -> None:
    with _process(settings, tmp_path) as client, capture_logs() as logs:
        shutil.rmtree(tmp_path / "cache")
        assert client.get("/masuk").status_code == 200
    assert {each["event"] for each in logs if each["log_level"] == "warning"} == {"template_not_kept"}
