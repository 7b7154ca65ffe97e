"""Cancelling: by the participant, by the provider before and mid-way, and what it does to deadlines."""

from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

import ledger
from marketplace import chart, clock, db
from marketplace.batches.models import Grant, GrantState
from marketplace.enrolments.attendance import check_in, mark_unit
from marketplace.enrolments.cancellation import cancel, cancel_run, refund_unopened
from marketplace.enrolments.check_in_codes import current_code
from marketplace.enrolments.errors import TooLateToCancel
from marketplace.enrolments.models import Earning, Enrolment, EnrolmentState
from marketplace.enrolments.preview import preview_cancellation
from marketplace.enrolments.service import purchase
from marketplace.enrolments.settlement import Verdict, settle
from marketplace.errors import IllegalTransition, MarketplaceError, NotFound
from marketplace.events.models import Event
from marketplace.identity.models import AuditEntry
from marketplace.schemes import calendar
from tests import factories
from tests.marketplace.enrolments.scenes import advance, at_once, attend, buy, make_short_run, wish


def balance(session: Session, enrolment: Enrolment) -> Decimal:
    return ledger.balance(session, chart.benefit(enrolment.participant_id))


def escrow(session: Session, enrolment: Enrolment) -> Decimal:
    return ledger.balance(session, chart.escrow(enrolment.provider_id))


def test_cancelling_before_the_start_gives_all_of_it_back(session: Session) -> None:
    grant, run = factories.make_grant(session), factories.make_run(session)
    enrolment = buy(session, run, grant)
    cancel(session, enrolment.id, grant.participant_id)
    assert enrolment.state == "cancelled_by_participant"
    assert (balance(session, enrolment), escrow(session, enrolment)) == (grant.amount, 0)
    session.refresh(run)
    assert run.seats_taken == 0
    types = set(session.scalars(select(Event.type).where(Event.subject_id == enrolment.id)))
    assert types == {"enrolment.purchased", "enrolment.cancelled"}


def test_cancelling_again_changes_nothing(session: Session) -> None:
    enrolment = buy(session, factories.make_run(session))
    cancel(session, enrolment.id, enrolment.participant_id)
    settlement = enrolment.settlement_id
    assert cancel(session, enrolment.id, enrolment.participant_id).settlement_id == settlement


def test_cancelling_after_the_start_is_too_late(session: Session, owner_engine: Engine) -> None:
    enrolment = buy(session, factories.make_run(session))
    advance(session, owner_engine, timedelta(days=7, seconds=1))
    with pytest.raises(TooLateToCancel):
        cancel(session, enrolment.id, enrolment.participant_id)


def test_nobody_cancels_somebody_elses_purchase(session: Session) -> None:
    enrolment, other = buy(session, factories.make_run(session)), factories.make_participant(session)
    with pytest.raises(NotFound):
        cancel(session, enrolment.id, other.id)


def test_a_self_paced_course_is_cancelled_until_its_first_unit(session: Session) -> None:
    run = factories.make_self_paced_run(session)
    unopened, opened = buy(session, run), buy(session, run)
    mark_unit(session, opened.participant_id, run.sessions[0].id)
    assert cancel(session, unopened.id, unopened.participant_id).state == "cancelled_by_participant"
    with pytest.raises(TooLateToCancel):
        cancel(session, opened.id, opened.participant_id)


def test_a_free_course_is_cancelled_without_a_posting(session: Session) -> None:
    enrolment = buy(session, factories.make_run(session, factories.make_course(session, price=Decimal(0))))
    cancel(session, enrolment.id, enrolment.participant_id)
    assert enrolment.settlement_id is None


def test_money_that_may_not_be_spent_any_more_goes_back_to_the_fund(session: Session) -> None:
    enrolment = buy(session, factories.make_run(session))
    fund = ledger.balance(session, chart.fund(enrolment.scheme_code))
    enrolment.grant.spend_by = clock.now(session) - timedelta(seconds=1)
    session.flush()
    before = balance(session, enrolment)
    cancel(session, enrolment.id, enrolment.participant_id)
    assert balance(session, enrolment) == before
    assert ledger.balance(session, chart.fund(enrolment.scheme_code)) == fund + enrolment.price


def test_a_purchase_is_settled_once_whoever_tries(session: Session) -> None:
    enrolment = buy(session, factories.make_run(session))
    cancel(session, enrolment.id, enrolment.participant_id)
    verdict = Verdict(enrolment, EnrolmentState.COMPLETED, 100, 100)
    with pytest.raises(IllegalTransition):
        settle(session, [verdict], None, clock.now(session))


