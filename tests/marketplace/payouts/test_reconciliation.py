"""Every line of the bank's statement is explained, or parked in suspense under its own name."""

import os
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import TypeAlias

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

import ledger
from marketplace import chart
from marketplace.config import Settings
from marketplace.db import transaction
from marketplace.enrolments import earnings
from marketplace.enrolments.models import Earning, EarningState
from marketplace.payouts import courier, queries, service
from marketplace.payouts.bank import AnswerFile
from marketplace.payouts.courier import Desk, Taken
from marketplace.payouts.models import BankLine, BankLineReason, BankLineState, Payout, PayoutState
from marketplace.schemes.service import appropriate
from tests.marketplace.payouts import world
from tests.marketplace.payouts.bank_files import Line, report, statement
from tests.marketplace.payouts.world import MONDAY, make_earning, make_finance, make_payee, noon

NET = Decimal(900_000)
Take: TypeAlias = Callable[[AnswerFile], Taken]


@pytest.fixture
def desk(settings: Settings, database: str) -> Desk:
    world.set_programme_time(settings.database_owner_url, noon(MONDAY))
    return world.desk_of(settings)


@pytest.fixture
def take(desk: Desk) -> Take:
    def taken(file: AnswerFile) -> Taken:
        outcome = courier.take(file, desk)
        assert outcome is not None
        return outcome

    return taken


@pytest.fixture
def payout(session: Session, desk: Desk) -> Payout:
    """A payout that the bank has been given."""
    with transaction() as session:
        provider, _ = make_payee(session)
        make_earning(session, provider)
        run_id = world.prepare_and_approve(session).id
    assert courier.send_run(run_id, desk)
    [sent] = world.payouts_of(session)
    return sent


def _line(session: Session, reference: str) -> BankLine:
    session.rollback()
    return session.scalars(select(BankLine).where(BankLine.reference == reference)).one()


def _is(session: Session, reference: str, reason: BankLineReason, *, explained: bool) -> bool:
    line = _line(session, reference)
    state = BankLineState.EXPLAINED if explained else BankLineState.SUSPENDED
    return (line.reason, line.state) == (reason, state)


def _suspense(session: Session) -> Decimal:
    session.rollback()
    return ledger.balance(session, chart.SUSPENSE_BANK)


def test_a_debit_with_the_payouts_name_and_amount_makes_it_paid(
    session: Session, payout: Payout, take: Take
) -> None:
    take(statement([Line(-NET, "B1", payout.id)]))
    assert _is(session, "B1", BankLineReason.PAYOUT_PAID, explained=True)
    assert payout.state == PayoutState.PAID and payout.settled_at is not None
    assert set(session.scalars(select(Earning.state))) == {EarningState.PAID}
    assert ledger.balance(session, chart.TRANSIT_PAYOUTS) == 0
    assert _line(session, "B1").transaction_id is not None
    world.assert_books_are_sound(session)


def test_the_same_file_again_changes_nothing(session: Session, payout: Payout, take: Take) -> None:
    file = statement([Line(-NET, "B1", payout.id), Line(500, "B2")])
    take(file)
    take(AnswerFile("another-name.xml", file.kind, file.sha256, file.content))
    assert _suspense(session) == 500
    assert len(session.scalars(select(BankLine)).all()) == 2


def test_the_same_line_in_another_statement_changes_nothing(
    session: Session, payout: Payout, take: Take
) -> None:
    take(statement([Line(-NET, "B1", payout.id)]))
    take(statement([Line(-NET, "B1", payout.id), Line(700, "B2")], number=2, opening=-NET))
    assert payout.state == PayoutState.PAID
    assert _suspense(session) == 700
    world.assert_books_are_sound(session)


def test_a_line_that_the_bank_has_changed_is_named(session: Session, payout: Payout, take: Take) -> None:
    take(statement([Line(-NET, "B1", payout.id)]))
    taken = take(statement([Line(-NET - 1, "B1", payout.id)], number=2, opening=-NET))
    assert [finding["code"] for finding in taken.findings] == ["line_changed"]


def test_a_second_debit_for_one_payout_is_doubled(session: Session, payout: Payout, take: Take) -> None:
    take(statement([Line(-NET, "B1", payout.id), Line(-NET, "B2", payout.id)]))
    assert _is(session, "B1", BankLineReason.PAYOUT_PAID, explained=True)
    assert _is(session, "B2", BankLineReason.DOUBLED, explained=False)
    assert _suspense(session) == -NET
    world.assert_books_are_sound(session)


