"""The line for a full run: who comes next is kept a seat, and nobody else gets it."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from marketplace import clock, db
from marketplace.batches.models import Grant
from marketplace.catalogue import service as catalogue
from marketplace.catalogue.errors import NoSeats
from marketplace.catalogue.models import Run
from marketplace.enrolments import line_queries, waiting, waiting_messages
from marketplace.enrolments.cancellation import cancel, cancel_run
from marketplace.enrolments.errors import AlreadyEnrolled, InsufficientBalance, LineClosed, SeatsLeft
from marketplace.enrolments.models import Enrolment
from marketplace.enrolments.places import PlaceState, WaitingPlace
from marketplace.enrolments.run_changes import RunChange, change_run
from marketplace.enrolments.service import purchase
from marketplace.enrolments.waiting import join, leave, move_on
from marketplace.errors import NotFound
from marketplace.notifications.models import Notification
from tests import factories
from tests.marketplace.enrolments.scenes import advance, at_once, buy, make_grants, wish


@pytest.fixture
def run(session: Session) -> Run:
    """A run in a week with its two seats sold."""
    full = factories.make_run(session, seats=2)
    for _ in range(2):
        buy(session, full)
    session.refresh(full)
    return full


@pytest.fixture
def line(session: Session, run: Run) -> list[Grant]:
    """Three people in line, in this order."""
    people = make_grants(session, 3)
    for grant in people:
        join(session, grant.participant_id, run.id)
    return people


def states(session: Session, run: Run) -> list[str]:
    rows = select(WaitingPlace.state).where(WaitingPlace.run_id == run.id)
    return list(session.scalars(rows.order_by(WaitingPlace.joined_at, WaitingPlace.id)))


def place(session: Session, grant: Grant, run: Run) -> line_queries.InLine:
    found = line_queries.find_for_run(session, grant.participant_id, run.id)
    assert found is not None
    return found


def seats_taken(session: Session, run: Run) -> int:
    session.refresh(run)
    return run.seats_taken


def told(session: Session, grant: Grant) -> str:
    latest = select(Notification).where(Notification.user_id == grant.participant.user_id)
    message = session.scalars(latest.order_by(Notification.id.desc())).first()
    return f"{message.subject}\n{message.body}" if message else ""


def sold(session: Session, run: Run) -> Iterator[Enrolment]:
    return iter(session.scalars(select(Enrolment).where(Enrolment.run_id == run.id).order_by(Enrolment.id)))


def free_one(session: Session, run: Run) -> None:
    bought = next(each for each in sold(session, run) if each.is_live)
    cancel(session, bought.id, bought.participant_id)


def test_a_line_is_for_full_runs_and_keeps_its_order(session: Session, run: Run, line: list[Grant]) -> None:
    assert [place(session, grant, run).before for grant in line] == [0, 1, 2]
    assert line_queries.count_in_line(session, run.id) == 3
    again = join(session, line[0].participant_id, run.id)
    assert again.id == place(session, line[0], run).place.id
    owner = next(sold(session, run))
    with pytest.raises(AlreadyEnrolled):
        join(session, owner.participant_id, run.id)
    with pytest.raises(SeatsLeft):
        join(session, line[0].participant_id, factories.make_run(session).id)
    with pytest.raises(NotFound):
        leave(session, owner.participant_id, run.id)
    near = factories.make_run(session, starts_in=timedelta(hours=23), seats=1)
    buy(session, near)
    with pytest.raises(LineClosed):
        join(session, line[0].participant_id, near.id)


def test_a_free_seat_is_kept_for_the_first_in_line(session: Session, run: Run, line: list[Grant]) -> None:
    free_one(session, run)
    first = place(session, line[0], run).place
    assert states(session, run) == ["offered", "waiting", "waiting"]
    assert first.offer_until is not None
    assert first.offer_until - clock.now(session) == pytest.approx(
        timedelta(hours=12), abs=timedelta(seconds=9)
    )
    assert "Ada kursi untuk Anda" in told(session, line[0])
    assert seats_taken(session, run) == 2
    for stranger in (line[1], factories.make_grant(session)):
        with pytest.raises(NoSeats), session.begin_nested():
            buy(session, run, stranger)
    assert buy(session, run, line[0]).state == "purchased"
    assert (states(session, run)[0], seats_taken(session, run)) == ("taken", 2)
    assert place(session, line[1], run).before == 0


def test_the_price_and_the_balance_are_those_of_the_acceptance(
    session: Session, run: Run, line: list[Grant]
) -> None:
    free_one(session, run)
    run.course.price = Decimal(3_600_000)
    session.flush()
    with pytest.raises(InsufficientBalance), session.begin_nested():
        buy(session, run, line[0])
    run.course.price = Decimal(900_000)
    session.flush()
    assert buy(session, run, line[0]).price == 900_000


def test_a_seat_that_is_not_taken_goes_to_the_next_until_a_day_before_the_start(
    session: Session, run: Run, line: list[Grant], owner_engine: Engine
) -> None:
    free_one(session, run)
    assert move_on(session) == 0
    leave(session, line[0].participant_id, run.id)
    assert states(session, run) == ["left", "offered", "waiting"]
    session.commit()
    advance(session, owner_engine, timedelta(hours=12, minutes=1))
    with pytest.raises(NoSeats), session.begin_nested():
        buy(session, run, line[1])
    move_on(session)
    assert states(session, run) == ["left", "missed", "offered"]
    assert "Kursi tidak diambil" in told(session, line[1])
    join(session, line[0].participant_id, run.id)
    session.commit()
    advance(session, owner_engine, run.starts_at - clock.now(session) - timedelta(hours=24))
    move_on(session)
    assert states(session, run) == ["left", "missed", "missed", "closed"]
    assert "Daftar tunggu ditutup" in told(session, line[0])
    assert seats_taken(session, run) == 1, "from now on the seat is anybody's"
    buy(session, run, line[2])


def test_a_cancelled_run_and_added_seats_reach_the_line(
    session: Session, run: Run, line: list[Grant]
) -> None:
    staff = factories.make_staff(session, run.course.provider)
    topics = [meeting.topic for meeting in run.sessions]
    change_run(session, run.id, RunChange(run.seats + 2, run.place, topics), staff)
    assert states(session, run) == ["offered", "offered", "waiting"] and seats_taken(session, run) == 4
    cancel_run(session, run.id, None, "pengajar sakit")
    move_on(session)
    assert states(session, run) == ["closed"] * 3
    assert "Lembaga membatalkan jadwal ini" in told(session, line[2])


def test_while_a_course_is_not_sold_nobody_is_kept_a_seat_and_everybody_keeps_their_place(
    session: Session, run: Run, line: list[Grant]
) -> None:
    free_one(session, run)
    run.course.state = "suspended"
    session.flush()
    move_on(session)
    assert (states(session, run), seats_taken(session, run)) == (["waiting"] * 3, 1)
    assert "Kursi Anda ditunda" in told(session, line[0])
    free_one(session, run)
    assert move_on(session) == 0, "a free seat that cannot be bought keeps no other run waiting"
    assert (states(session, run), seats_taken(session, run)) == (["waiting"] * 3, 0)
    assert "Ada kursi" not in told(session, line[1])
    run.course.state = "published"
    session.flush()
    move_on(session)
    assert (states(session, run), seats_taken(session, run)) == (["offered", "offered", "waiting"], 2)
    assert buy(session, run, line[0]).state == "purchased"


def test_the_line_of_a_course_that_is_sold_no_more_is_closed_with_a_letter(
    session: Session, run: Run, line: list[Grant]
) -> None:
    free_one(session, run)
    run.course.state = "withdrawn"
    session.flush()
    move_on(session)
    assert (states(session, run), seats_taken(session, run)) == (["closed"] * 3, 1)
    assert all("Lembaga tidak menjual kursus ini lagi" in told(session, grant) for grant in line)
    line[0].participant.user.locale = "en"
    [first] = session.scalars(
        select(WaitingPlace).where(WaitingPlace.participant_id == line[0].participant_id)
    )
    assert "does not sell this course any more" in " ".join(waiting_messages.about(first) or ())


# At once


def snipe(app: Flask, session: Session) -> tuple[Run, Grant, int]:
    """A seat comes free while others press buy, and one of them a moment later; the run, who was in line, and
    how many others got in."""
    with db.transaction():
        run = factories.make_run(session, seats=1)
        bought = buy(session, run)
        first, *others = make_grants(session, 13)
        join(session, first.participant_id, run.id)
        wishes = [wish(grant, run) for grant in others]
        owner = (bought.id, bought.participant_id)
    *works, late = [lambda current, each=each: str(purchase(current, each).id) for each in wishes]
    works.insert(3, lambda current: cancel(current, *owner).state)
    answers = [*at_once(app, works), *at_once(app, [late])]
    session.rollback()
    return run, first, sum(isinstance(answer, str) for answer in answers) - 1


def test_nobody_snipes_the_seat_of_the_first_in_line(app: Flask, session: Session) -> None:
    run, first, others = snipe(app, session)
    assert others == 0 and place(session, first, run).place.state == PlaceState.OFFERED
    with db.transaction() as current:
        buy(current, current.get_one(Run, run.id), current.get_one(Grant, first.id))
    assert seats_taken(session, run) == 1


def test_the_control_that_frees_the_seat_first_loses_it(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "free_seat", lambda current, run: catalogue.release_seat(current, run.id))
    assert snipe(app, session)[2] == 1, "whoever is quicker than the offer gets in"


def test_an_offer_is_either_taken_or_passed_on(app: Flask, session: Session, owner_engine: Engine) -> None:
    """Two tabs of the first in line, the sweep, and a change of mind, all together."""
    for _ in range(3):
        with db.transaction():
            run = factories.make_run(session, seats=1)
            first, second = make_grants(session, 2)
            bought = buy(session, run)
            for grant in (first, second):
                join(session, grant.participant_id, run.id)
            cancel(session, bought.id, bought.participant_id)
            own = place(session, first, run).place
            own.offer_until = clock.now(session) + timedelta(milliseconds=40)
            ids = (first.participant_id, run.id)
            wishes = [wish(first, run) for _tab in range(2)]
        works = [lambda current, each=each: purchase(current, each).id for each in wishes]
        works += [lambda current, ids=ids: leave(current, *ids), move_on, move_on]
        at_once(app, works)
        session.rollback()
        with db.transaction() as current:
            move_on(current)
        _one_owner(session, run, {first.participant_id, second.participant_id})


def _one_owner(session: Session, run: Run, people: set[uuid.UUID]) -> None:
    """The seat is bought by, or kept for, exactly one of them."""
    live = (Enrolment.run_id == run.id, Enrolment.participant_id.in_(people), Enrolment.state == "purchased")
    kept = (WaitingPlace.run_id == run.id, WaitingPlace.state == PlaceState.OFFERED)
    found = [session.scalar(select(func.count()).where(*each)) or 0 for each in (live, kept)]
    assert sum(found) == 1 and seats_taken(session, run) == 1
