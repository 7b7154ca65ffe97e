"""Settings: read from the environment once, frozen, and checked before anything starts."""

import base64
import binascii
import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from ledger import LedgerError, new_signer, read_signer

ENVIRONMENTS = ("development", "test", "production")
_DEVELOPMENT_SECRET = "development-only-secret-key"  # noqa: S105 - refused in production
_DEVELOPMENT_LOG = "bekal.localhost/log"
_SEED_BYTES = 32


class ConfigurationError(RuntimeError):
    """The environment does not describe a service that may start."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that differs between one installation and another.

    `secret_key` signs cookies; `encryption_key` protects personal data, makes the check-in codes and
    lies outside the database; `log_signing_key` signs the public log and carries its name; the first of
    `badge_signing_keys` signs digital badges, the others have signed older ones. `home` is the
    data folder of an embedded installation. `smtp_url` names the mail server of production; elsewhere
    messages are files in `message_folder`. `trusted_proxies` is how many servers of ours stand in front:
    their word on a visitor's address and https is believed. A purchase asks for a one-time code when the
    last one was given longer ago than `step_up_seconds`. `catalogue_seconds` is how old the search page
    of strangers, everybody's counts of courses, and announcements may be; 0 makes them anew each time.
    That search page, once made, is shared by all processes for `catalogue_shared_seconds`; 0 shares nothing.
    """

    environment: str
    home: Path
    database_url: str
    database_owner_url: str
    redis_url: str
    secret_key: str
    encryption_key: str
    log_signing_key: str
    badge_signing_keys: tuple[bytes, ...]
    bank_folder: Path
    bank_name: str
    bank_code: str
    bank_account: str
    bank_patience_seconds: float
    message_folder: Path
    public_url: str
    grant_on_registration: bool
    tick_seconds: float
    embedded: bool
    smtp_url: str = ""
    mail_from: str = "bekal@localhost"
    trusted_proxies: int = 0
    step_up_seconds: float = 900
    catalogue_seconds: int = 10
    catalogue_shared_seconds: int = 60

    @property
    def is_production(self) -> bool:
        return self.environment == "production"


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment. Raises ConfigurationError with the name of what is wrong."""
    env = os.environ if environ is None else environ
    environment = env.get("BEKAL_ENV", "development")
    if environment not in ENVIRONMENTS:
        raise ConfigurationError(f"BEKAL_ENV is {environment!r}; choose one of {', '.join(ENVIRONMENTS)}")
    home = Path(env.get("BEKAL_HOME", "var")).resolve()
    engines = {} if env.get("DATABASE_URL") else _embedded_engines(home)
    encryption_key = env.get("ENCRYPTION_KEY", _DEVELOPMENT_SECRET)
    settings = Settings(
        environment=environment,
        home=home,
        database_url=_database(env, "DATABASE_URL") or engines.get("database_url", ""),
        database_owner_url=_database(env, "DATABASE_OWNER_URL") or engines.get("database_owner_url", ""),
        redis_url=env.get("REDIS_URL") or engines.get("redis_url", ""),
        secret_key=env.get("SECRET_KEY", _DEVELOPMENT_SECRET),
        encryption_key=encryption_key,
        log_signing_key=env.get("LOG_SIGNING_KEY") or _development_signing_key(encryption_key),
        badge_signing_keys=_badge_keys(env, encryption_key),
        bank_folder=Path(env.get("BANK_FOLDER", home / "bank")),
        bank_name=env.get("BANK_NAME", "Kas Program Bekal"),
        bank_code=env.get("BANK_CODE", "BEKAIDJA"),
        bank_account=env.get("BANK_ACCOUNT", "8800100001"),
        bank_patience_seconds=_seconds(env, "BANK_PATIENCE_SECONDS", "900"),
        message_folder=Path(env.get("MESSAGE_FOLDER", home / "messages")),
        public_url=env.get("PUBLIC_URL", f"http://127.0.0.1:{env.get('PORT', '8000')}"),
        grant_on_registration=environment != "production",
        tick_seconds=_seconds(env, "BEKAL_TICK_SECONDS", "3"),
        embedded=bool(engines),
        smtp_url=env.get("SMTP_URL", ""),
        mail_from=env.get("MAIL_FROM", "bekal@localhost"),
        trusted_proxies=_count(env, "TRUSTED_PROXIES", "0"),
        step_up_seconds=_seconds(env, "STEP_UP_SECONDS", "900"),
        catalogue_seconds=_count(env, "CATALOGUE_SECONDS", "10"),
        catalogue_shared_seconds=_count(env, "CATALOGUE_SHARED_SECONDS", "60"),
    )
    _check(settings)
    return settings


def _embedded_engines(home: Path) -> dict[str, str]:
    """Addresses that the supervisor of the embedded engines wrote, or none while they are stopped."""
    path = home / "run" / "engines.json"
    try:
        addresses: dict[str, str] = json.loads(path.read_text())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise ConfigurationError(f"BEKAL_HOME: {path} cannot be read ({error.strerror})") from error
    return addresses


def _database(env: Mapping[str, str], name: str) -> str:
    """An address for SQLAlchemy. Also as PostgreSQL's own tools write it, without the driver's name."""
    given = env.get(name, "")
    if not given:
        return ""
    try:
        url = make_url(given)
    except ArgumentError:
        raise ConfigurationError(
            f"{name} is not an address such as postgresql://user@host/database"
        ) from None
    if url.drivername in ("postgres", "postgresql"):
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername != "postgresql+psycopg":
        raise ConfigurationError(f"{name} is for {url.drivername}; Bekal runs on postgresql://")
    return url.render_as_string(hide_password=False)


def _seconds(env: Mapping[str, str], name: str, otherwise: str) -> float:
    try:
        seconds = float(env.get(name, otherwise))
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise ConfigurationError(f"{name} must be a number of seconds above zero")
    return seconds


def _count(env: Mapping[str, str], name: str, otherwise: str) -> int:
    text = env.get(name, otherwise)
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise ConfigurationError(f"{name} must be a whole number, zero or more")
    return int(text)


def _development_signing_key(encryption_key: str) -> str:
    """The same key at every start, so that a log goes on after a restart. Refused in production."""
    seed = hashlib.sha256(f"bekal log:{encryption_key}".encode()).digest()
    return new_signer(_DEVELOPMENT_LOG, seed).secret


def _badge_keys(env: Mapping[str, str], encryption_key: str) -> tuple[bytes, ...]:
    """Ed25519 seeds, the signing one first; without any, the same development key at every start."""
    given = env.get("BADGE_SIGNING_KEY", "").split()
    try:
        keys = tuple(base64.b64decode(each, validate=True) for each in given)
    except binascii.Error:
        keys = (b"",)
    if any(len(key) != _SEED_BYTES for key in keys):
        raise ConfigurationError("BADGE_SIGNING_KEY must be what `flask certificates new-key` prints")
    return keys or (hashlib.sha256(f"bekal badge:{encryption_key}".encode()).digest(),)


def _check(settings: Settings) -> None:
    try:
        log_name = read_signer(settings.log_signing_key).name
    except LedgerError as error:
        raise ConfigurationError(f"LOG_SIGNING_KEY: {error}") from None
    if not settings.is_production:
        return
    if settings.embedded or not settings.database_url or not settings.redis_url:
        raise ConfigurationError(
            "production needs DATABASE_URL and REDIS_URL: embedded engines are for laptops, CI and demos"
        )
    for name in ("secret_key", "encryption_key"):
        value: str = getattr(settings, name)
        if value == _DEVELOPMENT_SECRET or len(value) < 32:
            raise ConfigurationError(
                f"{name.upper()} must be a secret of at least 32 characters in production"
            )
    if log_name == _DEVELOPMENT_LOG:
        raise ConfigurationError("LOG_SIGNING_KEY must be a key made by `flask ledger new-key` in production")
    if settings.badge_signing_keys == _badge_keys({}, settings.encryption_key):
        raise ConfigurationError(
            "BADGE_SIGNING_KEY must be a key made by `flask certificates new-key` in production"
        )