def test_the_bank_taking_back_its_double_explains_both(session: Session, payout: Payout, take: Take) -> None:
    take(statement([Line(-NET, "B1", payout.id), Line(-NET, "B2", payout.id)]))
    take(statement([Line(NET, "B3", payout.id)], number=2, opening=-2 * NET))
    for reference in ("B2", "B3"):
        assert _is(session, reference, BankLineReason.CORRECTION, explained=True)
    assert payout.state == PayoutState.PAID
    assert _suspense(session) == 0
    world.assert_books_are_sound(session)


def test_another_amount_is_not_taken_for_the_payout(session: Session, payout: Payout, take: Take) -> None:
    take(statement([Line(-NET + 1, "B1", payout.id)]))
    assert _is(session, "B1", BankLineReason.ALTERED_AMOUNT, explained=False)
    assert payout.state == PayoutState.SENT
    assert _suspense(session) == -NET + 1
    world.assert_books_are_sound(session)


def test_a_line_that_names_nothing_of_ours_waits_in_suspense(session: Session, take: Take) -> None:
    take(statement([Line(-2_500, "B1", words="biaya administrasi"), Line(9_000, "B2")]))
    assert _is(session, "B1", BankLineReason.UNKNOWN, explained=False)
    assert _is(session, "B2", BankLineReason.UNKNOWN, explained=False)
    assert _suspense(session) == 6_500
    assert len(queries.list_bank_lines(session, BankLineState.SUSPENDED)) == 2
    world.assert_books_are_sound(session)


def test_a_debit_for_a_payout_that_was_never_sent_is_named(session: Session, desk: Desk, take: Take) -> None:
    with transaction() as session:
        provider, _ = make_payee(session)
        make_earning(session, provider)
        world.prepare_and_approve(session)
    [waiting] = world.payouts_of(session)
    take(statement([Line(-NET, "B1", waiting.id)]))
    assert _is(session, "B1", BankLineReason.NEVER_SENT, explained=False)
    assert waiting.state == PayoutState.PREPARED


def test_money_that_came_back_is_owed_again(session: Session, payout: Payout, take: Take) -> None:
    returned = Line(NET, "B2", payout.id, return_code="AC04")
    take(statement([Line(-NET, "B1", payout.id), returned]))
    assert _is(session, "B2", BankLineReason.PAYOUT_RETURNED, explained=True)
    assert (payout.state, payout.reason_code) == (PayoutState.RETURNED, "AC04")
    assert payout.bank_account.blocked_code == "AC04"
    assert set(session.scalars(select(Earning.state))) == {EarningState.ACCRUED}
    assert ledger.balance(session, chart.payable(payout.provider_id)) == NET
    world.assert_books_are_sound(session)


def test_a_return_that_is_told_before_its_payment_is_explained_later(
    session: Session, payout: Payout, take: Take
) -> None:
    take(statement([Line(NET, "B2", payout.id, return_code="AC04")]))
    assert _is(session, "B2", BankLineReason.RETURN_BEFORE_PAYMENT, explained=False)
    late = Line(-NET, "B1", payout.id, booked_on=MONDAY - timedelta(days=1))
    take(statement([late], number=2, opening=NET))
    assert _line(session, "B1").late
    assert _is(session, "B2", BankLineReason.PAYOUT_RETURNED, explained=True)
    assert payout.state == PayoutState.RETURNED
    assert _suspense(session) == 0
    world.assert_books_are_sound(session)


def test_a_deposit_explains_the_appropriation_that_was_booked(session: Session, take: Take) -> None:
    with transaction() as session:
        booked = appropriate(session, "2023", Decimal(5_000_000), "DIPA-9/2026").transaction_id
    take(statement([Line(5_000_000, "B1", words="DIPA-9/2026"), Line(5_000_000, "B2", words="DIPA-9/2026")]))
    assert _is(session, "B1", BankLineReason.APPROPRIATION, explained=True)
    assert _line(session, "B1").transaction_id == booked
    assert _is(session, "B2", BankLineReason.DOUBLED, explained=False)
    world.assert_books_are_sound(session)


