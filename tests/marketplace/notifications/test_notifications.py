"""Messages: queued with what they tell of, sent afterwards, at least once."""

import contextlib
import json
import smtplib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from unittest import mock

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.config import Settings
from marketplace.db import transaction
from marketplace.identity import service as identity
from marketplace.identity.models import User
from marketplace.notifications import service, tasks, transports
from marketplace.notifications.models import Channel, Notification, NotificationState
from marketplace.notifications.queries import list_for_user
from marketplace.notifications.transports import Letter, TransportError
from tests.factories import make_user

LETTER = Letter("1", Channel.EMAIL, "siti@contoh.test", "Halo", "Isi")


def queue(session: Session, *, secret: bool = False) -> Notification:
    with transaction():
        user = make_user(session)
        service.notify(session, user, "Halo", "Isi surat", secret)
        return sent_to(session, user)


def sent_to(session: Session, user: User) -> Notification:
    return session.scalars(select(Notification).where(Notification.user_id == user.id)).one()


def deliver(session: Session, notification: Notification) -> None:
    """Run the task, which has a session of its own, and look at the row again."""
    tasks.deliver(str(notification.id))
    session.refresh(notification)


def refuse(letter: Letter) -> None:
    raise TransportError("busy")


def broken(settings: Settings, channel: Channel) -> Callable[[Letter], None]:
    return refuse


def test_a_message_becomes_one_file_and_a_line_on_the_console(
    session: Session, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    notification = queue(session)
    deliver(session, notification)
    deliver(session, notification)
    [file] = settings.message_folder.glob("*.json")
    content = json.loads(file.read_text())
    assert (content["to"], content["subject"], content["body"]) == (
        notification.destination,
        "Halo",
        "Isi surat",
    )
    assert capsys.readouterr().out.count("[inbox]") == 1
    assert notification.state == NotificationState.SENT and notification.sent_at is not None


def test_the_sweep_sends_what_no_nudge_has_sent(session: Session, settings: Settings) -> None:
    for _ in range(3):
        queue(session)
    tasks.sweep()
    assert len(list(settings.message_folder.glob("*.json"))) == 3


def test_a_code_overtakes_other_messages(session: Session) -> None:
    plain, code = queue(session), queue(session, secret=True)
    assert service.list_due(session) == [code.id, plain.id]


def test_a_secret_is_forgotten_once_it_is_sent(session: Session) -> None:
    notification = queue(session, secret=True)
    deliver(session, notification)
    assert notification.body == ""
    assert notification.id not in [each.id for each in list_for_user(session, notification.user_id)]  # type: ignore[arg-type] # queue() sets it


def test_a_message_that_failed_is_tried_again_later(
    session: Session, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    notification = queue(session)
    with monkeypatch.context() as broken_time:
        broken_time.setattr(transports, "choose", broken)
        deliver(session, notification)
    assert (notification.state, notification.attempts, notification.problem) == ("pending", 1, "busy")
    tasks.sweep()
    assert not settings.message_folder.exists(), "it is not due yet"
    real = clock.wall_now
    monkeypatch.setattr(clock, "wall_now", lambda: real() + timedelta(minutes=1))
    tasks.sweep()
    assert len(list(settings.message_folder.glob("*.json"))) == 1


def test_a_message_is_given_up_after_eight_attempts(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transports, "choose", broken)
    notification = queue(session, secret=True)
    for attempt in range(1, 9):
        assert notification.state == NotificationState.PENDING
        deliver(session, notification)
        assert notification.attempts == attempt
        with transaction():
            session.execute(update(Notification).values(next_attempt_at=clock.wall_now()))
    assert notification.state == NotificationState.ABANDONED and notification.body == ""


def test_a_worker_that_died_while_sending_leaves_the_message_due_again(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    notification = queue(session)
    with transaction():
        assert service.claim(session, notification.id) is not None
    with transaction():
        assert service.claim(session, notification.id) is None, "somebody may still be sending"
    real = clock.wall_now
    monkeypatch.setattr(clock, "wall_now", lambda: real() + timedelta(seconds=31))
    with transaction():
        assert service.claim(session, notification.id) is not None


def test_a_message_that_kills_its_workers_is_given_up_and_keeps_no_other_back(session: Session) -> None:
    deadly, other = queue(session, secret=True), queue(session)
    with transaction():
        died_at_the_last = {"attempts": service.MOST_ATTEMPTS, "next_attempt_at": clock.wall_now()}
        session.execute(update(Notification).where(Notification.id == deadly.id).values(died_at_the_last))
    tasks.sweep()
    session.expire_all()
    assert (deadly.state, deadly.body) == (NotificationState.ABANDONED, "")
    assert deadly.problem == "the last attempt never came back"
    assert other.state == NotificationState.SENT


def test_no_message_is_left_when_what_it_tells_of_is_undone(session: Session) -> None:
    with pytest.raises(ZeroDivisionError), transaction():
        service.notify(session, make_user(session), "Halo", "Isi")
        raise ZeroDivisionError
    assert session.scalars(select(Notification)).all() == []


def test_a_user_with_a_phone_alone_gets_an_sms(session: Session) -> None:
    user = identity.create_user(session, name="Siti", contact="081234567890")
    service.notify(session, user, "Halo", "Isi")
    assert sent_to(session, user).channel == Channel.SMS


@pytest.mark.parametrize(
    ("channel", "problem"), [(Channel.EMAIL, "SMTP_URL"), (Channel.SMS, "no SMS gateway")]
)
def test_production_says_what_it_cannot_send(app: Flask, channel: Channel, problem: str) -> None:
    production = replace(app.extensions["settings"], environment="production")
    with pytest.raises(TransportError, match=problem):
        transports.choose(production, channel)(LETTER)


def test_an_unreachable_mail_server_is_a_transport_error() -> None:
    with pytest.raises(TransportError, match="did not take it"):
        transports.send_by_smtp("smtp://127.0.0.1:1", "bekal@contoh.test", LETTER)


def test_a_subject_that_would_add_a_header_is_refused_by_the_mail_library(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        transports, "_connect", lambda *_: contextlib.nullcontext(mock.Mock(spec=smtplib.SMTP))
    )
    transports.send_by_smtp("smtp://127.0.0.1", "bekal@contoh.test", LETTER)
    injecting = replace(LETTER, subject="Halo\nBcc: semua@contoh.test")
    with pytest.raises(TransportError, match="ValueError"):
        transports.send_by_smtp("smtp://127.0.0.1", "bekal@contoh.test", injecting)
