"""Seats that a provider confirms: the price is set aside, and the wait has exactly one end."""

import time
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

import ledger
from marketplace import chart, clock, db
from marketplace.batches.models import Grant
from marketplace.catalogue.models import Run
from marketplace.enrolments import confirmation, locks, queries
from marketplace.enrolments.cancellation import cancel, cancel_run
from marketplace.enrolments.completion import complete_run
from marketplace.enrolments.confirmation import confirm, decline, expire_due
from marketplace.enrolments.errors import (
    ConfirmationClosed,
    ConfirmationOver,
    InsufficientBalance,
    OfferChanged,
)
from marketplace.enrolments.models import Enrolment
from marketplace.enrolments.service import purchase
from marketplace.errors import IllegalTransition, NotFound
from marketplace.events.models import Event
from marketplace.notifications.models import Notification
from marketplace.payouts.queries import equation
from marketplace.schemes import calendar
from tests import factories
from tests.marketplace.enrolments.scenes import advance, at_once, buy, wish

PRICE = 750_000


@pytest.fixture
def grant(session: Session) -> Grant:
    return factories.make_grant(session)


@pytest.fixture
def waiting(session: Session, grant: Grant) -> Enrolment:
    """A purchase that its provider has not answered, of a run in a week."""
    return buy(session, factories.make_run(session, needs_confirmation=True), grant)


def portions(session: Session, grant: Grant) -> tuple[int, int, int]:
    """What can be spent, is set aside, is in escrow; with everything else it is the whole benefit."""
    money = queries.money_of_participant(session, grant.participant_id)
    assert money.returned == money.due == money.paid == 0
    assert money.available + money.set_aside + money.escrow == money.total == grant.amount
    return int(money.available), int(money.set_aside), int(money.escrow)


def rows(session: Session, grant: Grant) -> list[tuple[str, int, int]]:
    found = queries.history(session, grant.participant_id)
    return [(row.kind, int(row.amount), int(row.balance)) for row in found]


def told(session: Session, enrolment: Enrolment) -> str:
    """The last message to its participant."""
    latest = select(Notification).where(Notification.user_id == enrolment.participant.user_id)
    message = session.scalars(latest.order_by(Notification.id.desc())).first()
    return f"{message.subject}\n{message.body}" if message else ""


def seats_taken(session: Session, run: Run) -> int:
    session.refresh(run)
    return run.seats_taken


def test_the_price_waits_in_the_balance_until_the_provider_confirms(
    session: Session, grant: Grant, waiting: Enrolment
) -> None:
    assert (waiting.state, waiting.transaction_id) == ("awaiting_confirmation", None)
    assert portions(session, grant) == (2_750_000, PRICE, 0)
    assert seats_taken(session, waiting.run) == 1 and grant.first_purchase_at is not None
    assert "Menunggu konfirmasi lembaga" in told(session, waiting)
    confirm(session, waiting.id, None)
    transaction = waiting.transaction_id
    assert confirm(session, waiting.id, None).transaction_id == transaction is not None
    assert (waiting.state, waiting.balance_after) == ("purchased", 2_750_000)
    assert portions(session, grant) == (2_750_000, 0, PRICE)
    assert "Anda terdaftar" in told(session, waiting)
    assert rows(session, grant) == [
        ("purchase", 0, 2_750_000),
        ("hold", -PRICE, 2_750_000),
        ("grant", 3_500_000, 3_500_000),
    ]
    cancel(session, waiting.id, grant.participant_id)
    assert portions(session, grant) == (3_500_000, 0, 0)
    assert equation(session).holds


def test_what_is_set_aside_buys_nothing_else(session: Session, grant: Grant) -> None:
    dear = factories.make_course(session, price=Decimal(2_000_000))
    buy(session, factories.make_run(session, dear, needs_confirmation=True), grant)
    with pytest.raises(InsufficientBalance) as refusal:
        buy(session, factories.make_run(session, dear), grant)
    assert refusal.value.details["short_by"] == 500_000


