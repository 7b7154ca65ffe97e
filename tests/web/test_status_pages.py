"""Announcements, and the page that tells what works."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.config import Settings
from marketplace.db import transaction
from marketplace.identity import audit
from marketplace.identity.models import Role, User
from marketplace.notifications import service as notifications
from marketplace.notifications.models import Notification
from marketplace.oversight import announcements, wellbeing
from marketplace.oversight.announcements import Draft
from marketplace.oversight.models import Announcement, Audience, Severity
from marketplace.web import health, status
from tests import factories
from tests.web.bad_input import ALERT
from tests.web.conftest import SignIn, hidden_fields, read, words

OFFICE = "/kantor/pengumuman"


@pytest.fixture
def desk(session: Session) -> User:
    with transaction() as current:
        return factories.make_user(current, Role.DESK, name="Hasan Basri")


def _tell(desk: User, what: str, audience: Audience = Audience.EVERYBODY, **times: timedelta) -> Announcement:
    now = clock.wall_now()
    starts, ends = now + times.get("starts", timedelta()), now + times.get("ends", timedelta(hours=1))
    draft = Draft(Severity.INCIDENT, audience, what, f"{what} in English", starts, ends)
    with transaction() as current:
        return announcements.announce(current, draft, current.get_one(User, desk.id), what)


def _end(announcement: Announcement, desk: User) -> None:
    with transaction() as current:
        announcements.end_now(current, announcement.id, current.get_one(User, desk.id))


def test_the_desk_announces_and_every_reader_sees_what_is_for_them(
    desk: User, sign_in: SignIn, app: Flask, session: Session
) -> None:
    client = sign_in(desk)
    form = hidden_fields(client.get(OFFICE).text) | {
        "text_id": f"Bank tutup hari ini {ALERT}", "text_en": "The bank is closed today",
        "severity": "warning", "audience": "everybody", "starts": "",
        "ends": (clock.wall_now() + timedelta(days=1)).astimezone(clock.ZONE).strftime("%Y-%m-%dT%H:%M"),
    }  # fmt: skip
    for _ in range(2):
        assert client.post(OFFICE, data=form).status_code == 302
    session.rollback()
    [made] = session.query(Announcement).all()
    assert [each.action for each in audit.list_entries(session, f"announcement:{made.id}")] == [
        "announcement.made"
    ]
    stranger = app.test_client()
    home = stranger.get("/")
    assert ALERT not in home.text and f"Bank tutup hari ini {ALERT}" in words(home.text)
    stranger.get("/bahasa/en")
    assert "The bank is closed today" in words(stranger.get("/kursus").text)
    _tell(desk, "Untuk peserta saja", Audience.PARTICIPANTS)
    _tell(desk, "Untuk lembaga saja", Audience.PROVIDERS)
    with transaction() as current:
        buyer = factories.make_grant(current).participant.user
        staff = factories.make_staff(current, factories.make_provider(current))
    for user, address, told, untold in (
        (buyer, "/beranda", "Untuk peserta saja", "Untuk lembaga saja"),
        (staff, "/lembaga", "Untuk lembaga saja", "Untuk peserta saja"),
    ):
        page = words(sign_in(user).get(address).text)
        assert told in page and untold not in page and "Bank tutup hari ini" in page
    assert "Untuk peserta saja" not in words(app.test_client().get("/").text)


def test_an_announcement_is_shown_in_its_time_and_may_be_ended(
    desk: User, sign_in: SignIn, app: Flask, session: Session
) -> None:
    stranger = app.test_client()
    now, later = _tell(desk, "Sekarang ini"), _tell(desk, "Nanti itu", starts=timedelta(minutes=30))
    page = words(stranger.get("/").text)
    assert "Sekarang ini" in page and "Nanti itu" not in page
    client = sign_in(desk)
    for each in (now, later):
        assert client.post(f"{OFFICE}/{each.id}/akhiri").status_code == 302
    assert "Sekarang ini" not in words(stranger.get("/").text)
    shown = words(client.get(OFFICE).text)
    assert "Sudah berakhir" in shown and "Ditarik sebelum tampil" in shown
    told = words(stranger.get("/status").text)
    assert "Sekarang ini" in told and "Gangguan" in told and "Nanti itu" not in told


def test_what_cannot_be_announced_is_asked_again_with_its_words(desk: User, sign_in: SignIn) -> None:
    client = sign_in(desk)
    whole = {"text_id": "Kabar baik", "text_en": "Good news", "severity": "info", "audience": "everybody"}
    wrong = {
        "ends": ({"ends": ""}, {"ends": "besok"}, {"ends": "2020-01-01T00:00"}, {"ends": "0001-01-01T00:00"}),
        "starts": ({"starts": "9999-99-99T99:99", "ends": "2099-01-01T00:00"},),
        "text_id": ({"text_id": "x" * 301, "ends": "2099-01-01T00:00"},),
        "severity": ({"severity": "loud", "ends": "2099-01-01T00:00"},),
    }
    for field, changes in wrong.items():
        for change in changes:
            answer = client.post(OFFICE, data=whole | change)
            assert answer.status_code == 400, change
            assert read(answer.text).select(f'.govuk-error-summary a[href="#{field}"]'), change
            assert "Good news" in answer.text


def test_the_table_keeps_what_was_announced(desk: User, app_engine: Engine) -> None:
    _tell(desk, "Tetap")
    for change in ("text_id = 'x'", "audience = 'providers'", "starts_at = now()"):
        with app_engine.begin() as connection, pytest.raises(ProgrammingError, match="permission denied"):
            connection.execute(text(f"UPDATE announcement SET {change}"))
    with app_engine.begin() as connection, pytest.raises(IntegrityError, match="ck_announcement_period"):
        connection.execute(text("UPDATE announcement SET ends_at = starts_at - interval '1 day'"))


def test_the_status_page_tells_what_works(client: FlaskClient, session: Session, redis_url: str) -> None:
    answer = client.get("/status")
    assert answer.status_code == 200 and "Semua berjalan" in words(answer.text)
    assert "Terganggu" not in words(answer.text)
    with transaction() as current:
        user = factories.make_user(current)
        notifications.notify(current, user, "Kode", "123456")
        found = current.scalars(select(Notification).where(Notification.user_id == user.id)).one()
        _age(current, found, clock.wall_now() - timedelta(minutes=20))
    late = words(client.get("/status").text)
    assert "Ada yang terganggu" in late and "yang tertua menunggu 20 menit" in late


def test_a_database_that_is_only_read_sells_nothing(
    client: FlaskClient, session: Session, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert wellbeing.read_signs(session).can_write
    session.rollback()
    session.execute(text("SET TRANSACTION READ ONLY"))
    signs = wellbeing.read_signs(session)
    assert not signs.can_write
    monkeypatch.setattr(status, "read_signs", lambda session: signs)
    told = words(client.get("/status").text)
    assert "Kursus belum bisa dibeli" in told and told.count("Terganggu") == 2


def _age(session: Session, found: Notification, written: datetime) -> None:
    found.created_at = written
    session.flush()


def test_without_the_broker_it_says_that_messages_and_payouts_wait(
    client: FlaskClient, app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    away = replace(settings, redis_url="redis://127.0.0.1:1/0")
    monkeypatch.setitem(app.extensions, "settings", away)
    answer = client.get("/status")
    told = words(answer.text)
    assert answer.status_code == 200 and "Pembayaran ke lembaga menunggu" in told
    assert "Kursus bisa dibeli" in told and told.count("Terganggu") == 2


def test_without_the_database_it_says_that_much(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "database_state", lambda: "away")
    answer = client.get("/status")
    assert answer.status_code == 503 and "Data Anda aman" in words(answer.text)
    assert "Status layanan" in words(client.get("/").text)