def test_the_ledger_itself_refuses_to_return_more_than_the_price(session: Session) -> None:
    enrolment = buy(session, factories.make_run(session))
    buy(session, enrolment.run)  # more escrow of the same provider, which must stay out of reach
    source, home = chart.escrow(enrolment.provider_id), chart.benefit(enrolment.participant_id)
    posting = ledger.Posting(source, home, enrolment.price + 1)
    with pytest.raises(ledger.ExceedsOriginal):
        ledger.post(session, "raw", "cancellation", [posting], settles=enrolment.transaction_id)


def test_a_provider_cancelling_before_the_start_refunds_everybody(session: Session) -> None:
    run = factories.make_run(session)
    enrolments = [buy(session, run) for _ in range(3)]
    staff = factories.make_staff(session, run.course.provider)
    assert cancel_run(session, run.id, staff, "pengajar sakit") == 3
    assert run.state == "cancelled"
    assert {each.state for each in enrolments} == {"cancelled_by_provider"}
    assert escrow(session, enrolments[0]) == 0
    assert all(balance(session, each) == each.grant.amount for each in enrolments)
    entry = session.scalars(select(AuditEntry).where(AuditEntry.subject == f"run:{run.id}")).one()
    assert (entry.action, entry.details["reason"]) == ("run.cancel", "pengajar sakit")
    assert cancel_run(session, run.id, staff, "pengajar sakit") == 0


def test_a_provider_cancelling_mid_way_keeps_the_attended_percent_only(
    session: Session, owner_engine: Engine
) -> None:
    run = make_short_run(session)
    often, seldom, never = (buy(session, run) for _ in range(3))
    attend(session, often, 85)
    attend(session, seldom, 10)
    advance(session, owner_engine, timedelta(days=1, minutes=180))
    cancel_run(session, run.id, None, "gedung kebanjiran")
    assert [(each.percent, each.paid_percent) for each in (often, seldom, never)] == [
        (85, 85),
        (10, 10),
        (0, 0),
    ]
    assert balance(session, often) == often.grant.amount - 637_500
    assert balance(session, never) == never.grant.amount
    assert escrow(session, often) == 0
    earned = set(session.scalars(select(Earning.enrolment_id)))
    assert earned == {often.id, seldom.id}


def test_a_run_that_is_over_cannot_be_cancelled(session: Session, owner_engine: Engine) -> None:
    run = factories.make_run(session)
    buy(session, run)
    advance(session, owner_engine, timedelta(days=20))
    with pytest.raises(TooLateToCancel):
        cancel_run(session, run.id, None, "terlambat")


def test_a_session_that_is_called_off_after_check_in_earns_nothing(
    session: Session, owner_engine: Engine
) -> None:
    """Check-in opens a quarter of an hour before: evidence of presence, not yet of teaching."""
    run = factories.make_run(session, sessions=2)
    enrolment = buy(session, run)
    for meeting, kept in ((run.sessions[0], 0), (run.sessions[1], 50)):
        assert meeting.starts_at is not None
        advance(session, owner_engine, meeting.starts_at - timedelta(minutes=5) - clock.now(session))
        check_in(session, enrolment.participant_id, meeting.id, current_code(meeting)[0])
        nested = session.begin_nested()
        [outcome] = preview_cancellation(session, run)
        assert cancel_run(session, run.id, None, "pengajar sakit") == 1
        assert (enrolment.paid_percent, outcome.verdict.paid_percent) == (kept, kept)
        assert balance(session, enrolment) == 3_500_000 - 750_000 * kept // 100
        nested.rollback()
        session.expire_all()


def test_nobody_cancels_another_providers_run(session: Session) -> None:
    run, other = factories.make_run(session), factories.make_provider(session)
    with pytest.raises(NotFound):
        cancel_run(session, run.id, factories.make_staff(session, other), "iseng")


def days_left(session: Session, grant: Grant) -> int:
    assert grant.first_purchase_by is not None
    return (clock.local_date(grant.first_purchase_by) - clock.today(session)).days


def expected_days(session: Session, days: int) -> int:
    """A period of so many days, moved forward to a working day."""
    end = calendar.end_of_period(session, clock.now(session), days)
    return (clock.local_date(end) - clock.today(session)).days


