"""Settings from the environment: what is refused, by name, before anything starts."""

from base64 import b64encode
from pathlib import Path

import pytest
from sqlalchemy import make_url

from ledger.notes import new_signer
from marketplace.config import ConfigurationError, load_settings

_SOUND = {
    "BEKAL_ENV": "production",
    "DATABASE_URL": "postgresql+psycopg://bekal_app:s3cret@db/bekal",
    "REDIS_URL": "redis://cache/0",
    "SECRET_KEY": "k" * 32,
    "ENCRYPTION_KEY": "e" * 32,
}


@pytest.fixture
def production(tmp_path: Path) -> dict[str, str]:
    """An environment that may serve people."""
    return {
        **_SOUND,
        "LOG_SIGNING_KEY": new_signer("bekal.example/log").secret,
        "BADGE_SIGNING_KEY": b64encode(b"b" * 32).decode(),
        "BEKAL_HOME": str(tmp_path),
    }


def test_a_complete_environment_may_serve_people(production: dict[str, str]) -> None:
    settings = load_settings(production)
    assert settings.is_production and not settings.grant_on_registration


@pytest.mark.parametrize("name", ["SECRET_KEY", "ENCRYPTION_KEY", "LOG_SIGNING_KEY", "BADGE_SIGNING_KEY"])
def test_production_refuses_default_secrets(production: dict[str, str], name: str) -> None:
    del production[name]
    with pytest.raises(ConfigurationError, match=name):
        load_settings(production)


@pytest.mark.parametrize("name", ["SECRET_KEY", "ENCRYPTION_KEY"])
def test_production_refuses_short_secrets(production: dict[str, str], name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        load_settings({**production, name: "short"})


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL"])
def test_production_refuses_to_run_without_real_servers(production: dict[str, str], name: str) -> None:
    del production[name]
    with pytest.raises(ConfigurationError, match="embedded engines"):
        load_settings(production)


def test_production_refuses_embedded_engines_that_happen_to_run(
    production: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "engines.json").write_text('{"database_url": "x", "redis_url": "y"}')
    del production["DATABASE_URL"]
    with pytest.raises(ConfigurationError, match="embedded engines"):
        load_settings(production)


@pytest.mark.parametrize(
    "given", ["postgresql://a:b@h/d", "postgres://a:b@h/d", "postgresql+psycopg://a:b@h/d"]
)
def test_an_address_may_be_written_as_the_tools_of_postgresql_do(tmp_path: Path, given: str) -> None:
    settings = load_settings({"BEKAL_HOME": str(tmp_path), "DATABASE_URL": given})
    assert make_url(settings.database_url) == make_url("postgresql+psycopg://a:b@h/d")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BEKAL_ENV", "staging"),
        ("BADGE_SIGNING_KEY", "s3cret"),
        ("DATABASE_URL", "db.example"),
        ("DATABASE_URL", "mysql://a:s3cret@h/d"),
        ("DATABASE_OWNER_URL", "postgresql+psycopg2://a:s3cret@h/d"),
        ("BEKAL_TICK_SECONDS", "soon"),
        ("BEKAL_TICK_SECONDS", "0"),
        ("BANK_PATIENCE_SECONDS", "nan"),
        ("BANK_PATIENCE_SECONDS", "inf"),
        ("TRUSTED_PROXIES", "-1"),
        ("TRUSTED_PROXIES", "²"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_and_no_secret_told(
    tmp_path: Path, name: str, value: str
) -> None:
    with pytest.raises(ConfigurationError, match=name) as caught:
        load_settings({"BEKAL_HOME": str(tmp_path), name: value})
    assert "s3cret" not in str(caught.value)
