"""Strangers' search pages are shared by all web processes; nobody waits for the Valkey that they lie in."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import cast

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.app import create_app
from marketplace.batches import service as batches
from marketplace.catalogue.models import Course
from marketplace.config import Settings
from marketplace.db import db, transaction
from marketplace.dev import programme_clock
from marketplace.oversight import announcements
from marketplace.oversight.announcements import Draft
from marketplace.oversight.models import Audience, Severity
from marketplace.providers.models import Provider
from marketplace.web import shared_pages
from marketplace.web.kept import Kept
from tests import factories
from tests.scenery import make_current
from tests.web.conftest import SignIn, counted, forget_kept, words

pytestmark = pytest.mark.usefixtures("keeping")

NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture
def store(redis_url: str) -> redis.Redis:
    return redis.Redis.from_url(redis_url)


@pytest.fixture
def ask(app: Flask, session: Session) -> Callable[[str], str]:
    """Read the catalogue as a process that keeps nothing in its own memory."""

    def read(address: str = "/kursus") -> str:
        forget_kept(app)
        answer = app.test_client().get(address)
        assert answer.status_code == 200
        return words(answer.text)

    return cast(Callable[[str], str], read)


def offer() -> None:
    with transaction() as current:
        factories.make_course(current, title="Menjahit", price=Decimal(750_000))


def reprice() -> None:
    """As nobody does it: by itself a price changes only with a version that is published."""
    with transaction() as current:
        current.execute(update(Course).values(price=Decimal(800_000)))


BEFORE, AFTER = "Rp750.000", "Rp800.000"


def announce(words: str) -> None:
    with transaction() as current:
        desk, now = factories.make_user(current), clock.wall_now()
        told = Draft(Severity.INFO, Audience.EVERYBODY, words, words, now, now + timedelta(hours=1))
        announcements.announce(current, told, desk, "nanti")


def pages_in(store: redis.Redis) -> dict[bytes, bytes]:
    names = cast(list[bytes], store.keys("page:*"))
    return {name: cast(bytes, store.get(name)) for name in names}


def change_settings(app: Flask, **changes: object) -> None:
    app.extensions["settings"] = replace(app.extensions["settings"], **changes)  # type: ignore[arg-type]


def test_a_page_that_another_process_made_is_served_for_a_minute(
    app: Flask, client: FlaskClient, session: Session, settings: Settings, store: redis.Redis
) -> None:
    offer()
    first = client.get("/kursus?q=jahit")
    reprice()
    other = create_app(replace(settings, catalogue_seconds=60))
    try:
        second = other.test_client().get("/kursus?q=jahit")
    finally:
        with other.app_context():
            db.engine.dispose()
        make_current(app)
    assert second.text == first.text and BEFORE in words(second.text)
    assert "csrf_token" not in second.text and "Set-Cookie" not in second.headers
    [name] = pages_in(store)
    assert 50 < cast(int, store.ttl(name)) <= 60
    assert b"jahit" not in name + pages_in(store)[name]
    store.delete(name)
    forget_kept(app)
    assert AFTER in words(client.get("/kursus?q=jahit").text)


def test_a_page_from_another_process_costs_no_search(app: Flask, ask: Callable[[str], str]) -> None:
    ask("/kursus")
    forget_kept(app)
    with counted(app) as statements:
        assert app.test_client().get("/kursus").status_code == 200
    assert [each for each in statements if "course" in each and "max(course.published_at)" not in each] == []


def test_what_comes_on_sale_or_goes_is_seen_by_whoever_asks_next(ask: Callable[[str], str]) -> None:
    assert "0 kursus ditemukan" in ask("/kursus")
    offer()
    assert "1 kursus ditemukan" in ask("/kursus")
    with transaction() as current:
        current.execute(update(Provider).values(suspended_at=clock.now(current)))
    assert "0 kursus ditemukan" in ask("/kursus")


def test_without_sharing_every_process_makes_its_own(app: Flask, ask: Callable[[str], str]) -> None:
    """Negative control."""
    change_settings(app, catalogue_shared_seconds=0)
    offer()
    assert BEFORE in ask("/kursus")
    reprice()
    assert AFTER in ask("/kursus")


def test_nobody_who_is_signed_in_gets_such_a_page_or_leaves_one(
    app: Flask, session: Session, sign_in: SignIn, ask: Callable[[str], str], store: redis.Redis
) -> None:
    with transaction() as current:
        factories.fund_scheme(current)
        user = factories.make_grant(current).participant.user
        batches.activate_awarded(current)
    reader = sign_in(user)
    assert "kursus dengan saldo cukup" in words(reader.get("/kursus").text)
    assert pages_in(store) == {}
    assert "kursus ditemukan" in ask("/kursus")
    kept = pages_in(store)
    assert "kursus dengan saldo cukup" in words(reader.get("/kursus").text)
    assert pages_in(store) == kept and len(kept) == 1


def test_each_language_address_and_announcement_has_a_page_of_its_own(
    app: Flask, session: Session, ask: Callable[[str], str], store: redis.Redis
) -> None:
    browser = app.test_client()
    ask("/kursus")
    browser.get("/bahasa/en")
    assert "0 courses found" in words(browser.get("/kursus").text)
    assert "tidakada" not in ask("/kursus") and "Tanpa kata “tidakada”" not in ask("/kursus?q=tidakada")
    assert len(pages_in(store)) == 3
    announce("Layanan berhenti nanti malam.")
    assert "Layanan berhenti nanti malam." in ask("/kursus")
    assert len(pages_in(store)) == 4


def test_programme_time_that_is_moved_leaves_no_page_behind(
    settings: Settings, ask: Callable[[str], str]
) -> None:
    assert "Waktu program dimajukan" not in ask("/kursus")
    programme_clock.advance(settings.database_owner_url, timedelta(days=3))
    offer()
    assert "Waktu program dimajukan 3 hari" in ask("/kursus")


def test_a_new_release_serves_no_page_of_the_old_one(
    ask: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    offer()
    ask("/kursus")
    reprice()
    assert BEFORE in ask("/kursus")
    monkeypatch.setattr(shared_pages, "_release", lambda: "another")
    assert AFTER in ask("/kursus")


def test_what_lies_there_and_is_not_that_page_is_ignored(
    ask: Callable[[str], str], store: redis.Redis
) -> None:
    offer()
    ask("/kursus")
    [(name, value)] = pages_in(store).items()
    ask("/kursus?q=jahit")
    [elsewhere] = [each for other, each in pages_in(store).items() if other != name]
    reprice()
    for wrong in (b"", b"rubbish", value[:-1], value[:32], b"\0" * len(value), elsewhere):
        store.set(name, wrong)
        assert AFTER in ask("/kursus"), wrong
    store.set(name, value)
    assert BEFORE in ask("/kursus")
    store.delete(name)
    store.lpush(name, "of another kind")
    assert AFTER in ask("/kursus")


def test_nobody_waits_for_a_valkey_that_is_away_or_mute(
    app: Flask, ask: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, mute: str
) -> None:
    for url in (NOWHERE, mute):
        monkeypatch.setattr(shared_pages.broker, "_silent_until", 0.0)
        change_settings(app, redis_url=url)
        started = time.monotonic()
        assert "0 kursus ditemukan" in ask("/kursus")
        assert time.monotonic() - started < 1.5
        started = time.monotonic()
        assert "0 kursus ditemukan" in ask("/kursus?sort=rating")
        assert time.monotonic() - started < 0.35, "it was not asked again"


def test_there_is_an_end_to_what_is_kept(
    ask: Callable[[str], str], store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_pages, "_MOST", 2)
    for number in range(4):
        ask(f"/kursus?nomor={number}")
    assert len(pages_in(store)) == 2
    assert all(0 < cast(int, store.ttl(name)) <= 60 for name in cast(list[bytes], store.keys("*")))
    monkeypatch.setattr(shared_pages, "_MOST", 100)
    monkeypatch.setattr(shared_pages, "_LARGEST_BYTES", 100)
    ask("/kursus?nomor=5")
    assert len(pages_in(store)) == 2


def test_a_crowd_makes_a_page_once_in_a_process() -> None:
    kept, made, begun = Kept[str](60, 10), [], threading.Barrier(5)

    def make() -> str:
        made.append(1)
        time.sleep(0.05)
        return "page"

    def read() -> None:
        begun.wait()
        assert kept.get("front", make) == "page"

    crowd = [threading.Thread(target=read) for _ in range(5)]
    for each in crowd:
        each.start()
    for each in crowd:
        each.join()
    assert len(made) == 1
