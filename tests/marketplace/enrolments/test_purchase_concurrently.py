"""Many at once: one key has one effect, and no seat is sold twice. Each with its negative control."""

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

import ledger
from marketplace import chart, clock, db
from marketplace.batches.models import Grant
from marketplace.catalogue import service as catalogue
from marketplace.catalogue.errors import NoSeats
from marketplace.catalogue.models import Run, RunState
from marketplace.enrolments import locks, service
from marketplace.enrolments.errors import KeyReused, RunCancelled
from marketplace.enrolments.models import Enrolment, EnrolmentState
from marketplace.enrolments.service import PurchaseRequest, cancel_run, purchase
from marketplace.enrolments.settlement import Verdict, settle
from marketplace.errors import MarketplaceError
from tests import factories
from tests.marketplace.enrolments.scenes import at_once, make_grants, wish

Answer = tuple[str, str, Decimal]
Purchase = Callable[[Session, PurchaseRequest], Enrolment]


def answer(session: Session, request: PurchaseRequest, buy: Purchase) -> Answer:
    """What a receipt page shows."""
    enrolment = buy(session, request)
    return str(enrolment.id), enrolment.receipt_number, enrolment.balance_after


def fifty_identical(app: Flask, session: Session, buy: Purchase) -> list[Answer | MarketplaceError]:
    with db.transaction():
        request = wish(factories.make_grant(session), factories.make_run(session))
    return at_once(app, [lambda current: answer(current, request, buy)] * 50)


def test_fifty_identical_purchases_have_one_effect_and_one_answer(app: Flask, session: Session) -> None:
    answers = fifty_identical(app, session, purchase)
    assert len(set(answers)) == 1
    enrolment = session.scalars(select(Enrolment)).one()
    assert answers[0] == (str(enrolment.id), enrolment.receipt_number, enrolment.balance_after)
    account = chart.benefit(enrolment.participant_id)
    debits = [line for line in ledger.statement(session, account).lines if line.kind == "purchase"]
    assert len(debits) == 1
    assert session.get_one(Run, enrolment.run_id).seats_taken == 1


def test_the_control_that_looks_before_it_claims_gives_other_answers(app: Flask, session: Session) -> None:
    def look_first(current: Session, request: PurchaseRequest) -> Enrolment:
        mine = select(Enrolment).where(Enrolment.participant_id == request.participant_id)
        earlier = current.scalars(mine).first()
        if earlier is not None:
            return earlier
        time.sleep(0.05)
        return purchase(current, replace(request, key=f"{request.key}-{time.monotonic_ns()}"))

    answers = fifty_identical(app, session, look_first)
    assert any(isinstance(each, MarketplaceError) for each in answers)


