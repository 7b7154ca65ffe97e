"""Crowds at the real web server. The judges are the clients' own log and SQL over the tables."""

import sys
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
from sqlalchemy import text

from ledger import trial_balance
from marketplace import db
from marketplace.batches import service as batches
from marketplace.catalogue.models import Run
from marketplace.dev import services
from marketplace.dev.valkey import free_port
from marketplace.payouts.queries import equation
from tests import factories
from tests.faults.crowd import Answer, Buyer, open_review, press, press_and_hang_up, press_at_once
from tests.live import Live, wait_until
from tests.visitors import session_cookie

PROCESSES, WEB_PROCESSES = ("web",), 2
pytestmark = pytest.mark.long

BUYERS = 500
SEATS = 50
PRICE = Decimal(50_000)
"""So low that a balance of Rp3.500.000 could pay it fifty times: only the key stands in the way."""
CSRF = "the same for all, so that one page's form is good for everybody"
NO_SEATS = "Kursi terakhir jadwal ini baru saja terisi. Saldo Anda tidak berkurang."


@dataclass(frozen=True)
class Sold:
    """One run's sales by SQL: its people, the ledger's debits for its provider, the counter of seats."""

    enrolments: int
    debits: int
    amount: Decimal
    seats_taken: int


@pytest.fixture(scope="module")
def crowd(live: Live) -> list[str]:
    """The session cookies of people who each have the whole balance to spend."""
    with live.inside(), db.transaction() as session:
        factories.fund_scheme(session)
        people = factories.make_crowd(session, BUYERS)
        batches.award(session, [person.id for person in people])
        batches.activate_awarded(session)
        return [session_cookie(session, live.settings, person.user, CSRF) for person in people]


def test_five_hundred_buyers_for_fifty_seats_leave_exactly_fifty_enrolled(
    live: Live, crowd: list[str]
) -> None:
    run_id = _open_run(live, SEATS)
    answers = press_at_once(_reviewers(live.port, run_id, crowd))
    assert Counter(answer.status for answer in answers) == Counter({302: SEATS, 409: BUYERS - SEATS})
    assert len({answer.location for answer in answers if answer.status == 302}) == SEATS
    assert all(NO_SEATS in answer.body for answer in answers if answer.status == 409)
    assert _sold(live, run_id) == Sold(SEATS, SEATS, SEATS * PRICE, SEATS)
    _assert_books_balance(live)


def test_the_crowd_sees_a_shop_that_reads_the_seats_before_it_writes_them(
    live: Live, crowd: list[str]
) -> None:
    seats = 10
    run_id = _open_run(live, seats)
    with _naive_web(live, "overselling") as port:
        answers = press_at_once(_reviewers(port, run_id, crowd[:100]))
    sold = _sold(live, run_id)
    assert sold.enrolments > seats >= sold.seats_taken
    assert Counter(answer.status for answer in answers)[302] == sold.enrolments


def test_fifty_identical_purchases_make_one_debit_and_get_one_answer(live: Live, crowd: list[str]) -> None:
    run_id = _open_run(live, SEATS)
    buyer = open_review(live.port, f"/beli/{run_id}", crowd[0])
    answers = press_at_once([buyer] * 50)
    assert len(set(answers)) == 1
    assert answers[0].location.startswith("/bukti/")
    assert _sold(live, run_id) == Sold(1, 1, PRICE, 1)
    _assert_books_balance(live)


def test_fifty_purchases_under_other_keys_lead_to_the_receipt_of_the_one(
    live: Live, crowd: list[str]
) -> None:
    run_id = _open_run(live, SEATS)
    buyer = open_review(live.port, f"/beli/{run_id}", crowd[0])
    answers = press_at_once([_with_another_key(buyer) for _ in range(50)])
    assert len({answer.location for answer in answers}) == 1
    assert answers[0].location.startswith("/bukti/")
    assert _sold(live, run_id) == Sold(1, 1, PRICE, 1)


def test_the_fifty_see_a_shop_that_charges_before_it_claims_the_key(live: Live, crowd: list[str]) -> None:
    run_id = _open_run(live, SEATS)
    with _naive_web(live, "charging_first") as port:
        buyer = open_review(port, f"/beli/{run_id}", crowd[1])
        press_at_once([buyer] * 50)
    sold = _sold(live, run_id)
    assert sold.enrolments == 1
    assert sold.debits > 1


def test_an_answer_that_got_lost_is_given_again_to_the_same_form(live: Live, crowd: list[str]) -> None:
    run_id = _open_run(live, 1)
    buyer = open_review(live.port, f"/beli/{run_id}", crowd[2])
    press_and_hang_up(buyer)
    wait_until(lambda: _sold(live, run_id).enrolments == 1)
    again: list[Answer] = [press(buyer), press(buyer)]
    assert {answer.status for answer in again} == {302}
    assert len({answer.location for answer in again}) == 1
    assert _sold(live, run_id) == Sold(1, 1, PRICE, 1)


# The scene, and the judges


def _open_run(live: Live, seats: int) -> uuid.UUID:
    """A run of a provider of its own, so that its escrow account tells this run's debits."""
    with live.inside(), db.transaction() as session:
        run: Run = factories.make_run(session, factories.make_course(session, price=PRICE), seats=seats)
        return run.id


def _reviewers(port: int, run_id: uuid.UUID, cookies: list[str]) -> list[Buyer]:
    """All of them on the review page. One opened it; it is the same for the others, but for its key."""
    first = open_review(port, f"/beli/{run_id}", cookies[0])
    others = [replace(_with_another_key(first), cookie=cookie) for cookie in cookies[1:]]
    return [first, *others]


def _with_another_key(buyer: Buyer) -> Buyer:
    return replace(buyer, form=buyer.form | {"key": uuid.uuid4().hex})


@contextmanager
def _naive_web(live: Live, factory: str) -> Iterator[int]:
    """A second web server on the same database, with one careless function in it."""
    port = free_port()
    program = services.web(port, live.environ | {"WEB_CONCURRENCY": "1"})
    command = [*program.command[:-1], f"tests.faults.naive:{factory}"]
    assert command[0] == sys.executable and "--factory" in command
    child = live.supervisor.start(replace(program, name=factory, command=command))
    services.wait_for_web(child, port)
    yield port
    live.stop(factory)


def _sold(live: Live, run_id: uuid.UUID) -> Sold:
    debits = """
        SELECT count(*), coalesce(sum(posting.amount), 0) FROM ledger.posting
        JOIN ledger.account ON account.id = posting.credit_account
        WHERE account.code = 'escrow:' || (
            SELECT replace(course.provider_id::text, '-', '')
            FROM run JOIN course ON course.id = run.course_id WHERE run.id = :run)
    """
    with live.inside():
        session = db.session()
        people = session.scalar(text("SELECT count(*) FROM enrolment WHERE run_id = :run"), {"run": run_id})
        taken = session.scalar(text("SELECT seats_taken FROM run WHERE id = :run"), {"run": run_id})
        count, amount = session.execute(text(debits), {"run": run_id}).one()
    return Sold(people or 0, count, amount, taken or 0)


def _assert_books_balance(live: Live) -> None:
    with live.inside():
        assert trial_balance(db.session()).is_balanced
        assert equation(db.session()).holds
