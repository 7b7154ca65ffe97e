"""Providers, their staff, and where they are paid."""

import re
import unicodedata
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

import ledger
from ledger import uuid7
from marketplace import chart, clock
from marketplace.encryption import vault
from marketplace.errors import IllegalTransition
from marketplace.events import service as events
from marketplace.identity import audit
from marketplace.identity import service as identity
from marketplace.identity.models import Role, User
from marketplace.providers import queries
from marketplace.providers.errors import (
    BankDetailsInvalid,
    ProviderNameInvalid,
    ProviderNameTaken,
    SamePerson,
    StaffTaken,
)
from marketplace.providers.models import (
    BANK_ACCOUNT_TRANSITIONS,
    BankAccount,
    BankAccountState,
    Provider,
    ProviderStaff,
    StaffRole,
)
from marketplace.schemes import queries as schemes
from marketplace.states import move

_LONGEST_NAME = 200
_BANK_CODE = re.compile(r"[0-9]{3}|[0-9]{7}|[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?")
_NUMBER = re.compile(r"[0-9]{5,34}")
_HOLDER = re.compile(r"[A-Za-z0-9 .,'&()/+:?-]{1,70}")


def create_provider(session: Session, name: str, city: str = "", province_code: str = "") -> Provider:
    """Make a provider with its accounts. Raises ProviderNameInvalid and ProviderNameTaken."""
    clean = " ".join(name.split())
    if not clean or len(clean) > _LONGEST_NAME or not clean.isprintable():
        raise ProviderNameInvalid(clean)
    if queries.find_by_name(session, clean) is not None:
        raise ProviderNameTaken(clean, name=clean)
    ensure_providers(session, [clean])
    provider = session.scalars(select(Provider).where(Provider.name == clean)).one()
    provider.city, provider.province_code = city, province_code
    session.flush()
    return provider


def locate(session: Session, provider_id: uuid.UUID, city: str, province_code: str, actor: User) -> Provider:
    """Say where a provider sits: an imported one has no place, so that no filter and no clock knows it.

    Raises NotFound.
    """
    provider = queries.get_provider(session, provider_id)
    before = {"city": provider.city, "province_code": provider.province_code}
    provider.city, provider.province_code = city, province_code
    session.flush()
    audit.record(
        session, actor, "provider.located", f"provider:{provider.id}",
        before=before, city=city, province_code=province_code,
    )  # fmt: skip
    return provider


def ensure_providers(session: Session, names: Iterable[str]) -> dict[str, uuid.UUID]:
    """Ids by name; providers that are missing are made, with their accounts, in one round trip each way."""
    wanted = sorted(set(names))
    known = _ids_by_name(session, wanted)
    missing = [name for name in wanted if name not in known]
    if not missing:
        return known
    now = clock.now(session)
    rows = [
        {"id": uuid7(), "name": name, "created_at": now, "city": "", "province_code": ""} for name in missing
    ]
    for row in rows:
        row["slug"] = _slug(str(row["name"]), row["id"])
    session.execute(insert(Provider).on_conflict_do_nothing(index_elements=["name"]), rows)
    found = _ids_by_name(session, wanted)
    open_provider_accounts(session, found.values())
    return found


def open_provider_accounts(session: Session, provider_ids: Iterable[uuid.UUID]) -> None:
    """What was paid to providers and not yet earned, and what they earned."""
    codes = [code for each in provider_ids for code in (chart.escrow(each), chart.payable(each))]
    ledger.open_accounts(session, codes)


def add_staff(
    session: Session, provider: Provider, user: User, role: StaffRole = StaffRole.OWNER
) -> ProviderStaff:
    """Let a user act for a provider. Raises StaffTaken when they act for another one."""
    existing = session.get(ProviderStaff, user.id)
    if existing is not None:
        if existing.provider_id != provider.id:
            raise StaffTaken("acts for another provider")
        return existing
    staff = ProviderStaff(user=user, provider=provider, role=role.value, added_at=clock.now(session))
    session.add(staff)
    session.flush()
    identity.grant_role(session, user, Role.PROVIDER)
    return staff


@dataclass(frozen=True, slots=True)
class BankDetails:
    """Where to pay: a BIC or a national clearing code, the holder in the bank's alphabet, the number."""

    bank_code: str
    holder_name: str
    number: str = field(repr=False)