def test_without_the_grants_lock_the_table_still_takes_a_key_once(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    with db.transaction():
        request = wish(factories.make_grant(session), factories.make_run(session))
    together = threading.Barrier(2)

    def read_unlocked(current: Session, participant_id: uuid.UUID) -> Grant | None:
        return current.scalars(select(Grant).where(Grant.participant_id == participant_id)).first()

    def none_earlier(*_asked: object) -> None:
        together.wait(timeout=20)

    def buy(current: Session) -> str:
        try:
            return str(purchase(current, request).id)
        except IntegrityError as error:
            raise KeyReused(str(error.orig)) from error

    monkeypatch.setattr(locks, "lock_grant_of", read_unlocked)
    monkeypatch.setattr(service, "_find_earlier", none_earlier)
    answers = at_once(app, [buy, buy])
    [refusal] = [each for each in answers if isinstance(each, KeyReused)]
    assert "uq_enrolment" in str(refusal)
    enrolment = session.scalars(select(Enrolment)).one()
    assert ledger.balance(session, chart.escrow(enrolment.provider_id)) == enrolment.price


def sell_out(app: Flask, session: Session, seats: int, buyers: int) -> tuple[int, int]:
    """Let many buy at once; how many enrolments came of it, and how many were told there is no seat."""
    with db.transaction():
        run = factories.make_run(session, seats=seats)
        requests = [wish(grant, run) for grant in make_grants(session, buyers)]
    works = [lambda current, request=request: purchase(current, request).id for request in requests]
    answers = at_once(app, works)
    refused = sum(isinstance(each, NoSeats) for each in answers)
    return session.scalar(select(func.count()).select_from(Enrolment)) or 0, refused


def test_sixty_buyers_for_ten_seats_get_exactly_ten(app: Flask, session: Session) -> None:
    assert sell_out(app, session, seats=10, buyers=60) == (10, 50)
    run = session.scalars(select(Run)).one()
    assert run.seats_taken == 10
    assert ledger.balance(session, chart.escrow(run.course.provider_id)) == 10 * run.course.price


def test_the_control_that_counts_seats_before_taking_one_oversells(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take_seat_after_looking(current: Session, run_id: object) -> None:
        run = current.get_one(Run, run_id, populate_existing=True)
        if run.seats_left <= 0:
            raise NoSeats("no seat left")
        time.sleep(0.02)
        run.seats_taken += 1
        current.flush()

    monkeypatch.setattr(catalogue, "take_seat", take_seat_after_looking)
    sold, _ = sell_out(app, session, seats=10, buyers=60)
    assert sold > 10


def cancel_amid_buyers(app: Flask, session: Session, end: Callable[[Session, Run], object]) -> list[str]:
    """Let twenty buy a run that is being cancelled; the states of the enrolments that came of it."""
    with db.transaction():
        run = factories.make_run(session)
        requests = [wish(grant, run) for grant in make_grants(session, 20)]
    works: list[Callable[[Session], object]] = [
        lambda current, request=request: purchase(current, request).id for request in requests
    ]
    answers = at_once(app, [*works[:10], lambda current: end(current, run), *works[10:]])
    refused = [each for each in answers if isinstance(each, MarketplaceError)]
    assert all(isinstance(each, RunCancelled) for each in refused)
    states = list(session.scalars(select(Enrolment.state)))
    assert len(states) + len(refused) == 20
    return states


def test_nobody_keeps_a_seat_of_a_run_that_is_cancelled_while_they_buy(app: Flask, session: Session) -> None:
    states = cancel_amid_buyers(app, session, lambda current, run: cancel_run(current, run.id, None, "sakit"))
    assert set(states) <= {EnrolmentState.CANCELLED_BY_PROVIDER}
    run = session.scalars(select(Run)).one()
    assert ledger.balance(session, chart.escrow(run.course.provider_id)) == 0
    owners = session.scalars(select(Grant.participant_id)).all()
    assert {ledger.balance(session, chart.benefit(each)) for each in owners} == {Decimal(3_500_000)}


def test_the_control_that_looks_who_bought_before_it_ends_buying_leaves_some(
    app: Flask, session: Session
) -> None:
    def look_first(current: Session, run: Run) -> None:
        bought = current.scalars(select(Enrolment.id).where(Enrolment.run_id == run.id)).all()
        time.sleep(0.2)
        current.get_one(Run, run.id).state = RunState.CANCELLED.value
        rows = locks.lock_enrolments(current, bought)
        verdicts = [Verdict(each, EnrolmentState.CANCELLED_BY_PROVIDER) for each in rows]
        settle(current, verdicts, None, clock.now(current))

    assert EnrolmentState.PURCHASED in cancel_amid_buyers(app, session, look_first)


def test_parallel_purchases_of_one_person_never_overdraw(app: Flask, session: Session) -> None:
    with db.transaction():
        grant = factories.make_grant(session)
        course = factories.make_course(session, price=Decimal(1_000_000))
        requests = [wish(grant, factories.make_run(session, course)) for _ in range(8)]
        account = chart.benefit(grant.participant_id)
    works = [lambda current, request=request: purchase(current, request).id for request in requests]
    answers = at_once(app, works)
    assert sum(isinstance(each, MarketplaceError) for each in answers) == 5
    assert ledger.balance(session, account) == 500_000
