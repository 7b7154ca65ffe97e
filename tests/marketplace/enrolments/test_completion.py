"""Completion: the table of attendance and pay, through the database and the ledger."""

from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import Engine, event, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

import ledger
from marketplace import chart, clock, db
from marketplace.catalogue.models import Run
from marketplace.enrolments import completion, earnings, tasks
from marketplace.enrolments.attendance import upload_attendance
from marketplace.enrolments.cancellation import cancel
from marketplace.enrolments.completion import complete, complete_run
from marketplace.enrolments.errors import RunNotOver
from marketplace.enrolments.models import AttendanceMethod, Earning, Enrolment
from marketplace.errors import IllegalTransition, NotAllowed, NotFound
from marketplace.identity.models import AuditEntry, Role
from marketplace.schemes import calendar
from tests import factories
from tests.marketplace.enrolments.scenes import advance, at_once, attend, buy, make_short_run, new_id

PRICE = 850_000


def finish(session: Session, owner: Engine, run: Run) -> None:
    """Let time pass until the run is over."""
    advance(session, owner, run.ends_at - clock.now(session) + timedelta(minutes=1))


def short_run(session: Session) -> Run:
    return make_short_run(session, factories.make_course(session, price=Decimal(PRICE)))


def test_every_case_of_the_table_settles_its_purchase(session: Session, owner_engine: Engine) -> None:
    run = short_run(session)
    cases = {100: 100, 80: 100, 79: 79, 25: 25, 24: 25, 0: 25}
    enrolments = {attended: buy(session, run) for attended in cases}
    for attended, enrolment in enrolments.items():
        attend(session, enrolment, attended)
    finish(session, owner_engine, run)
    assert complete_run(session, run.id, None) == 6
    assert run.state == "settled"
    for attended, enrolment in enrolments.items():
        assert (enrolment.percent, enrolment.paid_percent) == (attended, cases[attended])
        assert enrolment.state == ("completed" if attended else "no_show")
        gross = PRICE * cases[attended] // 100
        assert ledger.balance(session, chart.benefit(enrolment.participant_id)) == 3_500_000 - gross
    provider = run.course.provider_id
    paid = sum(PRICE * each // 100 for each in cases.values())
    fees = sum(each.fee for each in session.scalars(select(Earning)))
    assert ledger.balance(session, chart.escrow(provider)) == 0
    assert ledger.balance(session, chart.payable(provider)) == paid - fees
    assert ledger.balance(session, chart.fees("2023")) == fees
    assert ledger.trial_balance(session).is_balanced


def test_a_no_show_is_paid_only_on_another_participants_code(session: Session, owner_engine: Engine) -> None:
    run = short_run(session)
    absent, listed, present = (buy(session, run) for _ in range(3))
    attend(session, listed, 90, AttendanceMethod.UPLOAD)
    finish(session, owner_engine, run)
    nested = session.begin_nested()
    complete_run(session, run.id, None)
    assert (absent.state, absent.paid_percent) == ("no_show", 0)
    nested.rollback()
    session.expire_all()
    attend(session, present, 100)
    complete_run(session, run.id, None)
    assert (absent.state, absent.paid_percent) == ("no_show", 25)
    evidence = session.scalars(select(Earning).where(Earning.enrolment_id == absent.id)).one().evidence_id
    assert evidence in {each.id for each in present.attendances}


def test_ones_own_code_is_no_proof_for_the_minimum(session: Session, owner_engine: Engine) -> None:
    run = short_run(session)
    alone = buy(session, run)
    attend(session, alone, 24)
    finish(session, owner_engine, run)
    complete_run(session, run.id, None)
    assert (alone.percent, alone.paid_percent, alone.earning) == (24, 0, None)


def test_with_nobodys_attendance_everyone_is_refunded(session: Session, owner_engine: Engine) -> None:
    run = short_run(session)
    enrolments = [buy(session, run) for _ in range(3)]
    finish(session, owner_engine, run)
    complete_run(session, run.id, None)
    assert {(each.state, each.paid_percent) for each in enrolments} == {("cancelled_by_programme", 0)}
    assert ledger.balance(session, chart.escrow(run.course.provider_id)) == 0
    assert session.scalar(select(func.count()).select_from(Earning)) == 0


def test_who_is_refunded_because_nobody_came_has_time_to_buy_again(
    session: Session, owner_engine: Engine
) -> None:
    run = short_run(session)
    enrolments = [buy(session, run) for _ in range(2)]
    finish(session, owner_engine, run)
    complete_run(session, run.id, None)
    deadline = calendar.end_of_period(session, clock.now(session), 15)
    for grant in (each.grant for each in enrolments):
        assert grant.first_purchase_at is None and grant.first_purchase_by is not None
        assert grant.first_purchase_by >= deadline


def test_who_declared_and_who_uploaded_is_in_the_audit_trail(session: Session, owner_engine: Engine) -> None:
    run = short_run(session)
    first, second = buy(session, run), buy(session, run)
    staff = factories.make_staff(session, run.course.provider)
    finish(session, owner_engine, run)
    upload_attendance(session, run.sessions[0].id, [first.id], staff)
    complete(session, first.id, staff)
    complete_run(session, run.id, staff)
    found = session.scalars(select(AuditEntry).where(AuditEntry.actor_id == staff.id).order_by(AuditEntry.id))
    assert [(each.action, each.subject) for each in found] == [
        ("attendance.upload", f"session:{run.sessions[0].id}"),
        ("enrolment.complete", f"enrolment:{first.id}"),
        ("run.complete", f"run:{run.id}"),
    ]
    assert second.declared_by == staff.id


@pytest.mark.parametrize(("units", "paid"), [(5, 100), (4, 100), (3, 60), (1, 20), (0, 0)])
def test_self_paced_is_paid_by_units_without_a_minimum(
    session: Session, owner_engine: Engine, units: int, paid: int
) -> None:
    run = factories.make_self_paced_run(session, units=5)
    enrolment = buy(session, run)
    attend(session, enrolment, units, AttendanceMethod.UNIT)
    finish(session, owner_engine, run)
    complete_run(session, run.id, None)
    assert (enrolment.percent, enrolment.paid_percent) == (units * 20, paid)


def test_an_earning_names_its_parts_its_evidence_and_its_maturity(
    session: Session, owner_engine: Engine
) -> None:
    run = short_run(session)
    enrolment = buy(session, run)
    attend(session, enrolment, 75)
    finish(session, owner_engine, run)
    complete_run(session, run.id, factories.make_staff(session, run.course.provider))
    earning = session.scalars(select(Earning)).one()
    rate = enrolment.fee_rate
    fee = (637_500 * rate).quantize(Decimal(1))
    assert (earning.gross, earning.fee, earning.net) == (637_500, fee, 637_500 - fee)
    assert (earning.state, earning.transaction_id) == ("accrued", enrolment.settlement_id)
    assert earning.evidence_id in {each.id for each in enrolment.attendances}
    days = enrolment.scheme.maturity_working_days
    assert earning.matures_at == calendar.end_of_working_days(session, clock.now(session), days)


def test_the_rest_goes_to_the_fund_once_the_balance_may_not_be_spent(
    session: Session, owner_engine: Engine
) -> None:
    run = short_run(session)
    enrolment = buy(session, run)
    attend(session, enrolment, 50)
    finish(session, owner_engine, run)
    enrolment.grant.spend_by = clock.now(session) - timedelta(seconds=1)
    before = ledger.balance(session, chart.fund("2023"))
    complete_run(session, run.id, None)
    assert ledger.balance(session, chart.fund("2023")) == before + PRICE - PRICE // 2
    assert ledger.balance(session, chart.benefit(enrolment.participant_id)) == 3_500_000 - PRICE


def test_a_free_course_is_completed_without_a_posting(session: Session, owner_engine: Engine) -> None:
    run = make_short_run(session, factories.make_course(session, price=Decimal(0)))
    enrolment = buy(session, run)
    attend(session, enrolment, 100)
    finish(session, owner_engine, run)
    complete_run(session, run.id, None)
    assert (enrolment.state, enrolment.settlement_id, enrolment.earning) == ("completed", None, None)


@pytest.mark.parametrize(("uploaded", "state"), [(20, "accrued"), (21, "held")])
def test_too_much_uploaded_attendance_holds_the_run(
    session: Session, owner_engine: Engine, uploaded: int, state: str
) -> None:
    run = short_run(session)
    by_code, by_list = buy(session, run), buy(session, run)
    attend(session, by_code, 100 - uploaded)
    attend(session, by_list, uploaded, AttendanceMethod.UPLOAD)
    finish(session, owner_engine, run)
    complete_run(session, run.id, None)
    assert {each.state for each in session.scalars(select(Earning))} == {state}
    codes = {each.hold_code for each in session.scalars(select(Earning))}
    assert codes == ({completion.UPLOADED} if state == "held" else {None})


def test_completion_is_not_declared_before_the_end(session: Session) -> None:
    enrolment = buy(session, short_run(session))
    with pytest.raises(RunNotOver):
        complete_run(session, enrolment.run_id, None)
    with pytest.raises(RunNotOver):
        complete(session, enrolment.id, None)


def test_completing_again_changes_nothing(session: Session, owner_engine: Engine) -> None:
    run = short_run(session)
    one, other = buy(session, run), buy(session, run)
    attend(session, one, 100)
    attend(session, other, 50)
    finish(session, owner_engine, run)
    settlement = complete(session, one.id, None).settlement_id
    assert run.state == "open"
    assert complete(session, one.id, None).settlement_id == settlement
    complete(session, other.id, None)
    assert run.state == "settled"
    assert complete_run(session, run.id, None) == 0


def test_completing_many_times_at_once_settles_once(
    app: Flask, session: Session, owner_engine: Engine
) -> None:
    with db.transaction():
        run = short_run(session)
        enrolments = [buy(session, run) for _ in range(3)]
        for enrolment in enrolments:
            attend(session, enrolment, 100)
        run_id, ids, provider = run.id, [each.id for each in enrolments], run.course.provider_id
        finish(session, owner_engine, run)
    works = [lambda current: str(complete_run(current, run_id, None))] * 8
    works += [lambda current, one=one: complete(current, one, None).state for one in ids] * 3
    answers = at_once(app, works)
    assert all(isinstance(each, str) for each in answers)
    assert session.scalar(select(func.count()).select_from(Earning)) == 3
    assert ledger.balance(session, chart.escrow(provider)) == 0
    assert session.get_one(Run, run_id).state == "settled"


def statements_to_complete(session: Session, owner_engine: Engine, participants: int) -> int:
    """How many statements a run of so many people takes."""
    run = short_run(session)
    for _ in range(participants):
        attend(session, buy(session, run), 80)
    finish(session, owner_engine, run)
    run_id = run.id
    session.expunge_all()
    statements: list[object] = []
    connection = session.connection()

    def note(*arguments: object) -> None:
        statements.append(arguments[2])

    event.listen(connection, "before_cursor_execute", note)
    complete_run(session, run_id, None)
    event.remove(connection, "before_cursor_execute", note)
    return len(statements)


def test_a_full_class_takes_as_many_statements_as_a_small_one(session: Session, owner_engine: Engine) -> None:
    small = statements_to_complete(session, owner_engine, 2)
    assert statements_to_complete(session, owner_engine, 9) == small


def test_a_cancelled_purchase_is_not_completed(session: Session, owner_engine: Engine) -> None:
    run = short_run(session)
    enrolment = buy(session, run)
    cancel(session, enrolment.id, enrolment.participant_id)
    finish(session, owner_engine, run)
    with pytest.raises(IllegalTransition):
        complete(session, enrolment.id, None)


def test_nobody_completes_another_providers_run(session: Session, owner_engine: Engine) -> None:
    enrolment = buy(session, short_run(session))
    stranger = factories.make_staff(session, factories.make_provider(session))
    finish(session, owner_engine, enrolment.run)
    for act in (
        lambda: complete(session, enrolment.id, stranger),
        lambda: complete_run(session, enrolment.run_id, stranger),
    ):
        with pytest.raises(NotFound):
            act()
    with pytest.raises(NotFound):
        complete(session, new_id(), None)


def test_no_evidence_no_pay_is_kept_by_the_database(session: Session, owner_engine: Engine) -> None:
    run = short_run(session)
    enrolment = buy(session, run)
    attend(session, enrolment, 100)
    finish(session, owner_engine, run)
    complete_run(session, run.id, None)
    session.commit()
    # the application's role may not even try; the owner is stopped by the column
    with owner_engine.begin() as owner, pytest.raises(IntegrityError, match="evidence_id"):
        owner.execute(text("UPDATE earning SET evidence_id = NULL"))


def test_the_sweep_declares_a_run_three_working_days_after_its_end(
    app: Flask, session: Session, owner_engine: Engine
) -> None:
    with db.transaction():
        run = short_run(session)
        attend(session, buy(session, run), 100)
        run_id = run.id
        due = calendar.end_of_working_days(session, run.ends_at, 3)
        advance(session, owner_engine, due - clock.now(session) - timedelta(minutes=5))
    with db.transaction():
        assert completion.list_overdue_runs(session) == []
        advance(session, owner_engine, timedelta(minutes=10))
    with db.transaction():
        assert completion.list_overdue_runs(session) == [run_id]
    tasks.declare(str(run_id))
    tasks.declare(str(run_id))
    assert session.get_one(Run, run_id, populate_existing=True).state == "settled"
    assert session.scalars(select(Enrolment)).one().declared_by is None


def test_finance_staff_hold_and_release_an_earning(session: Session, owner_engine: Engine) -> None:
    run = short_run(session)
    attend(session, buy(session, run), 100)
    finish(session, owner_engine, run)
    complete_run(session, run.id, None)
    earning = session.scalars(select(Earning)).one()
    staff = factories.make_user(session, Role.FINANCE)
    with pytest.raises(NotAllowed):
        earnings.hold(session, earning.id, "price_far_above_category", factories.make_user(session))
    earnings.hold(session, earning.id, "price_far_above_category", staff)
    assert (earning.state, earning.hold_code) == ("held", "price_far_above_category")
    with pytest.raises(IllegalTransition):
        earnings.pay(session, [earning.id], clock.now(session))
    earnings.unhold(session, earning.id, staff)
    earnings.pay(session, [earning.id], clock.now(session))
    with pytest.raises(IllegalTransition):
        earnings.hold(session, earning.id, "late", staff)
    earnings.unpay(session, [earning.id])
    assert (earning.state, earning.paid_at) == ("accrued", None)