def propose_bank_account(
    session: Session, provider: Provider, details: BankDetails, actor: User
) -> BankAccount:
    """Name a new account for a provider. It pays nobody before a second person approves it.

    Raises BankDetailsInvalid.
    """
    number = check_bank_details(details)
    account = BankAccount(
        provider=provider,
        bank_code=details.bank_code,
        holder_name=details.holder_name.strip(),
        number_encrypted=vault().encrypt(number),
        number_index=vault().blind_index("bank_account", f"{details.bank_code}:{number}"),
        number_ending=number[-4:],
        proposed_by=actor.id,
        proposed_at=clock.now(session),
    )
    session.add(account)
    session.flush()
    audit.record(session, actor, "bank_account.proposed", f"provider:{provider.id}", account=account.id)
    return account


def find_proposal(session: Session, provider_id: uuid.UUID, details: BankDetails) -> BankAccount | None:
    """The same account, where it waits for its second person already, or None. Raises BankDetailsInvalid."""
    number = f"{details.bank_code}:{check_bank_details(details)}"
    same = select(BankAccount).where(
        BankAccount.provider_id == provider_id,
        BankAccount.state == BankAccountState.PROPOSED,
        BankAccount.number_index == vault().blind_index("bank_account", number),
        BankAccount.holder_name == details.holder_name.strip(),
    )
    return session.scalars(same).first()


def check_bank_details(details: BankDetails) -> str:
    """The number in digits alone. Raises BankDetailsInvalid."""
    number = re.sub(r"[ .-]", "", details.number)
    _check("bank_code", _BANK_CODE, details.bank_code)
    _check("holder_name", _HOLDER, details.holder_name.strip())
    _check("number", _NUMBER, number)
    return number


def approve_bank_account(session: Session, account_id: uuid.UUID, actor: User) -> BankAccount:
    """Accept an account as a second person. It is used after the scheme's waiting days, and replaces
    the one before at once, so that nothing is paid to an account that the provider has given up.

    Raises NotFound, SamePerson, IllegalTransition.
    """
    account = queries.get_bank_account(session, account_id)
    session.execute(
        select(Provider.id).where(Provider.id == account.provider_id).with_for_update(of=Provider)
    )
    session.refresh(account)
    own = queries.find_staff(session, actor.id)
    if account.proposed_by == actor.id or (own is not None and own.provider_id == account.provider_id):
        raise SamePerson("neither the proposer nor anybody of the provider approves")
    if account.state != BankAccountState.PROPOSED:
        raise IllegalTransition("only a proposed account can be approved", current=account.state)
    _replace_others(session, account)
    wait = schemes.get_default_scheme(session).bank_account_wait_days
    usable_from = clock.now(session) + timedelta(days=wait)
    # nothing is asked of the database in between: an approved row without its date would be refused
    move(account, BankAccountState.APPROVED, BANK_ACCOUNT_TRANSITIONS)
    account.approved_by, account.usable_from = actor.id, usable_from
    session.flush()
    subject = f"provider:{account.provider_id}"
    audit.record(session, actor, "bank_account.approved", subject, account=account.id)
    events.record(
        session, "bank_account.approved", account.id, account.provider_id, usable_from=account.usable_from
    )
    return account


def decline_bank_account(session: Session, account_id: uuid.UUID, actor: User, reason: str) -> BankAccount:
    """Refuse a proposed account; nothing was ever paid to it. Raises NotFound, IllegalTransition."""
    account = queries.get_bank_account(session, account_id)
    session.refresh(account, with_for_update={"of": BankAccount})
    if account.state != BankAccountState.PROPOSED:
        raise IllegalTransition("only a proposed account can be declined", current=account.state)
    move(account, BankAccountState.REPLACED, BANK_ACCOUNT_TRANSITIONS)
    session.flush()
    subject = f"provider:{account.provider_id}"
    audit.record(session, actor, "bank_account.declined", subject, account=account.id, reason=reason)
    events.record(session, "bank_account.declined", account.id, account.provider_id)
    return account


def _replace_others(session: Session, account: BankAccount) -> None:
    for other in queries.list_bank_accounts(session, account.provider_id):
        if other.id != account.id and other.state == BankAccountState.APPROVED:
            move(other, BankAccountState.REPLACED, BANK_ACCOUNT_TRANSITIONS)
    session.flush()


def _check(name: str, pattern: re.Pattern[str], value: str) -> None:
    if not pattern.fullmatch(value):
        raise BankDetailsInvalid(f"{name} is not acceptable", field=name)


def _ids_by_name(session: Session, names: list[str]) -> dict[str, uuid.UUID]:
    found = session.execute(select(Provider.name, Provider.id).where(Provider.name.in_(names)))
    return dict(found.all())


def _slug(name: str, provider_id: object) -> str:
    """The name for an address bar; the end of the id keeps it unique."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].rstrip("-")
    return f"{words or 'lembaga'}-{str(provider_id)[-6:]}"
