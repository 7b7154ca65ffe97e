"""The broker may lose everything, or be away: nothing is lost but seconds."""

import json
import uuid
from dataclasses import replace
from decimal import Decimal

import pytest
import redis
from sqlalchemy import func, select

from marketplace import db
from marketplace.batches import service as batches
from marketplace.batches.models import Grant, GrantState
from marketplace.catalogue.models import Run
from marketplace.dev import services
from marketplace.dev.valkey import free_port
from marketplace.enrolments.models import Enrolment
from marketplace.notifications.models import Notification, NotificationState
from tests import factories
from tests.faults.crowd import open_review, press
from tests.live import Live, wait_until
from tests.visitors import session_cookie

pytestmark = pytest.mark.long


def test_what_waits_is_done_after_the_broker_lost_every_message(live: Live) -> None:
    live.stop("worker")
    run_id, cookie, grant_id = _a_buyer_and_somebody_who_waits_for_a_grant(live)
    buyer = open_review(live.port, f"/beli/{run_id}", cookie)
    assert press(buyer).status == 302
    with redis.Redis.from_url(live.settings.redis_url) as broker:
        assert broker.dbsize(), "the nudges of the purchase should be waiting there"
        broker.flushdb()
    live.start("worker")
    # the negative control: without a sweep, a flushed broker really has lost the work
    assert _pending(live) > 0
    assert _grant_state(live, grant_id) == GrantState.AWARDED
    live.start("beat")
    wait_until(lambda: _pending(live) == 0, 60)
    wait_until(lambda: _grant_state(live, grant_id) == GrantState.ACTIVE, 60)
    receipts = [json.loads(file.read_text()) for file in live.settings.message_folder.glob("*.json")]
    assert sum("BKL-" in message["body"] for message in receipts) == 1


def test_a_purchase_is_sold_while_the_broker_is_away(live: Live) -> None:
    run_id, cookie, _grant = _a_buyer_and_somebody_who_waits_for_a_grant(live)
    port, nobody_listens_there = free_port(), free_port()
    environ = {**live.environ, "PORT": str(port), "REDIS_URL": f"redis://127.0.0.1:{nobody_listens_there}/0"}
    child = live.supervisor.start(replace(services.web(port, environ), name="web without a broker"))
    try:
        services.wait_for_web(child, port)
        buyer = open_review(port, f"/beli/{run_id}", cookie)
        assert press(buyer).status == 302
    finally:
        live.supervisor.stop("web without a broker")
    with live.inside():
        sold = select(func.count()).select_from(Enrolment).where(Enrolment.run_id == run_id)
        assert db.session().scalar(sold) == 1


def _a_buyer_and_somebody_who_waits_for_a_grant(live: Live) -> tuple[uuid.UUID, str, uuid.UUID]:
    with live.inside(), db.transaction() as session:
        factories.fund_scheme(session)
        buyer = factories.make_participant(session)
        batches.award(session, [buyer.id])
        batches.activate_awarded(session)
        waiting = batches.award(session, [factories.make_participant(session).id])[0]
        run: Run = factories.make_run(session, factories.make_course(session, price=Decimal(750_000)))
        return run.id, session_cookie(session, live.settings, buyer.user), waiting.id


def _pending(live: Live) -> int:
    with live.inside():
        waiting = Notification.state == NotificationState.PENDING
        return db.session().scalar(select(func.count()).select_from(Notification).where(waiting)) or 0


def _grant_state(live: Live, grant_id: uuid.UUID) -> str | None:
    with live.inside():
        return db.session().scalar(select(Grant.state).where(Grant.id == grant_id))
