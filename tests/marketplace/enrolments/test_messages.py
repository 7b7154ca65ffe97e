"""What people are told, in their own language."""

import itertools
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.enrolments import messages
from marketplace.enrolments.cancellation import cancel_run
from marketplace.enrolments.messages import Ending
from marketplace.enrolments.models import SEATED, Enrolment, EnrolmentState
from marketplace.notifications.models import Notification
from tests import factories
from tests.marketplace.enrolments.scenes import buy


def test_the_purchase_is_told_in_the_readers_language(session: Session) -> None:
    grant = factories.make_grant(session)
    grant.participant.user.locale = "en"
    enrolment = buy(session, factories.make_run(session), grant)
    told = session.scalars(
        select(Notification).where(Notification.subject == f"You are enrolled: {enrolment.run.course.title}")
    ).one()
    assert "Rp750.000 of your training balance" in told.body
    assert "Rp2.750.000 is left" in told.body


def test_times_are_the_readers_own_as_on_the_pages(session: Session) -> None:
    grant, run = factories.make_grant(session), factories.make_run(session, needs_confirmation=True)
    grant.participant.province_code, run.course.provider.province_code = "91", "73"
    enrolment = buy(session, run, grant)
    [until] = [each.astimezone(ZoneInfo("Asia/Jayapura")) for each in (enrolment.confirm_by,) if each]
    assert f"pukul {until:%H.%M} WIT;" in messages.awaiting(enrolment)[1]
    before = until - timedelta(hours=1)
    assert f"pukul {before:%H.%M} WITA di" in messages.asked(enrolment, grant.participant.user)[1]
    starts = run.starts_at.astimezone(until.tzinfo)
    assert f"pukul {starts:%H.%M} WIT." in messages.purchased(enrolment)[1]


def words(session: Session, enrolment: Enrolment, state: EnrolmentState, ending: Ending) -> str:
    """What would be told, without telling it."""
    with session.no_autoflush:
        enrolment.state = state.value
        subject, body = messages.ended(enrolment, ending)
        session.expire(enrolment, ["state"])
    return f"{subject}\n{body}"


def test_every_end_has_words_in_every_language(session: Session) -> None:
    enrolment = buy(session, factories.make_run(session))
    enrolment.percent = 75
    for state, locale in itertools.product(set(EnrolmentState) - set(SEATED), ("id", "en", "jv")):
        enrolment.participant.user.locale = locale
        told = words(session, enrolment, state, Ending(Decimal(212_500), is_spendable=True))
        assert enrolment.run.course.title in told
        assert "Rp212.500" in told
        assert "{" not in told


def test_money_that_comes_back_is_told_truly(session: Session) -> None:
    enrolment = buy(session, factories.make_run(session))
    enrolment.percent = 100
    state = EnrolmentState.COMPLETED
    assert "Rp" not in words(session, enrolment, state, Ending(Decimal(0), is_spendable=True))
    gone = words(session, enrolment, state, Ending(Decimal(5_000), is_spendable=False))
    assert "kas program" in gone


def test_participants_read_why_the_provider_cancelled(session: Session) -> None:
    enrolment = buy(session, factories.make_run(session))
    cancel_run(session, enrolment.run_id, None, "Pengajar sakit {0} <b>")
    told = session.scalars(
        select(Notification.body).where(Notification.subject.startswith("Kelas dibatalkan lembaga"))
    ).one()
    assert "Alasannya: Pengajar sakit {0} <b>" in told
    assert "Rp750.000 kembali ke saldo pelatihan Anda." in told


def test_a_self_paced_or_free_course_is_told_as_what_it_is(session: Session) -> None:
    enrolment = buy(session, factories.make_self_paced_run(session))
    _subject, body = messages.purchased(enrolment)
    assert "sampai" in body and "unit pertama" in body and "Kelas mulai" not in body
    free = factories.make_course(session, price=Decimal(0))
    _subject, body = messages.purchased(buy(session, factories.make_run(session, free)))
    assert "Kelas mulai" in body and "Rp" not in body and "uang" not in body
