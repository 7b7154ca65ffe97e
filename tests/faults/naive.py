"""Bekal as it must not be built: the seeded faults that the crowd's tests must be able to see.

Each factory is the whole web application with one careless function in it, run by the same server.
"""

import time

from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

import ledger
from ledger import uuid7
from marketplace import app, chart, clock
from marketplace.catalogue import service as catalogue
from marketplace.catalogue.errors import NoSeats
from marketplace.catalogue.models import Run
from marketplace.enrolments import locks, service
from marketplace.enrolments.models import Enrolment
from marketplace.enrolments.service import PurchaseRequest

_THINKING_SECONDS = 0.2


def overselling() -> Flask:
    """Reads how many seats are taken, thinks, and writes one more."""
    catalogue.take_seat = _take_seat_that_was_free
    return app.create_app()


def charging_first() -> Flask:
    """Looks whether the key was used, charges, and claims the key last."""
    service.purchase = _charge_then_claim
    return app.create_app()


def _take_seat_that_was_free(session: Session, run_id: object) -> None:
    seats, taken = session.execute(select(Run.seats, Run.seats_taken).where(Run.id == run_id)).one()
    if taken >= seats:
        raise NoSeats("no seat left", run=str(run_id))
    time.sleep(_THINKING_SECONDS)
    session.execute(update(Run).where(Run.id == run_id).values(seats_taken=taken + 1))


def _charge_then_claim(session: Session, request: PurchaseRequest) -> Enrolment:
    mine = select(Enrolment).where(
        Enrolment.participant_id == request.participant_id, Enrolment.key == request.key
    )
    earlier = session.scalars(mine).first()
    if earlier is not None:
        return earlier
    time.sleep(_THINKING_SECONDS)
    run = session.get_one(Run, request.run_id)
    account, escrow = chart.benefit(request.participant_id), chart.escrow(run.course.provider_id)
    posting = ledger.Posting(account, escrow, run.course.price)
    posted = ledger.post(session, str(uuid7()), "purchase", [posting])
    grant = locks.lock_grant_of(session, request.participant_id)
    assert grant is not None
    sale = service._Sale(request, grant, run, clock.now(session))
    payment = service._Payment(ledger.available(session, account), posted.id)
    return service._find_earlier(session, request) or service._enrol(session, sale, payment)
