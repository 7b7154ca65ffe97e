"""Incentives and survey pay: earned by a final certificate, each once, from the reserve."""

from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

import ledger
from marketplace import chart, clock
from marketplace.batches import service as batches
from marketplace.batches.models import Grant
from marketplace.enrolments import certificates, earnings
from marketplace.enrolments.learning_models import Certificate
from marketplace.enrolments.models import Enrolment, EnrolmentState
from marketplace.enrolments.settlement import Verdict, settle
from marketplace.errors import NotFound
from marketplace.identity.models import Role
from marketplace.notifications.models import Notification
from marketplace.payouts import queries, reserves, surveys, tasks
from marketplace.payouts.errors import SurveyNotOpen
from marketplace.payouts.incentive_models import Incentive
from marketplace.payouts.incentives import judge_certificates, pay_instalments
from marketplace.payouts.reserves import return_unused
from tests import factories
from tests.marketplace.enrolments.scenes import advance, at_once, buy
from tests.marketplace.payouts import world

FIRST = {"useful": "5", "pace": "right", "recommend": "yes"}


def _complete(session: Session, grant: Grant | None = None, **course: object) -> Grant:
    """A completed course of somebody, with its certificate."""
    provider = factories.make_provider(session)
    made = factories.make_course(session, provider, **course)  # type: ignore[arg-type] # its own options
    grant = grant or factories.make_grant(session)
    world.make_earning(session, provider, grant=grant, course=made)
    return grant


def _cash(session: Session, grant: Grant) -> Decimal:
    return ledger.balance(session, chart.cash(grant.participant_id))


def _pass(session: Session, owner: Engine, days: int = 20) -> None:
    advance(session, owner, timedelta(days=days))


def _balanced(session: Session) -> bool:
    trial = ledger.trial_balance(session)
    return trial.is_balanced and queries.equation_of(trial).holds


def test_the_first_final_certificate_earns_once(session: Session, owner_engine: Engine) -> None:
    grant = _complete(session)
    _complete(session, grant)
    reserve = ledger.balance(session, chart.reserve("2023"))
    assert judge_certificates(session) == 0, "the provider may still correct it"
    session.commit()
    _pass(session, owner_engine)
    tasks.sweep()
    assert _cash(session, grant) == 600_000
    assert ledger.balance(session, chart.reserve("2023")) == reserve - 600_000
    assert _balanced(session)
    [incentive] = session.scalars(select(Incentive))
    assert (incentive.kind, incentive.number, incentive.next_at) == ("certificate", 1, None)
    assert session.scalars(select(Notification.subject).where(Notification.subject.like("Insentif%"))).all()
    _complete(session, grant)
    _pass(session, owner_engine)
    assert judge_certificates(session) == pay_instalments(session) == 0
    assert _cash(session, grant) == 600_000


def test_a_course_that_is_too_short_or_free_earns_nothing(session: Session, owner_engine: Engine) -> None:
    for _ in range(2):
        _complete(session)
    free = buy(
        session, factories.make_self_paced_run(session, factories.make_course(session, price=Decimal(0)))
    )
    verdict = Verdict(free, EnrolmentState.COMPLETED, 100)
    settle(session, [verdict], None, clock.now(session))
    short, enough, unpaid = session.scalars(select(Certificate).order_by(Certificate.id))
    session.commit()
    with owner_engine.begin() as connection:
        for each, hours in ((short, 14), (enough, 15)):
            change = text("UPDATE certificate SET hours = :hours WHERE id = :id")
            connection.execute(change, {"hours": hours, "id": each.id})
    _pass(session, owner_engine)
    assert judge_certificates(session) == 1
    assert session.scalars(select(Incentive.certificate_id)).all() == [enough.id]
    assert unpaid.judged_at is not None


def test_a_revoked_and_a_held_one_earn_nothing(session: Session, owner_engine: Engine) -> None:
    revoked, held = _complete(session), _complete(session)
    office = factories.make_user(session, Role.FINANCE)
    [mine] = certificates.list_own(session, revoked.participant_id)
    certificates.revoke(session, mine.id, "Daftar hadir dipalsukan", office)
    [doubted] = certificates.list_own(session, held.participant_id)
    earning = session.get_one(Enrolment, doubted.enrolment_id).earning
    assert earning is not None
    earnings.hold(session, earning.id, "attendance_uploaded", office)
    session.commit()
    _pass(session, owner_engine)
    assert judge_certificates(session) == 0
    earnings.unhold(session, earning.id, office)
    assert judge_certificates(session) == 1
    assert _cash(session, held) == 600_000
    assert mine.judged_at is not None


