"""What goes into a payout run, and why the rest waits."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.config import Settings
from marketplace.db import transaction
from marketplace.enrolments import earnings
from marketplace.errors import NotAllowed
from marketplace.payouts import courier, outlook, queries, service
from marketplace.payouts.due import WaitingReason
from marketplace.payouts.models import PayoutLine, PayoutRunState, PayoutState
from marketplace.payouts.outlook import Payday
from marketplace.providers import service as providers
from marketplace.providers.service import BankDetails
from tests import factories
from tests.marketplace.payouts import world
from tests.marketplace.payouts.world import MONDAY, SCHEME, make_earning, make_finance, make_payee, noon


@pytest.fixture(autouse=True)
def _monday(database: str, settings: Settings) -> None:
    world.set_programme_time(settings.database_owner_url, noon(MONDAY))


def _waiting(session: Session) -> dict[object, WaitingReason]:
    return {row.provider_id: row.reason for row in queries.list_waiting(session, SCHEME)}


def test_a_provider_gets_one_payout_for_all_matured_earnings(session: Session) -> None:
    provider, account = make_payee(session)
    first, second = make_earning(session, provider), make_earning(session, provider)
    run = service.prepare(session, SCHEME, MONDAY)
    assert run is not None
    [payout] = run.payouts
    assert (payout.provider_id, payout.bank_account_id) == (provider.id, account.id)
    assert payout.amount == first.net + second.net == Decimal(1_800_000)
    lines = queries.list_lines(session, payout.id)
    assert {line.earning_id for line in lines} == {first.id, second.id}
    assert lines[0].earning.enrolment.run.course.title


def test_an_earning_is_never_in_two_runs(session: Session) -> None:
    provider, _ = make_payee(session)
    make_earning(session, provider)
    assert service.prepare(session, SCHEME, MONDAY) is not None
    assert service.prepare(session, SCHEME, MONDAY, make_finance(session)) is None
    assert service.prepare(session, SCHEME, MONDAY + timedelta(days=1)) is None


def test_the_database_refuses_a_second_live_line_for_an_earning(session: Session) -> None:
    provider, _ = make_payee(session)
    earning = make_earning(session, provider)
    run = service.prepare(session, SCHEME, MONDAY)
    assert run is not None
    session.add(PayoutLine(payout_id=run.payouts[0].id, earning_id=earning.id, amount=earning.net))
    with pytest.raises(Exception, match="uq_payout_line_earning"):
        session.flush()


def test_beat_prepares_once_a_day_and_a_person_may_add_a_run(session: Session) -> None:
    provider, _ = make_payee(session)
    make_earning(session, provider)
    first = service.prepare(session, SCHEME, MONDAY)
    make_earning(session, provider)
    assert service.prepare(session, SCHEME, MONDAY) is None
    further = service.prepare(session, SCHEME, MONDAY, make_finance(session))
    assert first is not None and further is not None
    assert (first.sequence, further.sequence) == (1, 2)


def test_only_finance_staff_add_a_run(session: Session) -> None:
    with pytest.raises(NotAllowed):
        service.prepare(session, SCHEME, MONDAY, factories.make_user(session))


def test_immature_and_held_earnings_stay_out(session: Session) -> None:
    provider, _ = make_payee(session)
    make_earning(session, provider, matured_for=timedelta(hours=-1))
    held = make_earning(session, provider, hold_code="attendance_uploaded")
    assert service.prepare(session, SCHEME, MONDAY) is None
    [waiting] = queries.list_waiting(session, SCHEME)
    assert (waiting.reason, waiting.amount, waiting.earnings) == (WaitingReason.HELD, held.net, 1)
    expected = outlook.outlook(session, provider.id)
    assert (expected.held, expected.awaiting, expected.sent) == (900_000, 0, 0)
    assert expected.paydays == [Payday(MONDAY + timedelta(days=1), Decimal(900_000), 1)]


def test_without_a_usable_account_the_money_waits_and_says_why(session: Session) -> None:
    without = factories.make_provider(session)
    new, _ = make_payee(session, usable=False)
    blocked, account = make_payee(session)
    account.blocked_code = "AC04"
    for provider in (without, new, blocked):
        make_earning(session, provider)
    assert service.prepare(session, SCHEME, MONDAY) is None
    assert _waiting(session) == {
        without.id: WaitingReason.NO_BANK_ACCOUNT,
        new.id: WaitingReason.BANK_ACCOUNT_WAITING,
        blocked.id: WaitingReason.BANK_ACCOUNT_BLOCKED,
    }


def test_an_account_that_no_payment_file_can_carry_stops_nobody_else(session: Session) -> None:
    bad, good = factories.make_provider(session), make_payee(session)[0]
    account = world.make_raw_account(session, bad, holder_name="\u200b")
    assert account.holder_name == "\u200b", "no form lets it in; an older row might have it"
    make_earning(session, bad)
    make_earning(session, good)
    run = service.prepare(session, SCHEME, MONDAY)
    assert run is not None and [payout.provider_id for payout in run.payouts] == [good.id]
    assert _waiting(session) == {bad.id: WaitingReason.BANK_ACCOUNT_UNUSABLE}


def test_small_amounts_wait_until_the_end_of_the_month(session: Session) -> None:
    provider, _ = make_payee(session)
    make_earning(session, provider, price=Decimal(50_000))
    assert service.prepare(session, SCHEME, MONDAY) is None
    assert _waiting(session) == {provider.id: WaitingReason.BELOW_MINIMUM}
    run = service.prepare(session, SCHEME, date(2026, 11, 30))
    assert run is not None and run.payouts[0].amount == 45_000


def test_what_an_earlier_month_left_over_waits_no_more(session: Session) -> None:
    provider, _ = make_payee(session)
    make_earning(session, provider, price=Decimal(50_000), matured_for=timedelta(days=30))
    assert service.prepare(session, SCHEME, MONDAY) is not None


def test_cancelling_a_run_frees_its_earnings_for_the_next(session: Session) -> None:
    provider, _ = make_payee(session)
    make_earning(session, provider)
    run = service.prepare(session, SCHEME, MONDAY)
    assert run is not None
    service.cancel(session, run.id, make_finance(session), "salah hari")
    assert (run.state, run.payouts[0].state) == (PayoutRunState.CANCELLED, PayoutState.CANCELLED)
    assert service.prepare(session, SCHEME, MONDAY) is None, "beat leaves a cancelled day alone"
    assert service.prepare(session, SCHEME, MONDAY, make_finance(session)) is not None


def test_an_earning_held_after_the_run_was_prepared_is_not_sent(session: Session, settings: Settings) -> None:
    with transaction() as session:
        provider, _ = make_payee(session)
        earning = make_earning(session, provider)
        run = world.prepare_and_approve(session)
        earnings.hold(session, earning.id, "fraud", make_finance(session))
        run_id = run.id
    assert not courier.send_run(run_id, world.desk_of(settings))
    [payout] = world.payouts_of(session)
    assert (payout.state, payout.reason_code) == (PayoutState.CANCELLED, "held_back")
    assert _waiting(session) == {payout.provider_id: WaitingReason.HELD}


def test_a_changed_account_is_never_paid_by_an_older_run(session: Session, settings: Settings) -> None:
    with transaction() as session:
        provider, _ = make_payee(session)
        make_earning(session, provider)
        run_id = world.prepare_and_approve(session).id
        details = BankDetails("BMRIIDJA", "Lembaga Karya", "1370012345678")
        account = providers.propose_bank_account(session, provider, details, make_finance(session))
        providers.approve_bank_account(session, account.id, make_finance(session))
    assert not courier.send_run(run_id, world.desk_of(settings))
    assert [payout.state for payout in world.payouts_of(session)] == [PayoutState.CANCELLED]


def test_the_nightly_run_waits_for_its_hour(session: Session, settings: Settings) -> None:
    with transaction() as session:
        provider, _ = make_payee(session)
        make_earning(session, provider, matured_for=timedelta(days=3))
    world.set_programme_time(settings.database_owner_url, clock.start_of_day(MONDAY) + timedelta(minutes=30))
    assert courier.prepare_due() == []
    world.set_programme_time(settings.database_owner_url, clock.start_of_day(MONDAY) + timedelta(minutes=70))
    assert len(courier.prepare_due()) == 1
    assert courier.prepare_due() == []
