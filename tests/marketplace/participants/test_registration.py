"""Registration and its reasons for refusal."""

import threading
import uuid
from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.db import run_in_transaction, transaction
from marketplace.errors import MarketplaceError
from marketplace.identity.models import Role, User
from marketplace.participants import eligibility, errors, service
from marketplace.participants.models import Participant
from marketplace.participants.nik import Sex, compose
from marketplace.participants.service import Registration
from tests.factories import BIRTH_DATE, make_participant, make_registration, make_user


def years_ago(today: date, years: int, days: int = 0) -> date:
    return date(today.year - years, today.month, today.day) - timedelta(days=days)


def test_a_registered_user_is_a_participant_of_the_default_scheme(session: Session) -> None:
    user = make_user(session)
    participant = service.register(session, user, make_registration())
    assert user.has_role(Role.PARTICIPANT)
    assert participant.scheme_code == "2023" and participant.birth_date == BIRTH_DATE


def test_registering_again_after_a_lost_answer_finds_the_first(session: Session) -> None:
    user, registration = make_user(session), make_registration()
    first = service.register(session, user, registration)
    assert service.register(session, user, registration) is first


def test_nik_and_kk_are_kept_encrypted(session: Session, owner_engine: Engine) -> None:
    registration = make_registration()
    with transaction():
        participant = service.register(session, make_user(session), registration)
    with owner_engine.connect() as connection:
        rows = [
            str(row) + bytes(row.nik_encrypted).decode() + bytes(row.kk_encrypted).decode()
            for row in connection.execute(text("SELECT * FROM participant"))
        ]
    assert not any(registration.nik in row or registration.kk in row for row in rows)
    assert registration.nik not in repr(registration) and registration.kk not in repr(registration)
    assert participant.nik_masked == f"{registration.nik[:4]}••••••••{registration.nik[-4:]}"


@pytest.mark.parametrize(
    ("nik", "kk", "error"),
    [
        ("", "3171010101010001", errors.NikMalformed),
        ("317101570498000", "3171010101010001", errors.NikMalformed),
        ("3171015704980000", "3171010101010001", errors.NikMalformed),
        ("3171015704990001", "3171010101010001", errors.NikBirthDateMismatch),
        ("3171015704980001", "317101010101000", errors.KkMalformed),
        ("3171015704980001", "", errors.KkMalformed),
        ("3171015704980001", "1111111111111111", errors.KkMalformed),
    ],
)
def test_statements_that_cannot_be_true_are_refused(
    session: Session, nik: str, kk: str, error: type[errors.Ineligible]
) -> None:
    with pytest.raises(error):
        service.register(session, make_user(session), Registration("Rina", nik, kk, BIRTH_DATE, "31"))
    service.register(
        session,
        make_user(session),
        Registration("Rina", "3171.0157.0498.0001", "3171 0101 0101 0001", BIRTH_DATE, "31"),
    )


@pytest.mark.parametrize("name", ["", "  ", "x" * 121, "Rina\x00", "Rina\u202e"])
def test_a_name_is_needed(session: Session, name: str) -> None:
    registration = make_registration()
    nameless = Registration(name, registration.nik, registration.kk, BIRTH_DATE, "31")
    with pytest.raises(errors.NameMissing):
        service.register(session, make_user(session), nameless)


def test_an_unknown_province_is_refused(session: Session) -> None:
    registration = make_registration()
    with pytest.raises(errors.ProvinceUnknown):
        service.register(
            session,
            make_user(session),
            Registration("Rina", registration.nik, registration.kk, BIRTH_DATE, "99"),
        )


def test_a_nik_belongs_to_one_login(session: Session) -> None:
    registration = make_registration()
    service.register(session, make_user(session), registration)
    with pytest.raises(errors.NikTaken):
        service.register(session, make_user(session), registration)


def test_a_login_belongs_to_one_person(session: Session) -> None:
    participant = make_participant(session)
    with pytest.raises(errors.AlreadyRegistered):
        service.register(session, participant.user, make_registration())