def test_the_older_scheme_pays_four_times_a_month_apart(session: Session, owner_engine: Engine) -> None:
    participant = factories.make_participant(session, scheme_code="2020")
    grant = _complete(session, factories.make_grant(session, participant), price=Decimal(500_000))
    session.commit()
    _pass(session, owner_engine)
    assert judge_certificates(session) == 1
    session.commit()
    for paid in (2, 3, 4, 4):
        assert pay_instalments(session) == 0
        session.commit()
        _pass(session, owner_engine, 31)
        pay_instalments(session)
        assert _cash(session, grant) == 600_000 * paid
        session.commit()
    assert _balanced(session)
    for number in (1, 2, 3):
        answers = {code: options[0] for code, options in surveys.get_questions(grant, number).items()}
        surveys.answer(session, participant.id, number, answers)
    assert _cash(session, grant) == grant.scheme.reserve_per_grant
    assert ledger.balance(session, chart.reserve("2020")) == 0


def test_a_survey_is_open_after_the_first_incentive_and_paid_once(
    session: Session, owner_engine: Engine
) -> None:
    grant = _complete(session)
    with pytest.raises(SurveyNotOpen):
        surveys.answer(session, grant.participant_id, 1, FIRST)
    session.commit()
    _pass(session, owner_engine)
    judge_certificates(session)
    for _ in range(2):
        surveys.answer(session, grant.participant_id, 1, FIRST)
    assert _cash(session, grant) == 650_000
    assert surveys.overview(session, grant).open_surveys == [2]
    for wrong in ({}, FIRST | {"useful": "6"}, FIRST | {"more": "yes"}):
        with pytest.raises(ValueError):
            surveys.answer(session, grant.participant_id, 1, wrong)
    with pytest.raises(NotFound):
        surveys.answer(session, grant.participant_id, 3, FIRST)
    assert _balanced(session)


def test_two_workers_and_two_tabs_earn_it_once(app: Flask, session: Session, owner_engine: Engine) -> None:
    grant = _complete(session)
    owner = grant.participant_id
    session.commit()
    _pass(session, owner_engine)
    assert sorted(map(str, at_once(app, [judge_certificates] * 4))) == ["0", "0", "0", "1"]
    at_once(app, [lambda current: surveys.answer(current, owner, 1, FIRST)] * 4)
    session.rollback()
    assert ledger.balance(session, chart.cash(owner)) == 650_000
    assert session.query(Incentive).count() == 2


def _lapse(session: Session, owner: Engine, grant: Grant) -> None:
    """The scheme ends, and balances go back."""
    end = grant.spend_by - clock.now(session) + timedelta(hours=1)
    advance(session, owner, end)
    batches.lapse_ended(session)
    session.commit()


def test_an_ended_reserve_returns_once_nothing_of_it_can_be_earned(
    session: Session, owner_engine: Engine
) -> None:
    earner, idle = _complete(session), factories.make_grant(session)
    # whose money was frozen: nobody revokes it
    batches.freeze(session, idle, "blacklisted")
    session.commit()
    advance(session, owner_engine, earner.spend_by - clock.now(session) - timedelta(days=30))
    late = _complete(session)
    fund, reserve = chart.fund("2023"), chart.reserve("2023")
    session.commit()
    assert return_unused(session) == 0, "nobody's scheme has ended"
    _lapse(session, owner_engine, earner)
    before = ledger.balance(session, fund)
    tasks.sweep()
    assert [_cash(session, each) for each in (earner, late)] == [600_000, 600_000]
    # of the earner two surveys stay; the last result is too young to be told
    assert [bool(each.reserve_returned_at) for each in (earner, idle, late)] == [True, True, False]
    assert ledger.balance(session, fund) - before == 700_000
    assert ledger.balance(session, reserve) == 200_000
    surveys.answer(session, late.participant_id, 1, FIRST)
    session.commit()
    _pass(session, owner_engine, 60)
    assert (return_unused(session), return_unused(session)) == (1, 0)
    surveys.answer(session, earner.participant_id, 1, FIRST)
    assert ledger.balance(session, reserve) == 100_000
    assert _balanced(session)


def test_a_reserve_that_returns_too_early_cannot_pay_the_incentive(
    session: Session, owner_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control of the test above."""
    grant = _complete(session)
    session.commit()
    _lapse(session, owner_engine, grant)
    monkeypatch.setattr(reserves, "nothing_open", lambda now: ())
    assert return_unused(session) == 1
    with pytest.raises(ledger.InsufficientBalance):
        judge_certificates(session)


def test_what_is_owed_is_never_edited(app_engine: Engine) -> None:
    for table, change in (("incentive", "amount = 1"), ("survey_response", "answers = '{}'")):
        with app_engine.begin() as connection, pytest.raises(ProgrammingError, match="permission denied"):
            connection.execute(text(f"UPDATE {table} SET {change}"))
    with app_engine.begin() as connection:  # control
        connection.execute(text("UPDATE incentive SET next_at = now()"))
