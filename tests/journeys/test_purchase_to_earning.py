"""The first half of the story without its pages: from the training balance through escrow to an earning.

Each step is one call of the product, in the order in which people make them; between two steps the
programme's clock moves. After every step all the money is where the rules say.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

import ledger
from marketplace import chart, clock, db
from marketplace.batches import queries as grants
from marketplace.catalogue.models import Run, RunSession
from marketplace.enrolments import attendance, completion, queries, service
from marketplace.enrolments.models import Earning, Enrolment
from marketplace.enrolments.service import PurchaseRequest
from tests import factories

PRICE = Decimal(1_000_000)


@dataclass(frozen=True)
class World:
    """The programme as one journey sees it."""

    session: Session
    owner: Engine

    def go_to(self, instant: datetime) -> None:
        """Let programme time pass until just after an instant, as `flask dev clock advance` does."""
        by = instant - clock.now(self.session) + timedelta(minutes=1)
        with self.owner.begin() as connection:
            move = text('UPDATE ledger.programme_clock SET "offset" = "offset" + :by')
            connection.execute(move, {"by": by})
        self.session.info.pop(db.OFFSET, None)

    def assert_books_balance(self) -> None:
        books = ledger.trial_balance(self.session)
        assert books.is_balanced
        owned = books.total("bank") + books.total("receivable")
        owed = ("fund", "reserve", "benefit", "escrow", "payable", "cash", "transit", "fees", "suspense")
        assert owned == sum(books.total(family) for family in owed)


@pytest.fixture
def world(session: Session, owner_engine: Engine) -> World:
    return World(session, owner_engine)


def test_a_purchase_becomes_an_earning(world: World) -> None:
    session = world.session

    # The state grants a person the benefit, and a provider offers a course of four sessions.
    with db.transaction():
        grant = factories.make_grant(session)
        run = factories.make_run(session, factories.make_course(session, price=PRICE), sessions=4)
        participant, provider = grant.participant, run.course.provider
        staff = factories.make_staff(session, provider)
        classmate = factories.make_grant(session).participant
    world.assert_books_balance()

    # The person buys: the price leaves the balance and waits in escrow.
    with db.transaction():
        enrolment = service.purchase(session, _wish(participant.id, run, "tombol-beli"))
        service.purchase(session, _wish(classmate.id, run, "tombol-beli"))
    assert grants.balance_of(session, participant.id) == grant.amount - PRICE
    assert ledger.balance(session, chart.escrow(provider.id)) == 2 * PRICE
    assert queries.money_of_participant(session, participant.id).escrow == PRICE
    world.assert_books_balance()

    # The same button pressed again changes nothing.
    with db.transaction():
        again = service.purchase(session, _wish(participant.id, run, "tombol-beli"))
    assert again.receipt_number == enrolment.receipt_number

    # They come to three of four sessions, and type the code on the classroom's screen.
    for meeting in run.sessions[:3]:
        _check_in(world, participant.id, meeting)

    # The run ends, the provider declares its completion: 75 percent, and a no-show for the classmate.
    world.go_to(run.ends_at)
    with db.transaction():
        completion.complete_run(session, run.id, staff)
    assert (enrolment.state, enrolment.percent, enrolment.paid_percent) == ("completed", 75, 75)
    assert grants.balance_of(session, participant.id) == grant.amount - 750_000
    assert grants.balance_of(session, classmate.id) == grant.amount - 250_000
    assert ledger.balance(session, chart.escrow(provider.id)) == 0

    # What the provider earned waits five working days, in which anyone may object.
    earning = _earning_of(enrolment, session)
    assert earning.net == 750_000 - earning.fee
    figures = queries.figures_for_provider(session, provider.id, clock.now(session))
    assert figures.waiting.amount == ledger.balance(session, chart.payable(provider.id))
    world.go_to(earning.matures_at)
    figures = queries.figures_for_provider(session, provider.id, clock.now(session))
    assert (figures.waiting.enrolments, figures.matured.enrolments) == (0, 2)
    world.assert_books_balance()


def _wish(participant_id: uuid.UUID, run: Run, key: str) -> PurchaseRequest:
    """What the review page sends: the offer as the buyer saw it, and the form's own key."""
    return PurchaseRequest(
        participant_id=participant_id,
        run_id=run.id,
        key=key,
        version_seen=run.course.version,
        price_seen=run.course.price,
    )


def _check_in(world: World, participant_id: uuid.UUID, meeting: RunSession) -> None:
    assert meeting.starts_at is not None
    world.go_to(meeting.starts_at)
    with db.transaction():
        code, _seconds = attendance.current_code(meeting)
        attendance.check_in(world.session, participant_id, meeting.id, code)


def _earning_of(enrolment: Enrolment, session: Session) -> Earning:
    """The earning, which names the check-in that it rests on."""
    session.refresh(enrolment, ["earning", "attendances"])
    assert enrolment.earning is not None
    assert enrolment.earning.evidence_id in {each.id for each in enrolment.attendances}
    return enrolment.earning