def test_a_family_card_takes_two_people(session: Session) -> None:
    kk = "3171010101010001"
    for _ in range(2):
        service.register(session, make_user(session), make_registration(kk=kk))
    with pytest.raises(errors.KkQuotaFull) as refusal:
        service.register(session, make_user(session), make_registration(kk=kk))
    assert refusal.value.details == {"allowed": 2}


@pytest.mark.parametrize(
    ("years", "days", "error"),
    [(18, 0, None), (18, -1, errors.UnderAge), (64, 0, None), (65, -1, None), (65, 0, errors.OverAge)],
)
def test_age_is_18_to_64_on_the_day_of_application(
    session: Session, years: int, days: int, error: type[MarketplaceError] | None
) -> None:
    born = years_ago(clock.today(session), years, days)
    if error is None:
        make_participant(session, birth_date=born)
    else:
        with pytest.raises(error):
            make_participant(session, birth_date=born)


def test_who_was_born_on_a_leap_day_ages_on_the_first_of_march() -> None:
    born = date(2008, 2, 29)
    assert eligibility.age_on(born, date(2026, 2, 28)) == 17
    assert eligibility.age_on(born, date(2026, 3, 1)) == 18


def test_every_reason_has_a_sentence_in_two_languages() -> None:
    reasons = [error.code for error in errors.Ineligible.__subclasses__()]
    for code in [*reasons, *eligibility.BLOCKS]:
        assert eligibility.sentence(code) != eligibility.sentence(code, "en")


def register_at_once(
    app: Flask, registrations: list[Registration], login: uuid.UUID | None = None
) -> list[str]:
    """Each in a thread and session of its own, as so many requests; returns what became of them.

    Each has a login of its own, unless one is named that all of them share.
    """
    start = threading.Barrier(len(registrations))
    outcomes: list[str] = []

    def who(own: Session) -> User:
        return own.get_one(User, login) if login else make_user(own)

    def attempt(registration: Registration) -> None:
        with app.app_context():
            start.wait()
            try:
                run_in_transaction(lambda own: service.register(own, who(own), registration))
                outcomes.append("registered")
            except MarketplaceError as error:
                outcomes.append(error.code)

    threads = [threading.Thread(target=attempt, args=(each,)) for each in registrations]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(outcomes)


def test_eight_of_one_family_at_once_become_two(app: Flask) -> None:
    kk = "3171010101010001"
    outcomes = register_at_once(app, [make_registration(kk=kk) for _ in range(8)])
    assert outcomes == ["kk_quota_full"] * 6 + ["registered"] * 2


def test_without_the_lock_a_family_would_get_more(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control of the test above."""
    everyone_has_counted = threading.Barrier(8)
    check = service._check_quota

    def slow_check(*arguments: object) -> None:
        check(*arguments)  # type: ignore[arg-type] # passed on as they came
        everyone_has_counted.wait(timeout=20)

    monkeypatch.setattr(service, "_lock", lambda session, user, checked: None)
    monkeypatch.setattr(service, "_check_quota", slow_check)
    kk = "3171010101010001"
    assert register_at_once(app, [make_registration(kk=kk) for _ in range(8)]) == ["registered"] * 8


def test_one_nik_typed_into_eight_logins_at_once_registers_once(app: Flask, session: Session) -> None:
    nik = compose("317101", BIRTH_DATE, Sex.FEMALE, 77).digits
    outcomes = register_at_once(app, [make_registration(nik=nik) for _ in range(8)])
    assert outcomes == ["nik_taken"] * 7 + ["registered"]
    assert len(session.scalars(select(Participant)).all()) == 1


def test_one_login_registers_one_person_however_many_forms_it_sends_at_once(
    app: Flask, session: Session
) -> None:
    with transaction():
        login = make_user(session).id
    outcomes = register_at_once(app, [make_registration() for _ in range(4)], login)
    assert outcomes == ["already_registered"] * 3 + ["registered"]
