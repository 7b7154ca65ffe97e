"""Earnings, people and a bank for the tests of payouts: the product's own functions wherever they exist."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from sqlalchemy import create_engine, select, text
from sqlalchemy.orm import Session

import ledger
from bank_sandbox.bank import Bank
from ledger import uuid7
from marketplace import clock
from marketplace.batches.models import Grant
from marketplace.catalogue.models import Course
from marketplace.config import Settings
from marketplace.encryption import vault
from marketplace.enrolments.models import Attendance, AttendanceMethod, Earning, EnrolmentState
from marketplace.enrolments.service import PurchaseRequest, purchase
from marketplace.enrolments.settlement import Verdict, settle
from marketplace.identity.models import Role, User
from marketplace.payouts import courier, queries, service
from marketplace.payouts.courier import Desk
from marketplace.payouts.models import Payout, PayoutRun
from marketplace.providers import service as providers
from marketplace.providers.models import BankAccount, BankAccountState, Provider
from marketplace.providers.service import BankDetails
from tests import factories

SCHEME = "2023"
MONDAY = date(2026, 11, 23)


def make_earning(
    session: Session,
    provider: Provider,
    *,
    price: Decimal = Decimal(1_000_000),
    matured_for: timedelta = timedelta(days=1),
    hold_code: str | None = None,
    grant: Grant | None = None,
    course: Course | None = None,
) -> Earning:
    """A completed enrolment's earning (net 900.000 of 1.000.000 at a fee of 10 %), matured a while ago."""
    grant = grant or factories.make_grant(session)
    course = course or factories.make_course(session, provider, price=price)
    run = factories.make_self_paced_run(session, course)
    request = PurchaseRequest(grant.participant_id, run.id, str(uuid7()), course.version, course.price)
    enrolment = purchase(session, request)
    evidence = Attendance(
        enrolment_id=enrolment.id,
        session_id=run.sessions[0].id,
        method=AttendanceMethod.UNIT,
        recorded_at=clock.now(session),
        recorded_by=grant.participant.user_id,
    )
    session.add(evidence)
    session.flush()
    verdict = Verdict(enrolment, EnrolmentState.COMPLETED, 100, 100, evidence.id, hold_code)
    settle(session, [verdict], None, clock.now(session))
    earning = session.scalars(select(Earning).where(Earning.enrolment_id == enrolment.id)).one()
    earning.matures_at = clock.now(session) - matured_for
    session.flush()
    return earning


def make_payee(session: Session, number: str = "", *, usable: bool = True) -> tuple[Provider, BankAccount]:
    """A provider with a member of staff and an approved account, of this number if it matters."""
    provider = factories.make_provider(session)
    staff = factories.make_staff(session, provider)
    number = number or str(8_800_000_000 + provider.id.int % 10**8)
    account = providers.propose_bank_account(
        session, provider, BankDetails("CENAIDJA", "Lembaga Karya", number), staff
    )
    providers.approve_bank_account(session, account.id, make_finance(session))
    if usable:
        account.usable_from = clock.now(session) - timedelta(days=1)
        session.flush()
    return provider, account


def make_raw_account(session: Session, provider: Provider, *, holder_name: str) -> BankAccount:
    """An account in use that no form would let in."""
    account = BankAccount(
        provider=provider,
        bank_code="CENAIDJA",
        holder_name=holder_name,
        number_encrypted=vault().encrypt("8800000001"),
        number_index=b"index",
        number_ending="0001",
        state=BankAccountState.APPROVED,
        proposed_by=make_finance(session).id,
        proposed_at=clock.now(session),
        approved_by=make_finance(session).id,
        usable_from=clock.now(session) - timedelta(days=1),
    )
    session.add(account)
    session.flush()
    return account


def make_finance(session: Session) -> User:
    return factories.make_user(session, Role.FINANCE, name="Sari Wulandari")


def approve(session: Session, run: PayoutRun) -> None:
    """Two people, as in life."""
    service.submit(session, run.id, make_finance(session))
    service.approve(session, run.id, make_finance(session))


def prepare_and_approve(session: Session) -> PayoutRun:
    """The day's run, through both hands; flushed, not committed."""
    run = service.prepare(session, SCHEME, clock.today(session), make_finance(session))
    assert run is not None
    approve(session, run)
    return run


def set_programme_time(owner_url: str, moment: datetime) -> None:
    """Move the programme's clock, as only the owner may."""
    engine = create_engine(owner_url)
    with engine.begin() as connection:
        connection.execute(
            text('UPDATE ledger.programme_clock SET "offset" = :moment - clock_timestamp()'),
            {"moment": moment},
        )
    engine.dispose()


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=clock.ZONE).astimezone(UTC)


def desk_of(settings: Settings, patience: timedelta = timedelta(minutes=15)) -> Desk:
    """The installation's desk, on a folder that exists."""
    settings.bank_folder.mkdir(parents=True, exist_ok=True)
    desk = courier.desk(settings)
    return Desk(desk.bank, desk.debtor, patience)


@contextmanager
def sandbox(folder: Path, action: str = "pay", **more: object) -> Iterator[Bank]:
    """The bank sandbox with one behaviour for every payment; tick it by hand."""
    behave(folder, action, **more)
    bank = Bank(folder)
    try:
        yield bank
    finally:
        bank.close()


def behave(folder: Path, action: str, **more: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    rules = {"default": {"action": action, **more}, "suffix_rules": False}
    (folder / "behaviour.json").write_text(json.dumps(rules))


def payouts_of(session: Session) -> list[Payout]:
    session.rollback()
    return list(session.scalars(select(Payout).order_by(Payout.id)))


def assert_books_are_sound(session: Session) -> None:
    """The equation holds, both sides are equal, and the ledger's own check finds nothing."""
    session.rollback()
    found = queries.equation(session)
    assert found.holds, (found.left, found.right)
    assert ledger.trial_balance(session).is_balanced
    report = ledger.verify(session)
    assert report.is_sound, report


def inbox_of(settings: Settings) -> Path:
    """Where the bank leaves its files."""
    inbox = settings.bank_folder / "inbox"
    inbox.mkdir(parents=True, exist_ok=True)
    return inbox