def test_a_deposit_that_came_first_is_explained_once_it_is_booked(
    session: Session, take: Take, desk: Desk
) -> None:
    take(statement([Line(5_000_000, "B1", words="DIPA-9/2026")]))
    assert _is(session, "B1", BankLineReason.UNKNOWN, explained=False)
    with transaction() as session:
        booked = appropriate(session, "2023", Decimal(5_000_000), "DIPA-9/2026").transaction_id
    courier.read_answers(desk)
    assert _is(session, "B1", BankLineReason.APPROPRIATION, explained=True)
    assert _line(session, "B1").transaction_id == booked
    assert (_suspense(session), ledger.balance(session, chart.BANK_TREASURY)) == (0, 5_000_000)
    world.assert_books_are_sound(session)


def test_a_missing_statement_is_noticed(session: Session, take: Take) -> None:
    take(statement([Line(100, "B1")]))
    take(statement([Line(50, "B2")], number=2, opening=100))
    assert queries.list_gaps(session) == []
    take(statement([Line(7, "B9")], number=4, opening=160))
    session.rollback()
    [gap] = queries.list_gaps(session)
    assert (gap.before.reference, gap.after.reference, gap.difference) == ("S-2", "S-4", 10)
    take(statement([Line(10, "B8")], number=3, opening=150))
    session.rollback()
    assert queries.list_gaps(session) == [], "the missing one came late"


def test_a_file_that_cannot_be_read_is_recorded_and_set_aside(
    session: Session, desk: Desk, settings: Settings
) -> None:
    inbox = world.inbox_of(settings)
    (inbox / "half.xml").write_bytes(statement([Line(1, "B1")]).content[:-40])
    (inbox / "noise.bin").write_bytes(b"\x00\x01")
    for file in inbox.iterdir():
        os.utime(file, (0, 0))
    taken = courier.read_answers(desk)
    assert all(each.problem for each in taken) and len(taken) == 2
    assert courier.read_answers(desk) == []
    session.rollback()
    assert {file.name for file in queries.list_bank_files(session) if file.problem} == {
        "half.xml",
        "noise.bin",
    }


def test_a_statement_of_another_account_is_not_booked(session: Session, take: Take) -> None:
    taken = take(statement([Line(100, "B1")], account="1234567"))
    assert taken.problem is not None and "1234567" in taken.problem
    assert session.scalars(select(BankLine)).all() == []


def test_a_hold_that_came_too_late_does_not_stop_the_statement(
    session: Session, payout: Payout, take: Take
) -> None:
    with transaction() as session:
        [earning_id] = session.scalars(select(Earning.id)).all()
        earnings.hold(session, earning_id, "fraud", make_finance(session))
    take(statement([Line(-NET, "B1", payout.id)]))
    session.rollback()
    assert set(session.scalars(select(Earning.state))) == {EarningState.PAID}


def test_only_one_worker_reads_the_banks_files(session: Session, desk: Desk, app_engine: Engine) -> None:
    file = statement([Line(100, "B1")])
    with app_engine.begin() as other:
        other.execute(text("SELECT pg_advisory_xact_lock(hashtext('payouts:bank'))"))
        assert courier.take(file, desk) is None
    assert courier.take(file, desk) is not None


def test_a_payment_after_a_rejection_is_taken_as_the_truth(
    session: Session, payout: Payout, take: Take
) -> None:
    take(report(payout.run_id, [(payout.id, "RJCT", "AC01")]))
    assert _state(session, payout) == PayoutState.FAILED
    with transaction() as session:
        further = service.retry(session, payout.id, make_finance(session))
        assert further is not None
        world.approve(session, further)
    take(statement([Line(-NET, "B1", payout.id)]))
    assert _is(session, "B1", BankLineReason.PAID_AFTER_REJECTION, explained=True)
    states = [each.state for each in world.payouts_of(session)]
    assert states == [PayoutState.PAID, PayoutState.CANCELLED], "nobody is paid twice for one earning"
    assert ledger.balance(session, chart.payable(payout.provider_id)) == 0
    world.assert_books_are_sound(session)


def test_a_payment_after_a_rejection_is_parked_once_the_next_payout_has_left(
    session: Session, payout: Payout, take: Take, desk: Desk
) -> None:
    take(report(payout.run_id, [(payout.id, "RJCT", "AC01")]))
    with transaction() as session:
        further = service.retry(session, payout.id, make_finance(session))
        assert further is not None
        world.approve(session, further)
    courier.send_waiting(desk)
    take(statement([Line(-NET, "B1", payout.id)]))
    assert _is(session, "B1", BankLineReason.PAID_AFTER_REJECTION, explained=False)
    assert _suspense(session) == -NET
    world.assert_books_are_sound(session)


def _state(session: Session, payout: Payout) -> str:
    session.rollback()
    return payout.state
