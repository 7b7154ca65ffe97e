"""Checking in by the rotating code, by the provider's list, and unit by unit."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from marketplace import clock, db
from marketplace.catalogue.models import Run, RunSession
from marketplace.enrolments import check_in_codes
from marketplace.enrolments.attendance import check_in, current_code, is_open, mark_unit, upload_attendance
from marketplace.enrolments.cancellation import cancel
from marketplace.enrolments.errors import CheckInBlocked, CheckInCodeWrong, NotEnrolled, NotYet, SessionOver
from marketplace.enrolments.models import Attendance
from marketplace.errors import IllegalTransition, NotFound
from marketplace.notifications.models import Notification
from tests import factories
from tests.marketplace.enrolments.scenes import advance, at_once, buy, new_id


def begin(session: Session, owner: Engine, run: Run) -> RunSession:
    """Let time pass until the first session has begun."""
    advance(session, owner, run.starts_at - clock.now(session) + timedelta(minutes=1))
    return run.sessions[0]


def wrong_code(meeting: RunSession) -> str:
    return f"{(int(current_code(meeting)[0]) + 1) % 10**6:06d}"


def test_the_code_on_the_screen_checks_a_participant_in(session: Session, owner_engine: Engine) -> None:
    enrolment = buy(session, factories.make_run(session))
    meeting = begin(session, owner_engine, enrolment.run)
    attendance = check_in(session, enrolment.participant_id, meeting.id, current_code(meeting)[0])
    assert attendance.method == "code"
    assert attendance.recorded_by == enrolment.participant.user_id
    assert enrolment.state == "attending"


def test_a_code_may_be_typed_in_two_groups(session: Session, owner_engine: Engine) -> None:
    enrolment = buy(session, factories.make_run(session))
    meeting = begin(session, owner_engine, enrolment.run)
    code = current_code(meeting)[0]
    assert check_in(session, enrolment.participant_id, meeting.id, f" {code[:3]} {code[3:]} ")


def test_checking_in_again_changes_nothing_whatever_is_typed(session: Session, owner_engine: Engine) -> None:
    enrolment = buy(session, factories.make_run(session))
    meeting = begin(session, owner_engine, enrolment.run)
    first = check_in(session, enrolment.participant_id, meeting.id, current_code(meeting)[0])
    assert check_in(session, enrolment.participant_id, meeting.id, "salah").id == first.id


def test_codes_change_every_half_minute_and_differ_between_sessions(session: Session) -> None:
    first, second, *_ = factories.make_run(session).sessions
    at = clock.wall_now().replace(second=10, microsecond=0)
    code, left = current_code(first, at)
    assert left == 20
    assert current_code(first, at + timedelta(seconds=19))[0] == code
    assert current_code(first, at + timedelta(seconds=20))[0] != code
    assert current_code(second, at)[0] != code


def test_the_previous_code_is_taken_and_the_one_before_is_not(
    session: Session, owner_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = factories.make_run(session)
    one, other = buy(session, run), buy(session, run)
    meeting = begin(session, owner_engine, run)
    shown = clock.wall_now()
    code = current_code(meeting, shown)[0]
    for late, enrolment in ((30, one), (60, other)):
        monkeypatch.setattr(
            check_in_codes.clock, "wall_now", lambda late=late: shown + timedelta(seconds=late)
        )
        if enrolment is one:
            assert check_in(session, enrolment.participant_id, meeting.id, code)
        else:
            with pytest.raises(CheckInCodeWrong):
                check_in(session, enrolment.participant_id, meeting.id, code)


@pytest.mark.parametrize(("minutes", "open_"), [(-16, False), (-14, True), (119, True), (121, False)])
def test_check_in_is_open_from_a_quarter_of_an_hour_before_to_the_end(
    session: Session, owner_engine: Engine, minutes: int, open_: bool
) -> None:
    enrolment = buy(session, factories.make_run(session))
    meeting = enrolment.run.sessions[0]
    advance(session, owner_engine, enrolment.run.starts_at - clock.now(session) + timedelta(minutes=minutes))
    assert is_open(meeting, clock.now(session)) == open_
    code = current_code(meeting)[0]
    if open_:
        assert check_in(session, enrolment.participant_id, meeting.id, code)
    else:
        with pytest.raises(NotYet if minutes < 0 else SessionOver):
            check_in(session, enrolment.participant_id, meeting.id, code)


@pytest.mark.parametrize(
    "typed", ["", "0", "abcdef", "１２３４５６", "12345678901234567890", "🙂", "12\x0045"]
)
def test_nonsense_is_a_wrong_code(session: Session, owner_engine: Engine, typed: str) -> None:
    enrolment = buy(session, factories.make_run(session))
    meeting = begin(session, owner_engine, enrolment.run)
    with pytest.raises(CheckInCodeWrong) as refusal:
        check_in(session, enrolment.participant_id, meeting.id, typed)
    assert refusal.value.details["left"] == 9


def test_ten_wrong_codes_are_followed_by_a_pause_even_for_the_right_one(
    session: Session, owner_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with db.transaction():
        enrolment = buy(session, factories.make_run(session))
        meeting = begin(session, owner_engine, enrolment.run)
        participant_id, meeting_id = enrolment.participant_id, meeting.id
    for left in range(9, -1, -1):
        with pytest.raises(CheckInCodeWrong) as refusal, db.transaction():
            check_in(session, participant_id, meeting_id, wrong_code(meeting))
        assert refusal.value.details["left"] == left
    with pytest.raises(CheckInBlocked), db.transaction():
        check_in(session, participant_id, meeting_id, current_code(meeting)[0])
    later = clock.wall_now() + check_in_codes.PAUSE
    monkeypatch.setattr(check_in_codes.clock, "wall_now", lambda: later)
    with db.transaction():
        assert check_in(session, participant_id, meeting_id, current_code(meeting, later)[0])


def test_parallel_guesses_are_all_counted(app: Flask, session: Session, owner_engine: Engine) -> None:
    with db.transaction():
        enrolment = buy(session, factories.make_run(session))
        meeting = begin(session, owner_engine, enrolment.run)
        participant_id, meeting_id, wrong = enrolment.participant_id, meeting.id, wrong_code(meeting)
    answers = at_once(app, [lambda current: check_in(current, participant_id, meeting_id, wrong).id] * 16)
    assert sum(isinstance(each, CheckInCodeWrong) for each in answers) == 10
    assert sum(isinstance(each, CheckInBlocked) for each in answers) == 6


def test_only_participants_of_the_run_check_in(session: Session, owner_engine: Engine) -> None:
    enrolment, stranger = buy(session, factories.make_run(session)), factories.make_participant(session)
    meeting = begin(session, owner_engine, enrolment.run)
    with pytest.raises(NotEnrolled):
        check_in(session, stranger.id, meeting.id, current_code(meeting)[0])
    with pytest.raises(NotFound):
        check_in(session, enrolment.participant_id, new_id(), "123456")


def test_who_has_cancelled_does_not_check_in(session: Session, owner_engine: Engine) -> None:
    enrolment = buy(session, factories.make_run(session))
    cancel(session, enrolment.id, enrolment.participant_id)
    meeting = begin(session, owner_engine, enrolment.run)
    with pytest.raises(NotEnrolled):
        check_in(session, enrolment.participant_id, meeting.id, current_code(meeting)[0])


def test_the_provider_records_a_list_and_everybody_named_is_told(
    session: Session, owner_engine: Engine
) -> None:
    run = factories.make_run(session)
    enrolments = [buy(session, run) for _ in range(3)]
    staff = factories.make_staff(session, run.course.provider)
    meeting = begin(session, owner_engine, run)
    check_in(session, enrolments[0].participant_id, meeting.id, current_code(meeting)[0])
    ids = [each.id for each in enrolments]
    assert upload_attendance(session, meeting.id, ids, staff) == 2
    assert upload_attendance(session, meeting.id, ids, staff) == 0
    told = select(func.count()).where(Notification.subject.startswith("Kehadiran Anda dicatat"))
    assert session.scalar(told) == 2
    methods = dict(session.execute(select(Attendance.enrolment_id, Attendance.method)).all())
    assert methods == {ids[0]: "code", ids[1]: "upload", ids[2]: "upload"}


def test_a_list_may_not_name_people_of_another_run(session: Session, owner_engine: Engine) -> None:
    run = factories.make_run(session)
    buy(session, run)
    stranger = buy(session, factories.make_run(session))
    staff = factories.make_staff(session, run.course.provider)
    meeting = begin(session, owner_engine, run)
    with pytest.raises(NotFound):
        upload_attendance(session, meeting.id, [stranger.id], staff)


def test_a_list_is_recorded_by_the_runs_own_provider_and_not_before_the_session(
    session: Session, owner_engine: Engine
) -> None:
    run = factories.make_run(session)
    enrolment = buy(session, run)
    staff = factories.make_staff(session, run.course.provider)
    with pytest.raises(NotYet):
        upload_attendance(session, run.sessions[0].id, [enrolment.id], staff)
    other = factories.make_staff(session, factories.make_provider(session))
    meeting = begin(session, owner_engine, run)
    with pytest.raises(NotFound):
        upload_attendance(session, meeting.id, [enrolment.id], other)


def test_a_list_does_not_name_who_has_cancelled(session: Session, owner_engine: Engine) -> None:
    enrolment = buy(session, factories.make_run(session))
    cancel(session, enrolment.id, enrolment.participant_id)
    staff = factories.make_staff(session, enrolment.run.course.provider)
    meeting = begin(session, owner_engine, enrolment.run)
    with pytest.raises(IllegalTransition):
        upload_attendance(session, meeting.id, [enrolment.id], staff)


def test_units_are_marked_one_by_one_and_once(session: Session, owner_engine: Engine) -> None:
    run = factories.make_self_paced_run(session)
    enrolment = buy(session, run)
    first = mark_unit(session, enrolment.participant_id, run.sessions[0].id)
    assert mark_unit(session, enrolment.participant_id, run.sessions[0].id).id == first.id
    assert first.method == "unit"
    with pytest.raises(NotFound):
        check_in(session, enrolment.participant_id, run.sessions[1].id, "123456")
    advance(session, owner_engine, timedelta(days=31))
    with pytest.raises(SessionOver):
        mark_unit(session, enrolment.participant_id, run.sessions[1].id)


def test_a_scheduled_session_is_not_a_unit(session: Session) -> None:
    enrolment = buy(session, factories.make_run(session))
    with pytest.raises(NotFound):
        mark_unit(session, enrolment.participant_id, enrolment.run.sessions[0].id)
