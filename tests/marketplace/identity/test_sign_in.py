"""Signing in by one-time code."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.db import transaction
from marketplace.identity import codes, queries, service
from marketplace.identity.errors import CodeExpired, CodeWrong, ContactInvalid, RateLimited
from marketplace.identity.models import SignInCode, User, UserSession
from marketplace.notifications.models import Notification
from tests.factories import make_user

CONTACT = "siti@contoh.test"


def request_code(session: Session, contact: str = CONTACT) -> str:
    """Ask for a code and read it in the message that waits."""
    service.request_code(session, contact)
    body = session.scalars(select(Notification.body).order_by(Notification.id.desc())).first()
    found = re.search(r"\b\d{6}\b", body or "")
    assert found
    return found.group()


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def travel(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    """Let wall time pass."""
    real: Callable[[], object] = clock.wall_now
    monkeypatch.setattr(clock, "wall_now", lambda: real() + by)  # type: ignore[operator]


def test_a_new_contact_signs_in_and_becomes_a_user(session: Session) -> None:
    user, token = service.sign_in(session, CONTACT, request_code(session), "Firefox")
    assert user.email == CONTACT
    found = queries.find_session(session, token)
    assert found is not None and found.user is user and found.device == "Firefox"


def test_a_known_contact_signs_in_as_the_same_user(session: Session) -> None:
    user = make_user(session, contact=CONTACT)
    assert service.sign_in(session, "  Siti@Contoh.TEST ", request_code(session), "")[0] is user


def test_a_phone_number_is_one_contact_however_it_is_typed(session: Session) -> None:
    code = request_code(session, "0812-3456-7890")
    user, _ = service.sign_in(session, "+62 812 3456 7890", code, "")
    assert user.phone == "+6281234567890"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "siti",
        "siti@",
        "a@b",
        "siti@contoh.test\nBcc: x@y.test",
        "+1 202 555 0100",
        "12",
        "x" * 300,
        "ѕiti@contoh.test",
    ],
)
def test_what_is_no_contact_is_refused(session: Session, typed: str) -> None:
    with pytest.raises(ContactInvalid):
        service.request_code(session, typed)


def test_a_code_works_once(session: Session) -> None:
    code = request_code(session)
    service.sign_in(session, CONTACT, code, "")
    with pytest.raises(CodeExpired):
        service.sign_in(session, CONTACT, code, "")


def test_a_code_of_another_contact_does_not_work(session: Session) -> None:
    code = request_code(session, "lain@contoh.test")
    request_code(session)
    with pytest.raises(CodeWrong):
        service.sign_in(session, CONTACT, code, "")


def test_a_code_expires_after_ten_minutes(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    code = request_code(session)
    travel(monkeypatch, codes.LIFETIME)
    with pytest.raises(CodeExpired):
        service.sign_in(session, CONTACT, code, "")


def test_the_older_of_two_codes_still_works_since_messages_overtake_each_other(session: Session) -> None:
    code = request_code(session)
    request_code(session)
    service.sign_in(session, CONTACT, code, "")


def test_wrong_codes_are_counted_although_the_sign_in_fails(session: Session) -> None:
    with transaction():
        code = request_code(session)
    for left in (4, 3, 2, 1, 0):
        with pytest.raises(CodeWrong) as refusal, transaction():
            service.sign_in(session, CONTACT, other_than(code), "")
        assert refusal.value.details["left"] == left
    with pytest.raises(CodeExpired), transaction():
        service.sign_in(session, CONTACT, code, "")


def test_without_the_commit_a_guesser_would_have_endless_attempts(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control of the test above: a refusal that is not recorded leaves no trace."""
    monkeypatch.setattr(CodeWrong, "recorded", False)
    with transaction():
        code = request_code(session)
    for _ in range(10):
        with pytest.raises(CodeWrong), transaction():
            service.sign_in(session, CONTACT, other_than(code), "")
    with transaction():
        service.sign_in(session, CONTACT, code, "")


def test_a_sixth_code_within_a_quarter_of_an_hour_is_refused(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(codes.CODES_PER_WINDOW):
        service.request_code(session, CONTACT)
    with pytest.raises(RateLimited) as refusal:
        service.request_code(session, CONTACT)
    assert 0 < int(str(refusal.value.details["retry_after"])) <= 900
    service.request_code(session, "lain@contoh.test")
    travel(monkeypatch, codes.WINDOW)
    service.request_code(session, CONTACT)


def test_unknown_and_known_contacts_get_the_same_answer(session: Session) -> None:
    make_user(session, contact="kenal@contoh.test")
    bodies = []
    for contact in ("kenal@contoh.test", "baru@contoh.test"):
        code = request_code(session, contact)
        message = session.scalars(select(Notification).order_by(Notification.id.desc())).first()
        assert message is not None and message.secret
        bodies.append(message.body.replace(code, "******"))
    assert bodies[0] == bodies[1]
    assert session.scalar(select(User).where(User.email == "baru@contoh.test")) is None


def test_neither_code_nor_token_is_in_the_database(session: Session, owner_engine: Engine) -> None:
    with transaction():
        code = request_code(session)
        _, token = service.sign_in(session, CONTACT, code, "")
    with owner_engine.connect() as connection:
        for table in ("sign_in_code", "user_session"):
            for row in connection.execute(text(f"SELECT t::text FROM {table} t")):
                assert code not in row[0].replace("-", " ").split() and token not in row[0]
                assert token.encode().hex() not in row[0] and code.encode().hex() not in row[0]


def test_a_session_ends_and_stays_ended(session: Session) -> None:
    user = make_user(session)
    token = service.start_session(session, user, "")
    service.end_session(session, token)
    service.refresh_session(session, token)
    assert queries.find_session(session, token) is None


def test_a_session_lasts_thirty_idle_days(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    token = service.start_session(session, make_user(session), "")
    travel(monkeypatch, timedelta(days=29))
    found = queries.find_session(session, token)
    assert found is not None and queries.needs_refresh(found)
    service.refresh_session(session, token)
    travel(monkeypatch, timedelta(days=29))
    assert queries.find_session(session, token) is not None
    travel(monkeypatch, timedelta(days=30))
    assert queries.find_session(session, token) is None


def test_all_sessions_of_a_user_end_at_once(session: Session) -> None:
    user = make_user(session)
    tokens = [service.start_session(session, user, "") for _ in range(3)]
    other = service.start_session(session, make_user(session), "")
    assert service.end_all_sessions(session, user) == 3
    assert [queries.find_session(session, token) for token in tokens] == [None] * 3
    assert queries.find_session(session, other) is not None
    assert session.query(UserSession).count() == 4


def test_a_wrong_code_leaves_other_contacts_alone(session: Session) -> None:
    mine, other = request_code(session), request_code(session, "lain@contoh.test")
    with pytest.raises(CodeWrong):
        service.sign_in(session, CONTACT, other_than(mine), "")
    assert session.scalars(select(SignInCode.attempts).order_by(SignInCode.contact)).all() == [0, 1]
    service.sign_in(session, "lain@contoh.test", other, "")
