"""Conflicts of interest: what a provider's own staff bought, and what they declared, waits for a person."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlalchemy import Exists, Select, exists, select
from sqlalchemy.orm import Session

from marketplace.enrolments import earnings, locks
from marketplace.enrolments.errors import ReceiptUnknown
from marketplace.enrolments.models import EarningState, Enrolment
from marketplace.enrolments.settlement import Verdict
from marketplace.enrolments.tracking_models import DeclaredPurchase
from marketplace.identity.models import User
from marketplace.providers import queries as providers
from marketplace.providers import statements
from marketplace.providers.models import ConflictStatement, ProviderStaff

STAFF_BOUGHT = "staff_bought"
DECLARED = "conflict_declared"
MOST_DECLARED = 50


def is_staff(user_id: uuid.UUID, provider_id: uuid.UUID) -> Exists:
    """Whether a buyer acts for the provider whose course it is; asked by the purchase's own INSERT."""
    return exists().where(ProviderStaff.user_id == user_id, ProviderStaff.provider_id == provider_id)


def declare(
    session: Session, provider_id: uuid.UUID, actor: User, text: str, receipts: Collection[str]
) -> ConflictStatement:
    """Record what somebody states for this year, and hold what the purchases that they name have earned;
    what they earn later is held when it is. A later statement takes no purchase back.

    Raises ReceiptUnknown for a number that is none of this provider's purchases.
    """
    wanted = {receipt.strip().upper() for receipt in receipts}
    found: dict[str, uuid.UUID] = dict(session.execute(_of_provider(provider_id, wanted)).all())
    if missing := sorted(wanted - found.keys()):
        raise ReceiptUnknown("none of this provider's", receipt=missing[0])
    bought = locks.lock_enrolments(session, list(found.values()))
    statement = statements.state(session, provider_id, actor, text)
    session.add_all(DeclaredPurchase(enrolment_id=each.id, statement_id=statement.id) for each in bought)
    session.flush()
    for each in bought:
        earning = earnings.lock_standing(session, each)
        if earning is not None and earning.state == EarningState.ACCRUED:
            earnings.hold(session, earning.id, DECLARED, None)
    return statement


def list_about(session: Session, enrolment_id: uuid.UUID) -> Sequence[ConflictStatement]:
    """The statements that name a purchase, oldest first."""
    naming = select(ConflictStatement).join(
        DeclaredPurchase, DeclaredPurchase.statement_id == ConflictStatement.id
    )
    about = naming.where(DeclaredPurchase.enrolment_id == enrolment_id)
    return session.scalars(about.order_by(ConflictStatement.id)).all()


def receipts_of(session: Session, statement_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[str]]:
    """The receipt numbers of the purchases that each statement names."""
    named = select(DeclaredPurchase.statement_id, Enrolment.receipt_number).join(
        Enrolment, Enrolment.id == DeclaredPurchase.enrolment_id
    )
    numbers: dict[uuid.UUID, list[str]] = defaultdict(list)
    rows = session.execute(named.where(DeclaredPurchase.statement_id.in_(statement_ids)))
    for statement_id, number in rows.all():
        numbers[statement_id].append(number)
    return {each: sorted(found) for each, found in numbers.items()}


def hold_own(session: Session, provider_id: uuid.UUID, verdicts: Sequence[Verdict]) -> list[Verdict]:
    """The verdicts, held where they would pay for somebody of the provider's staff, of then or of now, or for
    a purchase that was declared. An earning keeps one code: the first of those that `list_codes` gives."""
    codes = list_codes(session, provider_id, verdicts)
    return [
        replace(each, hold_code=next(iter(found), None)) for each, found in zip(verdicts, codes, strict=True)
    ]


def list_codes(session: Session, provider_id: uuid.UUID, verdicts: Sequence[Verdict]) -> list[list[str]]:
    """For each verdict every code that would hold what it pays, its own first; none where it pays nothing."""
    staff = {member.user_id for member in providers.list_staff(session, provider_id)}
    among = DeclaredPurchase.enrolment_id.in_([each.enrolment.id for each in verdicts])
    declared = set(session.scalars(select(DeclaredPurchase.enrolment_id).where(among)))

    def codes(verdict: Verdict) -> list[str]:
        enrolment = verdict.enrolment
        if not verdict.paid_percent:
            return []
        own = enrolment.bought_by_staff or enrolment.participant.user_id in staff
        found = (
            verdict.hold_code,
            STAFF_BOUGHT if own else None,
            DECLARED if enrolment.id in declared else None,
        )
        return [code for code in found if code]

    return [codes(each) for each in verdicts]


def _of_provider(provider_id: uuid.UUID, receipts: Collection[str]) -> Select[str, uuid.UUID]:
    own = (Enrolment.provider_id == provider_id) & Enrolment.receipt_number.in_(receipts)
    return select(Enrolment.receipt_number, Enrolment.id).where(own)
