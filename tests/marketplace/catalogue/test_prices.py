"""What a balance covers, counted by the prices of what is on sale."""

from decimal import Decimal

from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.catalogue import queries
from marketplace.catalogue.queries import Affordable
from tests import factories


def test_a_balance_covers_a_course_of_exactly_its_price_and_no_dearer_one(session: Session) -> None:
    for price in (500_000, 500_000, 500_001):
        factories.make_run(session, factories.make_course(session, price=Decimal(price)))
    factories.make_course(session, price=Decimal(100_000), hours=2)
    prices = queries.list_prices(session, clock.now(session), least_hours=15)
    assert prices.covered_by(Decimal(500_000)).courses == 2
    assert prices.covered_by(Decimal(500_001)).courses == 3
    assert prices.covered_by(Decimal(499_999)) == Affordable(0, 0)
    everything = queries.list_prices(session, clock.now(session))
    assert everything.covered_by(Decimal(100_000)).courses == 1
