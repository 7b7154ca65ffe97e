"""Two workers at the same work: one run, one posting, one file."""

from collections.abc import Callable
from threading import Barrier, Thread

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

import ledger
from marketplace import chart
from marketplace.config import Settings
from marketplace.db import transaction
from marketplace.payouts import courier, service
from marketplace.payouts.errors import NothingToRetry
from marketplace.payouts.models import Payout, PayoutRun
from tests.marketplace.payouts import world
from tests.marketplace.payouts.bank_files import report
from tests.marketplace.payouts.world import MONDAY, make_earning, make_finance, make_payee, noon

WORKERS = 4


@pytest.fixture(autouse=True)
def _monday(session: Session, settings: Settings) -> None:
    world.set_programme_time(settings.database_owner_url, noon(MONDAY))
    with transaction() as session:
        for _ in range(3):
            provider, _account = make_payee(session)
            make_earning(session, provider)


def _at_once(app: Flask, act: Callable[[], object]) -> list[object]:
    """Run the same act in several threads that start together; what each got, or raised."""
    barrier, results = Barrier(WORKERS), list[object]()

    def run() -> None:
        with app.app_context():
            barrier.wait()
            try:
                results.append(act())
            except Exception as error:
                results.append(error)

    threads = [Thread(target=run) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_workers_that_wake_together_prepare_one_run(app: Flask, session: Session) -> None:
    results = _at_once(app, courier.prepare_due)
    assert sorted(len(result) for result in results if isinstance(result, list)) == [0, 0, 0, 1]
    session.rollback()
    assert len(session.scalars(select(PayoutRun)).all()) == 1
    assert len(world.payouts_of(session)) == 3


def test_workers_that_send_together_post_once(app: Flask, session: Session, settings: Settings) -> None:
    with transaction() as session:
        run_id = world.prepare_and_approve(session).id
    desk = world.desk_of(settings)
    results = _at_once(app, lambda: courier.send_run(run_id, desk))
    assert not [result for result in results if isinstance(result, Exception)]
    session.rollback()
    assert ledger.balance(session, chart.TRANSIT_PAYOUTS) == 2_700_000
    assert len(list((settings.bank_folder / "outbox").glob("*.xml"))) == 1


def test_what_a_later_payout_has_is_not_tried_again(session: Session, settings: Settings) -> None:
    with transaction() as session:
        run_id = world.prepare_and_approve(session).id
    desk = world.desk_of(settings)
    courier.send_run(run_id, desk)
    refused = world.payouts_of(session)[0].id
    courier.take(report(run_id, [(refused, "RJCT", "AC01")]), desk)
    with transaction() as session:
        assert service.retry(session, refused, make_finance(session)) is not None
        with pytest.raises(NothingToRetry):
            service.retry(session, refused, make_finance(session))
        assert session.get_one(Payout, refused).reason_code == "AC01"
