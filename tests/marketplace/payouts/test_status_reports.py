"""What the bank says about an order before its statement: rejections post back, the rest only waits."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import TypeAlias
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

import ledger
from marketplace import chart, clock
from marketplace.config import Settings
from marketplace.db import transaction
from marketplace.notifications.models import Notification
from marketplace.payouts import courier, queries, service
from marketplace.payouts.bank import AnswerFile, Handover
from marketplace.payouts.courier import Desk, Taken
from marketplace.payouts.due import WaitingReason
from marketplace.payouts.models import Payout, PayoutState
from tests.marketplace.payouts import world
from tests.marketplace.payouts.bank_files import Line, denial, report, statement
from tests.marketplace.payouts.world import MONDAY, SCHEME, make_earning, make_finance, make_payee, noon

NET = Decimal(900_000)
Take: TypeAlias = Callable[[AnswerFile], Taken]


@pytest.fixture
def desk(settings: Settings, database: str) -> Desk:
    world.set_programme_time(settings.database_owner_url, noon(MONDAY))
    return world.desk_of(settings)


@pytest.fixture
def take(desk: Desk, session: Session) -> Take:
    def taken(file: AnswerFile) -> Taken:
        outcome = courier.take(file, desk)
        session.rollback()
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


def test_a_rejection_posts_back_and_tells_the_provider_why(
    session: Session, payout: Payout, take: Take
) -> None:
    take(report(payout.run_id, [(payout.id, "RJCT", "AC04")]))
    assert (payout.state, payout.reason_code) == (PayoutState.FAILED, "AC04")
    assert ledger.balance(session, chart.TRANSIT_PAYOUTS) == 0
    assert ledger.balance(session, chart.payable(payout.provider_id)) == NET
    messages = session.scalars(select(Notification).where(Notification.subject.contains("ditolak"))).all()
    assert ["Rekening penerima sudah ditutup. (AC04)" in message.body for message in messages] == [True]
    world.assert_books_are_sound(session)


def test_a_rejection_told_twice_posts_once(session: Session, payout: Payout, take: Take) -> None:
    take(report(payout.run_id, [(payout.id, "RJCT", "AC04")]))
    take(report(payout.run_id, [(payout.id, "RJCT", "AC01")]))
    assert payout.reason_code == "AC04"
    assert ledger.balance(session, chart.payable(payout.provider_id)) == NET


def test_a_refused_account_gets_nothing_more_until_somebody_looks(
    session: Session, payout: Payout, take: Take
) -> None:
    take(report(payout.run_id, [(payout.id, "RJCT", "AC04")]))
    tomorrow = MONDAY + timedelta(days=1)
    assert service.prepare(session, SCHEME, tomorrow) is None
    [waiting] = queries.list_waiting(session, SCHEME)
    assert waiting.reason == WaitingReason.BANK_ACCOUNT_BLOCKED
    further = service.retry(session, payout.id, make_finance(session))
    assert further is not None and further.payouts[0].amount == NET


def test_a_rejection_that_does_not_blame_the_account_is_paid_the_next_night(
    session: Session, payout: Payout, take: Take
) -> None:
    take(report(payout.run_id, [(payout.id, "RJCT", "AM04")]))
    assert service.prepare(session, SCHEME, MONDAY + timedelta(days=1)) is not None


@pytest.mark.parametrize("code", ["AM05", "DUPL"])
def test_a_word_about_a_repeated_file_rejects_no_payment(payout: Payout, take: Take, code: str) -> None:
    take(report(payout.run_id, [(payout.id, "RJCT", code)]))
    assert payout.state == PayoutState.SENT


@pytest.mark.parametrize("status", ["ACSP", "PDNG", "ACSC"])
def test_an_acceptance_posts_nothing_and_waits_for_the_statement(
    session: Session, payout: Payout, take: Take, status: str
) -> None:
    take(report(payout.run_id, [(payout.id, status, "")]))
    assert payout.state == PayoutState.SENT and payout.accepted_at is not None
    assert payout.enquire_at is not None and payout.enquire_at > clock.wall_now() + timedelta(hours=12)
    assert ledger.balance(session, chart.TRANSIT_PAYOUTS) == NET


def test_silence_makes_a_payout_unknown_and_the_bank_is_asked(
    session: Session, payout: Payout, desk: Desk, settings: Settings
) -> None:
    assert courier.ask_about_silence(desk) == []
    with transaction() as session:
        session.get_one(Payout, payout.id).enquire_at = clock.wall_now() - timedelta(seconds=1)
    assert courier.ask_about_silence(desk) == [payout.run_id]
    session.rollback()
    assert payout.state == PayoutState.UNKNOWN
    assert list((settings.bank_folder / "outbox").glob("enquiry-*"))
    assert len(list((settings.bank_folder / "outbox").glob("payout-run-*"))) == 1, "asked, never resent"


def test_an_unknown_payout_is_settled_by_whatever_comes_first(
    session: Session, payout: Payout, take: Take, desk: Desk
) -> None:
    with transaction() as session:
        session.get_one(Payout, payout.id).state = PayoutState.UNKNOWN
    take(statement([Line(-NET, "B1", payout.id)]))
    assert payout.state == PayoutState.PAID


def test_a_file_that_the_bank_never_saw_goes_again_unchanged(
    session: Session, payout: Payout, take: Take, desk: Desk, settings: Settings
) -> None:
    [lost] = (settings.bank_folder / "outbox").glob("payout-run-*")
    content = lost.read_bytes()
    lost.unlink()
    take(denial(payout.run_id))
    assert payout.state == PayoutState.SENDING
    assert courier.send_waiting(desk) == 1
    assert lost.read_bytes() == content
    assert desk.bank.handover(payout.run_id) is Handover.WAITING
    session.rollback()
    assert payout.state == PayoutState.SENT


def test_a_bank_that_denies_what_it_accepted_is_not_sent_the_file_again(payout: Payout, take: Take) -> None:
    take(report(payout.run_id, [(payout.id, "ACSP", "")]))
    taken = take(denial(payout.run_id))
    assert [finding["code"] for finding in taken.findings] == ["bank_denies_answered_file"]
    assert payout.state == PayoutState.SENT


def test_a_rejection_after_the_payment_changes_nothing_and_is_named(
    session: Session, payout: Payout, take: Take
) -> None:
    take(statement([Line(-NET, "B1", payout.id)]))
    taken = take(report(payout.run_id, [(payout.id, "RJCT", "AC04")]))
    assert [finding["code"] for finding in taken.findings] == ["rejected_after_payment"]
    assert payout.state == PayoutState.PAID
    world.assert_books_are_sound(session)


def test_answers_about_what_we_never_ordered_are_named(payout: Payout, take: Take) -> None:
    stranger = take(report(uuid4(), []))
    unknown = take(report(payout.run_id, [(uuid4(), "RJCT", "AC04")]))
    found = [finding["code"] for finding in (*stranger.findings, *unknown.findings)]
    assert found == ["unknown_message", "unknown_payment"]
    assert payout.state == PayoutState.SENT


def test_the_ledger_itself_refuses_to_settle_a_payout_twice(
    session: Session, payout: Payout, take: Take
) -> None:
    take(report(payout.run_id, [(payout.id, "RJCT", "AC04")]))
    posting = ledger.Posting(chart.TRANSIT_PAYOUTS, chart.BANK_TREASURY, NET)
    with pytest.raises(ledger.ExceedsOriginal):
        ledger.post(session, "again", "payout_confirmed", [posting], settles=payout.transaction_id)
    session.rollback()
    with pytest.raises(ledger.FlowNotAllowed):
        ledger.post(session, "unnamed", "payout_confirmed", [posting])