def test_a_declined_seat_is_free_again_and_its_money_and_days_come_back(
    session: Session, grant: Grant, waiting: Enrolment
) -> None:
    stranger = factories.make_staff(session, factories.make_provider(session))
    staff = factories.make_staff(session, waiting.run.course.provider)
    for act in (
        lambda: confirm(session, waiting.id, stranger),
        lambda: decline(session, waiting.id, stranger, "x"),
    ):
        with pytest.raises(NotFound):
            act()
    decline(session, waiting.id, staff, "Syarat peserta tidak terpenuhi")
    decline(session, waiting.id, staff, "lagi")
    assert waiting.state == "cancelled_by_provider" and seats_taken(session, waiting.run) == 0
    assert portions(session, grant) == (3_500_000, 0, 0)
    assert rows(session, grant)[0] == ("release", PRICE, 3_500_000)
    assert "Alasannya: Syarat peserta tidak terpenuhi" in told(session, waiting)
    at_least = calendar.end_of_period(session, clock.now(session), 15)
    assert grant.first_purchase_at is None and grant.first_purchase_by == at_least
    with pytest.raises(IllegalTransition):
        confirm(session, waiting.id, None)
    assert buy(session, waiting.run, grant).is_awaiting, "the same run may be asked for again"


def test_whoever_withdraws_gets_the_unused_days(session: Session, grant: Grant, waiting: Enrolment) -> None:
    deadline = grant.first_purchase_by
    cancel(session, waiting.id, grant.participant_id)
    cancel(session, waiting.id, grant.participant_id)
    assert (waiting.state, grant.clock_resumptions) == ("cancelled_by_participant", 1)
    assert grant.first_purchase_by == deadline and portions(session, grant) == (3_500_000, 0, 0)


def test_the_hold_ends_at_its_instant_and_the_sweep_only_says_so(
    session: Session, grant: Grant, waiting: Enrolment, owner_engine: Engine
) -> None:
    assert waiting.confirm_by is not None
    assert expire_due(session) == 0
    session.commit()
    advance(session, owner_engine, waiting.confirm_by - clock.now(session))
    assert portions(session, grant) == (3_500_000, 0, 0), "before any sweep"
    assert rows(session, grant)[0] == ("expiry", PRICE, 3_500_000)
    for act in (lambda: confirm(session, waiting.id, None), lambda: decline(session, waiting.id, None, "x")):
        with pytest.raises(ConfirmationOver):
            act()
    assert (expire_due(session), expire_due(session)) == (1, 0)
    assert waiting.hold_id is not None
    assert (waiting.state, ledger.get_hold(session, waiting.hold_id).state) == (
        "confirmation_expired",
        ledger.HoldState.EXPIRED,
    )
    assert seats_taken(session, waiting.run) == 0 and grant.first_purchase_at is None
    assert rows(session, grant)[0] == ("expiry", PRICE, 3_500_000)
    assert "tidak menjawab" in told(session, waiting) and "Rp750.000 kembali" in told(session, waiting)


def test_the_deadline_is_the_earlier_of_two_working_days_and_a_day_before_the_start(
    session: Session, grant: Grant
) -> None:
    friday = datetime(2026, 11, 27, 3, tzinfo=UTC)
    run = factories.make_run(session, needs_confirmation=True)
    run.ends_at = friday + timedelta(days=40)
    run.starts_at = friday + timedelta(days=30)
    assert confirmation.deadline(session, run, grant, friday) == datetime(2026, 12, 1, 16, 59, 59, tzinfo=UTC)
    run.starts_at = friday + timedelta(days=2)
    assert confirmation.deadline(session, run, grant, friday) == friday + timedelta(days=1)
    near = factories.make_run(session, starts_in=timedelta(hours=23), needs_confirmation=True)
    with pytest.raises(ConfirmationClosed):
        buy(session, near, grant)


def test_who_saw_no_wait_is_asked_again(session: Session, grant: Grant) -> None:
    run = factories.make_run(session)
    request = wish(grant, run)
    run.needs_confirmation = True
    session.flush()
    with pytest.raises(OfferChanged):
        purchase(session, request)


def test_a_free_seat_waits_without_a_hold(session: Session, grant: Grant, owner_engine: Engine) -> None:
    free = factories.make_course(session, price=Decimal(0))
    confirmed, forgotten = (
        buy(session, factories.make_run(session, free, needs_confirmation=True), grant) for _ in range(2)
    )
    assert confirm(session, confirmed.id, None).state == "purchased"
    session.commit()
    advance(session, owner_engine, timedelta(days=7))
    assert expire_due(session) == 1
    assert (forgotten.state, forgotten.hold_id) == ("confirmation_expired", None)
    assert grant.first_purchase_at is None, "nothing was ever paid"


