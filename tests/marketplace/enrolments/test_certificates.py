"""Certificates: issued with the result, once, and taken back when it no longer earns one."""

from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from marketplace.enrolments import certificates, earnings, tasks
from marketplace.enrolments.completion import complete_run
from marketplace.enrolments.learning_models import Certificate
from marketplace.enrolments.locks import lock_enrolment
from marketplace.enrolments.models import AttendanceMethod, Earning, Enrolment
from marketplace.enrolments.receipts import is_valid
from marketplace.errors import NotAllowed, ReasonMissing
from marketplace.events.models import Event
from marketplace.identity.models import AuditEntry, Role
from marketplace.notifications.models import Notification
from tests import factories
from tests.marketplace.enrolments.scenes import at_once, attend, buy, make_short_run
from tests.marketplace.enrolments.test_completion import finish
from tests.marketplace.payouts import world


def _all(session: Session) -> list[Certificate]:
    return list(session.scalars(select(Certificate).order_by(Certificate.issued_at, Certificate.id)))


def _complete_one(session: Session, percent: int = 100) -> Enrolment:
    """A free-standing completion; its percent as a correction would have left it."""
    earning = world.make_earning(session, factories.make_provider(session))
    enrolment = session.get_one(Enrolment, earning.enrolment_id)
    _correct(session, enrolment, percent)
    return enrolment


def _correct(session: Session, enrolment: Enrolment, percent: int) -> None:
    enrolment.percent = percent
    session.flush()


def test_from_eighty_percent_on_a_certificate_comes_with_the_result(
    session: Session, owner_engine: Engine
) -> None:
    run = make_short_run(session, factories.make_course(session, price=Decimal(0), title="Barista"))
    enrolments = {attended: buy(session, run) for attended in (100, 80, 79, 0)}
    for attended, enrolment in enrolments.items():
        attend(session, enrolment, attended)
    finish(session, owner_engine, run)
    complete_run(session, run.id, None)
    issued = {each.enrolment_id: each for each in _all(session)}
    assert set(issued) == {enrolments[100].id, enrolments[80].id}
    one = issued[enrolments[80].id]
    assert (one.percent, one.course_title, one.holder_name) == (80, "Barista", "Rina Lestari")
    assert one.number.startswith("SRT-") and is_valid(one.number)
    assert one.final_at - one.issued_at > timedelta(days=4)
    told = session.scalars(select(Notification.subject).where(Notification.subject.like("Sertifikat%"))).all()
    assert told == ["Sertifikat Anda: Barista"] * 2
    assert certificates.follow(session, list(enrolments.values())) == []


def test_a_correction_below_eighty_revokes_and_one_above_replaces(session: Session) -> None:
    enrolment = _complete_one(session)
    [first] = _all(session)
    _correct(session, enrolment, 92)
    certificates.follow(session, [enrolment])
    [_, second] = _all(session)
    assert (first.revoked_code, second.percent, second.revoked_at) == ("corrected", 92, None)
    _correct(session, enrolment, 79)
    session.commit()
    tasks.sweep()
    session.expire_all()
    assert second.revoked_code == "corrected" and len(_all(session)) == 2
    assert certificates.list_own(session, enrolment.participant_id) == []
    happened = session.scalars(select(Event.type).where(Event.type.like("certificate.%"))).all()
    assert sorted(happened) == ["certificate.issued"] * 2 + ["certificate.revoked"] * 2
    tasks.sweep()
    assert session.query(AuditEntry).filter_by(action="certificate.revoke").count() == 2


def test_a_certificate_waits_while_the_evidence_is_looked_at(session: Session, owner_engine: Engine) -> None:
    run = make_short_run(session)
    enrolment = buy(session, run)
    attend(session, enrolment, 100, AttendanceMethod.UPLOAD)
    finish(session, owner_engine, run)
    complete_run(session, run.id, None)
    assert _all(session) == []
    held = session.scalars(select(Earning)).one()
    earnings.unhold(session, held.id, factories.make_user(session, Role.FINANCE))
    assert [each.enrolment_id for each in _all(session)] == [enrolment.id]


def test_the_office_revokes_for_a_reason_and_nothing_issues_it_again(session: Session) -> None:
    enrolment = _complete_one(session)
    [one] = _all(session)
    office = factories.make_user(session, Role.FINANCE)
    with pytest.raises(NotAllowed):
        certificates.revoke(session, one.id, "Palsu", factories.make_user(session))
    with pytest.raises(ReasonMissing):
        certificates.revoke(session, one.id, " ", office)
    for _ in range(2):
        certificates.revoke(session, one.id, "Daftar hadir dipalsukan", office)
    assert (one.revoked_reason, one.revoked_by) == ("Daftar hadir dipalsukan", office.id)
    assert session.query(AuditEntry).filter_by(action="certificate.revoke", actor_id=office.id).count() == 1
    assert certificates.follow(session, [enrolment]) == []


def test_one_enrolment_gets_one_certificate_whoever_asks_at_once(app: Flask, session: Session) -> None:
    enrolment = _complete_one(session)
    wanted = enrolment.id
    _correct(session, enrolment, 70)
    certificates.follow(session, [enrolment])
    _correct(session, enrolment, 90)
    session.commit()

    def ask(current: Session) -> int:
        return len(certificates.follow(current, [lock_enrolment(current, wanted)]))

    assert sorted(map(str, at_once(app, [ask] * 4))) == ["0", "0", "0", "1"]
    session.expire_all()
    assert len([each for each in _all(session) if each.revoked_at is None]) == 1


def test_what_a_certificate_says_is_never_edited(app_engine: Engine, session: Session) -> None:
    _complete_one(session)
    session.commit()
    for change in ("percent = 100", "holder_name = 'X'", "number = 'X'", "enrolment_id = gen_random_uuid()"):
        with app_engine.begin() as connection, pytest.raises(ProgrammingError, match="permission denied"):
            connection.execute(text(f"UPDATE certificate SET {change}"))
    with app_engine.begin() as connection, pytest.raises(ProgrammingError, match="permission denied"):
        connection.execute(text("DELETE FROM certificate"))
    with app_engine.begin() as connection:  # control: its fate is
        connection.execute(text("UPDATE certificate SET judged_at = now()"))
