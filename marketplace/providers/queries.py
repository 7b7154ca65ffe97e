"""Reading providers."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.errors import NotFound
from marketplace.providers.models import BankAccount, BankAccountState, Provider, ProviderStaff


def find_provider_of(session: Session, user_id: uuid.UUID) -> Provider | None:
    """The provider that a user acts for, or None."""
    staff = find_staff(session, user_id)
    return staff.provider if staff else None


def find_staff(session: Session, user_id: uuid.UUID) -> ProviderStaff | None:
    """A user's place at the provider that they act for, or None."""
    return session.get(ProviderStaff, user_id)


def get_provider(session: Session, provider_id: uuid.UUID) -> Provider:
    """A provider. Raises NotFound."""
    provider = session.get(Provider, provider_id)
    if provider is None:
        raise NotFound(f"no provider {provider_id}")
    return provider


def find_by_name(session: Session, name: str) -> Provider | None:
    """The provider of exactly this name, or None."""
    return session.scalar(select(Provider).where(Provider.name == name))


def list_staff(session: Session, provider_id: uuid.UUID) -> Sequence[ProviderStaff]:
    """Who may act for a provider, in the order in which they came."""
    found = select(ProviderStaff).where(ProviderStaff.provider_id == provider_id)
    return session.scalars(found.order_by(ProviderStaff.added_at)).all()


def find_usable_account(session: Session, provider_id: uuid.UUID, at: datetime) -> BankAccount | None:
    """The approved account, past its waiting time and not refused by the bank, or None: payouts wait."""
    return session.scalar(
        select(BankAccount).where(
            BankAccount.provider_id == provider_id,
            BankAccount.state == BankAccountState.APPROVED,
            BankAccount.usable_from <= at,
            BankAccount.blocked_code.is_(None),
        )
    )


def get_bank_account(session: Session, account_id: uuid.UUID) -> BankAccount:
    """A bank account in any state. Raises NotFound."""
    account = session.get(BankAccount, account_id)
    if account is None:
        raise NotFound(f"no bank account {account_id}")
    return account


def list_proposed_accounts(session: Session) -> Sequence[BankAccount]:
    """Accounts that wait for a second person, the longest waiting first."""
    waiting = select(BankAccount).where(BankAccount.state == BankAccountState.PROPOSED)
    return session.scalars(waiting.order_by(BankAccount.proposed_at, BankAccount.id)).all()


def accounts_in_use(session: Session, provider_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, BankAccount]:
    """The approved account of each provider that has one, by provider."""
    approved = select(BankAccount).where(
        BankAccount.provider_id.in_(provider_ids), BankAccount.state == BankAccountState.APPROVED
    )
    return {each.provider_id: each for each in session.scalars(approved).all()}


def list_bank_accounts(session: Session, provider_id: uuid.UUID) -> Sequence[BankAccount]:
    """Every account ever proposed for a provider, newest first."""
    found = select(BankAccount).where(BankAccount.provider_id == provider_id)
    return session.scalars(found.order_by(BankAccount.id.desc())).all()
