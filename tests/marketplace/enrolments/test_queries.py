"""What pages read: one's own enrolments and money, a provider's list and figures."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

import ledger
from marketplace import chart, clock
from marketplace.batches.models import Grant
from marketplace.catalogue.models import Run
from marketplace.enrolments import earnings, queries
from marketplace.enrolments.bought import next_to_attend
from marketplace.enrolments.cancellation import cancel
from marketplace.enrolments.completion import complete_run
from marketplace.enrolments.models import AttendanceMethod, Enrolment, EnrolmentState
from marketplace.enrolments.queries import Filters
from marketplace.errors import NotFound
from marketplace.providers.models import Provider
from tests import factories
from tests.marketplace.enrolments.scenes import advance, attend, buy, make_short_run, new_id


def run_at(session: Session, provider: Provider | None = None, price: int = 750_000) -> Run:
    return make_short_run(session, factories.make_course(session, provider, price=Decimal(price)))


def finish(session: Session, owner: Engine, run: Run) -> None:
    advance(session, owner, run.ends_at - clock.now(session) + timedelta(minutes=1))


@pytest.fixture
def grant(session: Session) -> Grant:
    return factories.make_grant(session)


def test_the_portions_of_the_money_add_up_at_every_step(
    session: Session, owner_engine: Engine, grant: Grant
) -> None:
    def portions() -> tuple[int, ...]:
        money = queries.money_of_participant(session, grant.participant_id)
        parts = (money.available, money.escrow, money.due, money.paid, money.returned)
        assert sum(parts) == money.total == grant.amount
        return tuple(int(each) for each in parts)

    assert portions() == (3_500_000, 0, 0, 0, 0)
    run = run_at(session, price=1_000_000)
    enrolment = buy(session, run, grant)
    assert portions() == (2_500_000, 1_000_000, 0, 0, 0)
    attend(session, enrolment, 60)
    finish(session, owner_engine, run)
    complete_run(session, run.id, None)
    assert portions() == (2_900_000, 0, 600_000, 0, 0)
    session.refresh(enrolment, ["earning"])
    assert enrolment.earning is not None
    earnings.pay(session, [enrolment.earning.id], clock.now(session))
    assert portions() == (2_900_000, 0, 0, 600_000, 0)


def test_money_that_went_back_to_the_programme_is_shown_as_returned(session: Session, grant: Grant) -> None:
    enrolment = buy(session, factories.make_run(session), grant)
    grant.spend_by = clock.now(session) - timedelta(seconds=1)
    session.flush()
    cancel(session, enrolment.id, grant.participant_id)
    money = queries.money_of_participant(session, grant.participant_id)
    assert (money.available, money.escrow, money.returned) == (2_750_000, 0, 750_000)


def test_without_a_grant_there_is_no_money_and_no_history(session: Session) -> None:
    participant = factories.make_participant(session)
    money = queries.money_of_participant(session, participant.id)
    assert (money.total, money.available, money.returned) == (0, 0, 0)
    assert queries.history(session, participant.id) == []


def test_history_is_newest_first_and_knows_its_enrolments(session: Session, grant: Grant) -> None:
    enrolment = buy(session, factories.make_run(session), grant)
    cancel(session, enrolment.id, grant.participant_id)
    rows = queries.history(session, grant.participant_id)
    assert [(row.kind, int(row.amount), int(row.balance)) for row in rows] == [
        ("cancellation", 750_000, 3_500_000),
        ("purchase", -750_000, 2_750_000),
        ("grant", 3_500_000, 3_500_000),
    ]
    assert [row.enrolment.id if row.enrolment else None for row in rows] == [enrolment.id, enrolment.id, None]


def test_ones_own_list_counts_attendance_and_hides_others(session: Session, grant: Grant) -> None:
    mine = buy(session, make_short_run(session), grant)
    theirs = buy(session, mine.run)
    attend(session, mine, 30)
    [progress] = queries.list_for_participant(session, grant.participant_id)
    assert (progress.enrolment.id, progress.attended, progress.promised) == (mine.id, 30, 100)
    assert progress.percent == 30
    assert queries.get_for_participant(session, mine.id, grant.participant_id).id == mine.id
    for stranger in (theirs.id, new_id()):
        with pytest.raises(NotFound):
            queries.get_for_participant(session, stranger, grant.participant_id)


def test_the_next_meeting_is_the_one_that_is_on_or_comes_next(
    session: Session, owner_engine: Engine, grant: Grant
) -> None:
    buy(session, factories.make_run(session, starts_in=timedelta(days=9)), grant)
    soon = buy(session, factories.make_run(session, starts_in=timedelta(days=2)), grant)

    def coming() -> tuple[object, int | None]:
        found = next_to_attend(queries.list_bought(session, grant.participant_id))
        assert found is not None and found.meets_at is not None
        return found.id, found.meeting

    assert coming() == (soon.id, 1)
    advance(session, owner_engine, timedelta(days=2, hours=1))
    assert coming() == (soon.id, 1)
    advance(session, owner_engine, timedelta(hours=2))
    assert coming() == (soon.id, 2)
    advance(session, owner_engine, timedelta(days=60))
    assert next_to_attend(queries.list_bought(session, grant.participant_id)) is None


def test_meetings_are_listed_in_order_with_ones_own_attendance(session: Session, grant: Grant) -> None:
    enrolment = buy(session, factories.make_run(session, sessions=4), grant)
    attend(session, buy(session, enrolment.run), 4)
    attend(session, enrolment, 2)
    rows = queries.list_meetings(session, enrolment)
    assert [(row.meeting.sequence, row.attendance is not None) for row in rows] == [
        (1, True),
        (2, True),
        (3, False),
        (4, False),
    ]


def test_a_receipt_number_is_found_as_people_type_it(session: Session, grant: Grant) -> None:
    enrolment = buy(session, factories.make_run(session), grant)
    found = queries.find_by_receipt(session, f" {enrolment.receipt_number.lower()} ")
    assert found is not None
    assert found.id == enrolment.id
    assert queries.find_by_receipt(session, "BKL-2611-000000-00") is None


def sold(session: Session, provider: Provider, count: int) -> list[Enrolment]:
    run = run_at(session, provider)
    return [buy(session, run) for _ in range(count)]


def test_a_provider_pages_through_its_list_newest_first(session: Session) -> None:
    provider = factories.make_provider(session)
    enrolments = sold(session, provider, 5)
    sold(session, factories.make_provider(session), 1)
    seen, cursor = [], None
    for expected in (2, 2, 1):
        page = queries.list_for_provider(session, provider.id, cursor=cursor, limit=2)
        assert (len(page.rows), page.total) == (expected, 5)
        seen += [row.enrolment.id for row in page.rows]
        cursor = page.next_cursor
    assert cursor is None
    assert seen == [each.id for each in reversed(enrolments)]


def test_a_cursor_of_another_provider_is_not_found(session: Session) -> None:
    provider = factories.make_provider(session)
    [theirs] = sold(session, factories.make_provider(session), 1)
    with pytest.raises(NotFound):
        queries.list_for_provider(session, provider.id, cursor=theirs.id)


def test_the_list_is_filtered_by_name_number_course_state_and_time(session: Session) -> None:
    provider = factories.make_provider(session)
    one, other = sold(session, provider, 1) + sold(session, provider, 1)
    one.participant.full_name = "Yohanes 100% Tukan"
    cancel(session, other.id, other.participant_id)

    def ids(filters: Filters) -> list[object]:
        return [row.enrolment.id for row in queries.list_for_provider(session, provider.id, filters).rows]

    assert ids(Filters(text="yohanes 100%")) == [one.id]
    assert ids(Filters(text="%%%")) == []
    assert ids(Filters(text=other.receipt_number)) == [other.id]
    assert ids(Filters(course_id=one.run.course_id)) == [one.id]
    assert ids(Filters(run_id=other.run_id)) == [other.id]
    assert ids(Filters(states=[EnrolmentState.CANCELLED_BY_PARTICIPANT])) == [other.id]
    assert ids(Filters(since=clock.now(session) + timedelta(hours=1))) == []
    assert len(ids(Filters(since=clock.now(session) - timedelta(hours=1)))) == 2


def test_a_providers_share_is_an_estimate_until_it_is_earned(session: Session, owner_engine: Engine) -> None:
    provider = factories.make_provider(session)
    run = run_at(session, provider)
    attending, cancelled = buy(session, run), buy(session, run)
    cancel(session, cancelled.id, cancelled.participant_id)
    attend(session, attending, 40)

    def shares() -> dict[object, int]:
        page = queries.list_for_provider(session, provider.id)
        return {row.enrolment.id: int(row.provider_share) for row in page.rows}

    net = 1 - attending.fee_rate
    assert shares() == {attending.id: int(750_000 * net), cancelled.id: 0}
    finish(session, owner_engine, run)
    complete_run(session, run.id, None)
    assert shares() == {attending.id: int(300_000 * net), cancelled.id: 0}


@pytest.mark.parametrize("rows", [3, 12])
def test_the_list_costs_the_same_number_of_queries_however_long(session: Session, rows: int) -> None:
    provider = factories.make_provider(session)
    sold(session, provider, rows)
    session.expunge_all()
    statements: list[str] = []
    connection = session.connection()

    def note(*arguments: object) -> None:
        statements.append(str(arguments[2]))

    event.listen(connection, "before_cursor_execute", note)
    page = queries.list_for_provider(session, provider.id, limit=50)
    shown = [(row.enrolment.participant.full_name, row.enrolment.run.course.title) for row in page.rows]
    event.remove(connection, "before_cursor_execute", note)
    assert len(shown) == rows
    assert len(statements) == 2


def test_runs_that_wait_for_a_declaration_come_first(session: Session, owner_engine: Engine) -> None:
    provider = factories.make_provider(session)
    over, settled = run_at(session, provider), run_at(session, provider)
    coming = factories.make_run(
        session, factories.make_course(session, provider), starts_in=timedelta(days=20)
    )
    buy(session, over)
    finish(session, owner_engine, over)
    complete_run(session, settled.id, None)
    rows = queries.list_runs_of_provider(session, provider.id, clock.now(session)).rows
    assert [row.run.id for row in rows] == [over.id, coming.id, settled.id]
    assert [(row.enrolled, row.sessions) for row in rows] == [(1, 100), (0, 4), (0, 100)]


def test_the_roll_call_shows_who_came_and_leaves_out_who_cancelled(session: Session) -> None:
    run = factories.make_run(session)
    present, absent, gone = (buy(session, run) for _ in range(3))
    attend(session, present, 1, AttendanceMethod.UPLOAD)
    cancel(session, gone.id, gone.participant_id)
    meeting, found = queries.get_meeting_of_provider(session, run.sessions[0].id, run.course.provider_id)
    assert found.id == run.id
    roll = {row.enrolment.id: row.attendance for row in queries.roll_call(session, meeting)}
    assert roll.keys() == {present.id, absent.id}
    assert roll[absent.id] is None
    assert roll[present.id] is not None
    assert {each.enrolment.id for each in queries.list_for_run(session, run.id)} == {
        present.id,
        absent.id,
        gone.id,
    }


def test_runs_and_sessions_of_others_are_not_found(session: Session) -> None:
    run, other = factories.make_run(session), factories.make_provider(session)
    enrolment = buy(session, run)
    with pytest.raises(NotFound):
        queries.get_run_of_provider(session, run.id, other.id)
    with pytest.raises(NotFound):
        queries.get_meeting_of_provider(session, run.sessions[0].id, other.id)
    with pytest.raises(NotFound):
        queries.get_for_provider(session, enrolment.id, other.id)


def test_a_providers_figures_follow_the_money_through_its_stages(
    session: Session, owner_engine: Engine
) -> None:
    provider = factories.make_provider(session)
    running, done = run_at(session, provider), run_at(session, provider)
    buy(session, running)
    first, second = buy(session, done), buy(session, done)
    attend(session, first, 100)
    attend(session, second, 80)
    now = clock.now(session)
    before = queries.figures_for_provider(session, provider.id, now)
    assert (before.enrolments_this_week, before.enrolments_week_before) == (3, 0)
    assert (before.seats_taken, before.seats) == (3, 40)
    assert before.attendance_percent is None
    assert before.escrow.amount == ledger.balance(session, chart.escrow(provider.id)) == 2_250_000
    finish(session, owner_engine, done)
    complete_run(session, done.id, None)
    figures = queries.figures_for_provider(session, provider.id, clock.now(session))
    assert figures.escrow == queries.Stage(Decimal(750_000), 1)
    assert figures.waiting.enrolments == 2
    assert figures.waiting.amount == ledger.balance(session, chart.payable(provider.id))
    assert figures.attendance_percent == 0
    advance(session, owner_engine, timedelta(days=20))
    later = queries.figures_for_provider(session, provider.id, clock.now(session))
    assert (later.waiting.enrolments, later.matured) == (0, figures.waiting)
    session.refresh(first, ["earning"])
    session.refresh(second, ["earning"])
    assert first.earning is not None and second.earning is not None
    earnings.pay(session, [first.earning.id], clock.now(session))
    earnings.hold(session, second.earning.id, "price_far_above_category", None)
    paid = queries.figures_for_provider(session, provider.id, clock.now(session))
    assert (paid.paid_this_month.enrolments, paid.held.enrolments, paid.matured.enrolments) == (1, 1, 0)
    assert paid.hold_codes == ["price_far_above_category"]


def test_a_new_provider_has_figures_of_zero(session: Session) -> None:
    provider = factories.make_provider(session)
    figures = queries.figures_for_provider(session, provider.id, clock.now(session))
    assert figures.escrow == queries.Stage(Decimal(0), 0)
    assert figures.attendance_percent is None
    assert figures.hold_codes == []


def test_enrolments_per_day_has_every_day_and_ends_today(session: Session, owner_engine: Engine) -> None:
    provider = factories.make_provider(session)
    run = factories.make_run(session, factories.make_course(session, provider), starts_in=timedelta(days=20))
    buy(session, run)
    advance(session, owner_engine, timedelta(days=2))
    buy(session, run)
    buy(session, run)
    days = queries.enrolments_per_day(session, provider.id, clock.now(session))
    assert len(days) == 30
    assert days[-1] == (clock.today(session), 2)
    assert [count for _day, count in days[-3:]] == [1, 0, 2]
