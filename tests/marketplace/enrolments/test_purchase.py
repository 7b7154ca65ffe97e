"""Buying: the key first, then every reason against, then the seat and the money."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Engine, event, func, select, update
from sqlalchemy.orm import Session

import ledger
from marketplace import chart, clock
from marketplace.batches.models import Grant
from marketplace.catalogue.errors import NoSeats
from marketplace.catalogue.models import CourseState, Run, RunState
from marketplace.enrolments import offer, receipts
from marketplace.enrolments.cancellation import cancel, cancel_run
from marketplace.enrolments.errors import (
    AlreadyEnrolled,
    BalanceExpired,
    CourseNotOnSale,
    CourseOutsideScheme,
    GrantMissing,
    InsufficientBalance,
    KeyReused,
    OfferChanged,
    RunCancelled,
    RunStarted,
)
from marketplace.enrolments.models import Enrolment
from marketplace.enrolments.service import purchase
from marketplace.errors import MarketplaceError, NotFound
from marketplace.events.models import Event
from marketplace.notifications.models import Notification
from tests import factories
from tests.marketplace.enrolments.scenes import advance, buy, new_id, wish


def balance(session: Session, grant: Grant) -> Decimal:
    return ledger.balance(session, chart.benefit(grant.participant_id))


def assert_refused(
    session: Session, grant: Grant, run: Run, error: type[MarketplaceError], **details: object
) -> None:
    """Refused for this reason, and nothing of it remains: no seat, no money, no row."""
    before, taken = balance(session, grant), run.seats_taken
    nested = session.begin_nested()
    with pytest.raises(error) as refusal:
        purchase(session, wish(grant, run))
    nested.rollback()
    assert refusal.value.details.items() >= details.items()
    session.refresh(run)
    assert (balance(session, grant), run.seats_taken) == (before, taken)
    assert session.scalar(select(func.count()).select_from(Enrolment)) == 0


def test_a_purchase_moves_the_price_into_escrow_and_takes_a_seat(session: Session) -> None:
    grant, run = factories.make_grant(session), factories.make_run(session)
    enrolment = purchase(session, wish(grant, run))
    assert enrolment.state == "purchased"
    assert enrolment.price == 750_000
    assert enrolment.fee_rate == grant.scheme.fee_rate
    assert enrolment.balance_after == balance(session, grant) == grant.amount - 750_000
    assert ledger.balance(session, chart.escrow(run.course.provider_id)) == 750_000
    assert receipts.is_valid(enrolment.receipt_number)
    session.refresh(run)
    assert run.seats_taken == 1
    assert grant.first_purchase_at is not None


def test_a_purchase_leaves_an_event_and_a_message_and_a_trace_in_the_ledger(session: Session) -> None:
    grant, run = factories.make_grant(session), factories.make_run(session)
    enrolment = purchase(session, wish(grant, run))
    told = session.scalars(select(Event).where(Event.subject_id == enrolment.id)).one()
    assert (told.type, told.provider_id) == ("enrolment.purchased", run.course.provider_id)
    message = session.scalars(
        select(Notification)
        .where(Notification.user_id == grant.participant.user_id)
        .order_by(Notification.id.desc())
    ).first()
    assert message is not None
    assert enrolment.receipt_number in message.body
    assert "Rp750.000" in message.body
    assert enrolment.transaction_id is not None
    record = ledger.get_transaction(session, enrolment.transaction_id)
    assert (record.kind, record.key) == ("purchase", f"purchase:{enrolment.id}")


def test_a_receipt_number_that_is_taken_is_drawn_again(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = factories.make_run(session)
    first = purchase(session, wish(factories.make_grant(session), run))
    fresh = receipts.new_number(clock.today(session))
    numbers = iter([first.receipt_number, fresh])
    monkeypatch.setattr(receipts, "new_number", lambda _day: next(numbers))
    assert purchase(session, wish(factories.make_grant(session), run)).receipt_number == fresh
    monkeypatch.setattr(receipts, "new_number", lambda _day: fresh)
    with pytest.raises(RuntimeError, match="keep colliding"):
        purchase(session, wish(factories.make_grant(session), run))


def test_a_refused_purchase_writes_no_row(session: Session) -> None:
    grant, run = factories.make_grant(session), factories.make_run(session, seats=1)
    purchase(session, wish(factories.make_grant(session), run))
    with counted_writes(session) as writes, pytest.raises(NoSeats):
        purchase(session, wish(grant, run))
    assert writes == ["UPDATE run"]  # which finds no seat


@contextmanager
def counted_writes(session: Session) -> Iterator[list[str]]:
    """What is inserted and updated in the block, by table."""
    found: list[str] = []

    def look(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        found.extend(" ".join(each) for each in re.findall(r"^(INSERT INTO|UPDATE) (\w+)", statement))

    connection = session.connection()
    event.listen(connection, "before_cursor_execute", look)
    try:
        yield found
    finally:
        event.remove(connection, "before_cursor_execute", look)


def test_the_same_request_again_returns_the_same_enrolment(session: Session) -> None:
    grant, run = factories.make_grant(session), factories.make_run(session)
    request = wish(grant, run)
    first = purchase(session, request)
    assert purchase(session, request).id == first.id
    assert balance(session, grant) == grant.amount - 750_000
    session.refresh(run)
    assert run.seats_taken == 1


def test_a_retry_of_the_purchase_that_emptied_the_balance_succeeds(session: Session) -> None:
    grant = factories.make_grant(session)
    run = factories.make_run(session, factories.make_course(session, price=grant.amount), seats=1)
    request = wish(grant, run)
    first = purchase(session, request)
    assert balance(session, grant) == 0
    assert purchase(session, request).id == first.id


def test_a_retry_after_the_start_still_returns_the_purchase(session: Session, owner_engine: Engine) -> None:
    grant, run = factories.make_grant(session), factories.make_run(session)
    request = wish(grant, run)
    first = purchase(session, request)
    advance(session, owner_engine, timedelta(days=8))
    assert purchase(session, request).id == first.id


def test_a_key_cannot_buy_two_different_things(session: Session) -> None:
    grant = factories.make_grant(session)
    request = wish(grant, factories.make_run(session))
    purchase(session, request)
    other = factories.make_run(session)
    with pytest.raises(KeyReused):
        purchase(session, replace(request, run_id=other.id))


def test_two_people_may_use_the_same_key(session: Session) -> None:
    run = factories.make_run(session)
    one, other = factories.make_grant(session), factories.make_grant(session)
    assert purchase(session, wish(one, run, "k")).id != purchase(session, wish(other, run, "k")).id


def test_one_run_is_bought_once_by_one_person(session: Session) -> None:
    grant, run = factories.make_grant(session), factories.make_run(session)
    first = purchase(session, wish(grant, run))
    with pytest.raises(AlreadyEnrolled) as refusal:
        purchase(session, wish(grant, run))
    assert refusal.value.details["enrolment_id"] == first.id


def test_a_cancelled_run_can_be_bought_again_by_the_same_person(session: Session) -> None:
    grant, run = factories.make_grant(session), factories.make_run(session)
    first = purchase(session, wish(grant, run))
    cancel(session, first.id, grant.participant_id)
    assert purchase(session, wish(grant, run)).id != first.id


def test_purchase_is_refused_when_the_balance_is_too_low(session: Session) -> None:
    grant = factories.make_grant(session)
    run = factories.make_run(session, factories.make_course(session, price=grant.amount + 350_000))
    assert_refused(
        session,
        grant,
        run,
        InsufficientBalance,
        balance=grant.amount,
        price=grant.amount + 350_000,
        short_by=Decimal(350_000),
    )
    assert grant.first_purchase_at is None


@pytest.mark.parametrize(
    "look_away", [lambda r: replace(r, price_seen=Decimal(1)), lambda r: replace(r, version_seen=7)]
)
def test_an_offer_that_changed_charges_nothing(session: Session, look_away: Callable[..., object]) -> None:
    grant, run = factories.make_grant(session), factories.make_run(session)
    nested = session.begin_nested()
    with pytest.raises(OfferChanged) as refusal:
        purchase(session, look_away(wish(grant, run)))  # type: ignore[arg-type] # a changed request
    nested.rollback()
    assert refusal.value.details == {"price": Decimal(750_000), "version": 1}
    assert balance(session, grant) == grant.amount


def test_the_price_is_the_servers_whatever_the_buyer_sends(session: Session) -> None:
    grant, run = factories.make_grant(session), factories.make_run(session)
    run.course.price = Decimal(900_000)
    run.course.version = 2
    session.flush()
    assert purchase(session, wish(grant, run)).price == 900_000


def test_a_full_run_is_refused(session: Session) -> None:
    grant, run = factories.make_grant(session), factories.make_run(session, seats=3)
    run.seats_taken = 3
    session.flush()
    assert_refused(session, grant, run, NoSeats)


def test_a_started_run_is_refused(session: Session, owner_engine: Engine) -> None:
    grant, run = factories.make_grant(session), factories.make_run(session)
    advance(session, owner_engine, timedelta(days=7, minutes=1))
    assert_refused(session, grant, run, RunStarted)


def test_a_self_paced_run_is_sold_while_its_access_lasts(session: Session, owner_engine: Engine) -> None:
    run = factories.make_self_paced_run(session, days=30)
    assert buy(session, run).state == "purchased"
    advance(session, owner_engine, timedelta(days=31))
    with pytest.raises(RunStarted):
        purchase(session, wish(factories.make_grant(session), run))


def test_a_cancelled_run_is_refused(session: Session) -> None:
    grant, run = factories.make_grant(session), factories.make_run(session)
    cancel_run(session, run.id, None, "pengajar sakit")
    assert_refused(session, grant, run, RunCancelled)


def test_a_suspended_course_is_refused(session: Session) -> None:
    grant, run = factories.make_grant(session), factories.make_run(session)
    run.course.state = CourseState.SUSPENDED.value
    session.flush()
    assert_refused(session, grant, run, CourseNotOnSale)


@pytest.mark.parametrize("hours", [14, None])
def test_a_course_shorter_than_the_scheme_pays_for_is_refused(session: Session, hours: int | None) -> None:
    grant = factories.make_grant(session)
    run = factories.make_run(session, factories.make_course(session, hours=hours))
    assert_refused(session, grant, run, CourseOutsideScheme, reason="shortest_hours")


def test_a_run_that_ends_after_the_scheme_is_refused(session: Session) -> None:
    grant = factories.make_grant(session)
    run = factories.make_self_paced_run(session)
    run.ends_at = clock.end_of_day(grant.scheme.ends_on) + timedelta(seconds=1)
    session.flush()
    assert_refused(session, grant, run, CourseOutsideScheme, reason="ends_after_scheme")


def test_nobody_buys_without_a_grant(session: Session) -> None:
    participant, run = factories.make_participant(session), factories.make_run(session)
    request = wish(Grant(participant_id=participant.id), run)
    with pytest.raises(GrantMissing):
        purchase(session, request)


@pytest.mark.parametrize(
    ("state", "error"), [("awarded", GrantMissing), ("revoked", BalanceExpired), ("lapsed", BalanceExpired)]
)
def test_nobody_buys_with_a_grant_that_holds_no_money(
    session: Session, state: str, error: type[MarketplaceError]
) -> None:
    grant, run = factories.make_grant(session), factories.make_run(session)
    grant.state = state
    session.flush()
    assert_refused(session, grant, run, error)


def test_nobody_buys_after_the_balances_last_day(session: Session) -> None:
    grant, run = factories.make_grant(session), factories.make_run(session)
    grant.spend_by = clock.now(session) - timedelta(seconds=1)
    session.flush()
    assert_refused(session, grant, run, BalanceExpired)


def test_nobody_buys_after_the_first_purchases_deadline_though_no_sweep_has_run(session: Session) -> None:
    grant, run = factories.make_grant(session), factories.make_run(session)
    grant.first_purchase_by = clock.now(session) - timedelta(seconds=1)
    session.flush()
    assert_refused(session, grant, run, BalanceExpired)


def test_who_has_bought_in_time_may_buy_again_later(session: Session) -> None:
    grant, run = factories.make_grant(session), factories.make_run(session)
    grant.first_purchase_by = clock.now(session) - timedelta(seconds=1)
    grant.first_purchase_at = grant.first_purchase_by - timedelta(days=1)
    session.flush()
    assert purchase(session, wish(grant, run)).price == run.course.price


def test_a_suspended_provider_sells_nothing(session: Session) -> None:
    grant, run = factories.make_grant(session), factories.make_run(session)
    run.course.provider.suspended_at = clock.now(session)
    session.flush()
    assert_refused(session, grant, run, CourseNotOnSale)


def test_a_free_course_posts_nothing_and_stops_no_deadline(session: Session) -> None:
    grant = factories.make_grant(session)
    run = factories.make_run(session, factories.make_course(session, price=Decimal(0)))
    enrolment = purchase(session, wish(grant, run))
    assert enrolment.transaction_id is None
    assert enrolment.balance_after == grant.amount
    assert grant.first_purchase_at is None


def test_a_run_that_does_not_exist_is_not_found(session: Session) -> None:
    request = wish(factories.make_grant(session), factories.make_run(session))
    with pytest.raises(NotFound):
        purchase(session, replace(request, run_id=new_id()))


def test_a_run_cancelled_at_the_last_moment_is_called_cancelled_not_full(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    grant, run = factories.make_grant(session), factories.make_run(session)

    def cancelled_meanwhile(*_seen: object) -> None:
        session.execute(update(Run).where(Run.id == run.id).values(state=RunState.CANCELLED))

    monkeypatch.setattr(offer, "check", cancelled_meanwhile)
    assert_refused(session, grant, run, RunCancelled)