def test_the_unused_days_run_on_when_the_participant_cancels_everything(
    session: Session, owner_engine: Engine
) -> None:
    grant, run = factories.make_grant(session), factories.make_run(session)
    left = days_left(session, grant)
    enrolment = buy(session, run, grant)
    advance(session, owner_engine, timedelta(days=5))
    cancel(session, enrolment.id, grant.participant_id)
    assert grant.first_purchase_at is None
    assert days_left(session, grant) == expected_days(session, left)


def test_the_first_time_at_least_three_days_are_left_and_later_only_what_was_unused(
    session: Session, owner_engine: Engine
) -> None:
    grant, run = factories.make_grant(session), factories.make_run(session, starts_in=timedelta(days=60))
    advance(session, owner_engine, timedelta(days=days_left(session, grant)))
    for fewest in (3, None):
        unused = days_left(session, grant)
        enrolment = buy(session, run, grant)
        cancel(session, enrolment.id, grant.participant_id)
        assert days_left(session, grant) == expected_days(session, fewest or unused)


def test_the_clock_stays_stopped_while_another_purchase_stands(session: Session) -> None:
    grant = factories.make_grant(session)
    buy(session, factories.make_run(session), grant)
    enrolment = buy(session, factories.make_run(session), grant)
    deadline = grant.first_purchase_by
    cancel(session, enrolment.id, grant.participant_id)
    assert grant.first_purchase_at is not None
    assert grant.first_purchase_by == deadline


def test_a_provider_who_cancels_leaves_at_least_fifteen_days(session: Session, owner_engine: Engine) -> None:
    grant, run = factories.make_grant(session), factories.make_run(session, starts_in=timedelta(days=60))
    advance(session, owner_engine, timedelta(days=days_left(session, grant)))
    buy(session, run, grant)
    cancel_run(session, run.id, None, "pengajar sakit")
    assert days_left(session, grant) == expected_days(session, 15)
    assert grant.clock_resumptions == 0


def test_the_resumed_deadline_stays_within_the_scheme(session: Session) -> None:
    grant, run = factories.make_grant(session), factories.make_run(session)
    buy(session, run, grant)
    grant.spend_by = clock.now(session) + timedelta(days=2)
    session.flush()
    cancel_run(session, run.id, None, "pengajar sakit")
    assert grant.first_purchase_by == grant.spend_by


def test_a_self_paced_course_unopened_for_thirty_days_is_refunded(
    session: Session, owner_engine: Engine
) -> None:
    run = factories.make_self_paced_run(session, days=60)
    unopened, opened = buy(session, run), buy(session, run)
    mark_unit(session, opened.participant_id, run.sessions[0].id)
    advance(session, owner_engine, timedelta(days=29))
    assert refund_unopened(session) == 0
    advance(session, owner_engine, timedelta(days=1))
    assert refund_unopened(session) == 1
    assert (unopened.state, opened.state) == ("cancelled_by_programme", "attending")
    assert balance(session, unopened) == unopened.grant.amount
    assert unopened.grant.state == GrantState.ACTIVE


def test_participant_and_provider_cancelling_at_once_refund_once(app: Flask, session: Session) -> None:
    with db.transaction():
        run = factories.make_run(session)
        enrolment = buy(session, run)
        run_id, enrolment_id, participant_id = run.id, enrolment.id, enrolment.participant_id
    works = [
        lambda current: str(cancel_run(current, run_id, None, "pengajar sakit")),
        lambda current: cancel(current, enrolment_id, participant_id).state,
    ] * 8
    at_once(app, works)
    enrolment = session.get_one(Enrolment, enrolment_id, populate_existing=True)
    assert enrolment.state in ("cancelled_by_participant", "cancelled_by_provider")
    lines = ledger.statement(session, chart.benefit(participant_id)).lines
    assert [line.amount for line in lines] == [3_500_000, -750_000, 750_000]
    assert escrow(session, enrolment) == 0


def test_buying_while_the_provider_cancels_leaves_nobody_behind(app: Flask, session: Session) -> None:
    with db.transaction():
        run = factories.make_run(session)
        requests = [wish(factories.make_grant(session), run) for _ in range(10)]
        run_id, provider_id = run.id, run.course.provider_id
    works = [lambda current, request=request: str(purchase(current, request).id) for request in requests]
    works.insert(5, lambda current: str(cancel_run(current, run_id, None, "pengajar sakit")))
    answers = at_once(app, works)
    bought = [each for each in answers if not isinstance(each, MarketplaceError)]
    states = list(session.scalars(select(Enrolment.state)))
    assert len(states) == len(bought) - 1
    assert set(states) <= {"cancelled_by_provider"}
    assert ledger.balance(session, chart.escrow(provider_id)) == 0
