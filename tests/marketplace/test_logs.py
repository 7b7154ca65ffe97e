"""What an error of the database leaves in the log."""

from collections.abc import Iterator

import pytest
import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace import clock, logs
from marketplace.config import Settings
from marketplace.db import db
from marketplace.identity.models import User

SECRETS = ("siti@contoh.test", "Siti Rahasia")


@pytest.fixture(autouse=True)
def _configuration() -> Iterator[None]:
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def log_of_a_broken_rule(session: Session, settings: Settings, capsys: pytest.CaptureFixture[str]) -> str:
    """Two logins with one address: the insert carries both values, and PostgreSQL quotes one."""
    logs.configure(settings)
    for _ in range(2):
        session.add(User(email=SECRETS[0], name=SECRETS[1], created_at=clock.wall_now()))
    try:
        session.flush()
    except IntegrityError:
        structlog.get_logger().exception("unexpected_error")
    session.rollback()
    return capsys.readouterr().err


def test_the_log_of_an_error_names_nobody(
    session: Session, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    log = log_of_a_broken_rule(session, settings, capsys)
    assert "uq_user_email" in log and "INSERT INTO" in log
    assert not any(secret in log for secret in SECRETS)


def test_without_the_two_covers_it_would(
    session: Session,
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Negative control."""
    monkeypatch.setattr(logs, "_withhold_rows", lambda logger, method, entry: entry)
    monkeypatch.setattr(db.engine, "hide_parameters", False)
    log = log_of_a_broken_rule(session, settings, capsys)
    assert all(secret in log for secret in SECRETS)