def test_a_run_that_ends_takes_those_who_wait_with_it(
    session: Session, grant: Grant, waiting: Enrolment, owner_engine: Engine
) -> None:
    cancel_run(session, waiting.run_id, None, "pengajar sakit")
    assert waiting.state == "cancelled_by_provider" and "pengajar sakit" in told(session, waiting)
    assert portions(session, grant) == (3_500_000, 0, 0)
    late = buy(session, factories.make_run(session, needs_confirmation=True), grant)
    session.commit()
    advance(session, owner_engine, timedelta(days=14))
    assert complete_run(session, late.run_id, None) == 0
    assert late.state == "confirmation_expired" and late.run.state == "settled"


# At once


def contend(app: Flask, enrolment_id: uuid.UUID, participant_id: uuid.UUID) -> int:
    """Confirm, decline, cancel and sweep together; how many said that they ended the wait."""
    works = [
        lambda current: confirm(current, enrolment_id, None).state == "purchased",
        lambda current: decline(current, enrolment_id, None, "penuh").state == "cancelled_by_provider",
        lambda current: cancel(current, enrolment_id, participant_id).state == "cancelled_by_participant",
        lambda current: expire_due(current) > 0,
    ]
    return sum(answer is True for answer in at_once(app, works * 2))


def ends(session: Session, enrolment_id: uuid.UUID) -> int:
    session.rollback()
    ending = ("enrolment.purchased", "enrolment.cancelled")
    found = select(Event.id).where(Event.subject_id == enrolment_id, Event.type.in_(ending))
    return len(session.scalars(found).all())


def test_a_wait_has_one_end_whoever_comes_at_once(app: Flask, session: Session) -> None:
    for _ in range(3):
        with db.transaction():
            run = factories.make_run(session, needs_confirmation=True)
            enrolment = buy(session, run)
            other = buy(session, run)
            ids = (enrolment.id, enrolment.participant_id)
        assert contend(app, *ids) >= 1
        ended = session.get_one(Enrolment, ids[0], populate_existing=True)
        is_bought = ended.state == "purchased"
        # a purchase that was confirmed may be cancelled after all: that is a second thing, told as such
        was_undone = ended.transaction_id is not None and not is_bought
        assert ends(session, ids[0]) == 1 + was_undone
        assert seats_taken(session, run) == 1 + is_bought
        assert ledger.balance(session, chart.escrow(run.course.provider_id)) == (PRICE if is_bought else 0)
        assert other.is_awaiting


def test_who_waits_for_a_lock_past_the_deadline_comes_too_late(
    app: Flask, session: Session, owner_engine: Engine
) -> None:
    with db.transaction():
        waiting = buy(session, factories.make_run(session, needs_confirmation=True))
        ids = (waiting.id, waiting.participant_id)
    assert waiting.confirm_by is not None
    advance(session, owner_engine, waiting.confirm_by - clock.now(session))
    session.rollback()
    contend(app, *ids)
    assert ends(session, ids[0]) == 1
    assert session.get_one(Enrolment, ids[0], populate_existing=True).state == "confirmation_expired"


def test_a_confirmation_that_is_cut_off_leaves_nothing_behind(session: Session, app_engine: Engine) -> None:
    with db.transaction():
        grant = factories.make_grant(session)
        enrolment_id = buy(session, factories.make_run(session, needs_confirmation=True), grant).id
    with pytest.raises(OperationalError), db.transaction() as current:
        confirm(current, enrolment_id, None)
        backend = current.scalar(text("SELECT pg_backend_pid()"))
        with app_engine.begin() as other:
            other.execute(text("SELECT pg_terminate_backend(:backend)"), {"backend": backend})
    assert portions(session, grant) == (2_750_000, PRICE, 0)
    with db.transaction() as current:
        assert confirm(current, enrolment_id, None).state == "purchased"
    assert portions(session, grant) == (2_750_000, 0, PRICE)


def test_the_control_that_looks_without_a_lock_ends_a_wait_twice(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(current: Session, enrolment_id: uuid.UUID) -> Enrolment:
        found = current.get_one(Enrolment, enrolment_id)
        time.sleep(0.1)
        return found

    with db.transaction():
        waiting = buy(session, factories.make_run(session, needs_confirmation=True))
        ids = (waiting.id, waiting.participant_id)
    monkeypatch.setattr(locks, "lock_enrolment", look)
    works = [lambda current: decline(current, ids[0], None, "penuh"), lambda current: cancel(current, *ids)]
    at_once(app, works)
    assert ends(session, ids[0]) == 2
