"""A catalogue of made-up courses as large as a country's, with runs, in a migrated database of its own."""

import random
import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from flask import Flask
from flask_migrate import Migrate, upgrade

from bench.server import Server
from marketplace.config import load_settings
from marketplace.db import db
from marketplace.dev.layout import CHECKOUT
from marketplace.dev.postgres import APPLICATION, OWNER

DATABASE = "shelves"
_PROVIDERS = 1_500
_SKILLS = (
    "Menjahit", "Memasak", "Mengelas", "Membatik", "Meracik kopi", "Servis motor", "Servis pendingin",
    "Pemrograman web", "Desain grafis", "Akuntansi", "Pembukuan", "Fotografi", "Bahasa Inggris",
    "Bahasa Jepang", "Hidroponik", "Pemasaran digital", "Tata rias", "Barista", "Perkayuan", "Listrik",
)  # fmt: skip
_FOR = ("pemula", "usaha kecil", "pekerja", "ibu rumah tangga", "lulusan SMK", "petani", "pedagang pasar")
_CATEGORIES = (
    "Digital dan kantor", "Usaha dan keuangan", "Kuliner dan wisata", "Kerajinan dan busana",
    "Teknik dan bengkel", "Bahasa", "Pertanian", "Kesehatan",
)  # fmt: skip
_MODES = ("online", "in_person", "hybrid")
_PROVINCES = ("11", "12", "31", "32", "33", "34", "35", "51", "64", "73", "81", "91")
_SENTENCE = "Setiap bab dimulai dari pekerjaan nyata {skill}, lalu diselesaikan bersama sampai layak dijual. "
_PROVIDER = "id, name, slug, city, province_code, created_at"
_COURSE = (
    "id, provider_id, source_id, title, category, mode, level, hours, price, rating, rating_count,"
    " description, language, state, version, published_at"
)
_RUN = "id, course_id, kind, starts_at, ends_at, place, seats, seats_taken, state, created_at"

Row = tuple[Any, ...]


def build(server: Server, courses: int) -> None:
    """Migrate, fill, vacuum."""
    server.create_database(DATABASE)
    _migrate(server)
    chance = random.Random(5)
    now = datetime.now(UTC)
    with server.connect(OWNER, DATABASE) as connection:
        providers = [_provider(number, chance, now) for number in range(_PROVIDERS)]
        made = [_course(number, providers, chance, now) for number in range(courses)]
        _copy(connection, "provider", _PROVIDER, providers)
        _copy(connection, "course", _COURSE, made)
        _copy(connection, "run", _RUN, (run for course in made for run in _runs(course, chance, now)))
        connection.execute("VACUUM ANALYZE")


def searches(number: int) -> list[str]:
    """Addresses that people would ask for: words, filters, orders."""
    chance = random.Random(7)
    return [_search(chance) for _ in range(number)]


def _search(chance: random.Random) -> str:
    words = f"{chance.choice(_SKILLS)} {chance.choice(_FOR)}".replace(" ", "+")
    further = (
        "",
        f"&mode={chance.choice(_MODES)}",
        f"&province={chance.choice(_PROVINCES)}",
        "&sort=cheapest",
    )
    return f"/kursus?q={words}{chance.choice(further)}"


def _migrate(server: Server) -> None:
    app = Flask(__name__)
    addresses = {
        "DATABASE_URL": server.url(APPLICATION, DATABASE),
        "DATABASE_OWNER_URL": server.url(OWNER, DATABASE),
    }
    app.config["SQLALCHEMY_DATABASE_URI"] = addresses["DATABASE_URL"]
    app.extensions["settings"] = load_settings({"BEKAL_ENV": "test", **addresses})
    db.init_app(app)
    Migrate(app, db, directory=str(CHECKOUT / "migrations"))
    with app.app_context():
        upgrade()
        db.engine.dispose()


def _copy(connection: psycopg.Connection[Row], table: str, columns: str, rows: Iterable[Row]) -> None:
    with connection.cursor().copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _provider(number: int, chance: random.Random, now: datetime) -> Row:
    name = f"Lembaga {chance.choice(_SKILLS)} {number}"
    return (
        uuid.UUID(int=chance.getrandbits(128)),
        name,
        f"lembaga-{number}",
        "Sleman",
        chance.choice(_PROVINCES),
        now,
    )


def _course(number: int, providers: Sequence[Row], chance: random.Random, now: datetime) -> Row:
    skill = chance.choice(_SKILLS)
    return (
        uuid.UUID(int=chance.getrandbits(128)),
        chance.choice(providers)[0],
        f"bench:{number}",
        f"{skill} untuk {chance.choice(_FOR)} angkatan {number % 97}",
        chance.choice(_CATEGORIES),
        chance.choice(_MODES),
        "beginner",
        24,
        chance.randrange(0, 4_000_000, 50_000),
        chance.choice((None, "4.2", "4.5", "4.8")),
        chance.randrange(2_000),
        _SENTENCE.format(skill=skill.lower()) * 3,
        "id",
        "published",
        1,
        now,
    )


def _runs(course: Row, chance: random.Random, now: datetime) -> Iterator[Row]:
    for _ in range(chance.randrange(4)):
        start = now + timedelta(days=chance.randrange(-20, 40))
        end, taken = start + timedelta(days=14), chance.randrange(21)
        yield (uuid.uuid4(), course[0], "scheduled", start, end, "Sleman", 20, taken, "open", now)
