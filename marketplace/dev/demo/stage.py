"""What stands before anybody acts: the programme's office, the providers with their staff and accounts."""

import csv
import json
import re
import unicodedata
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from marketplace.catalogue.models import Course, Run
from marketplace.identity import queries as identity_queries
from marketplace.identity import service as identity
from marketplace.identity.models import Role, User
from marketplace.providers import queries as provider_queries
from marketplace.providers import service as providers
from marketplace.providers.models import Provider
from marketplace.providers.service import BankDetails

FOLDER = Path(__file__).parent
CATALOGUE = FOLDER / "catalogue.csv"
_PROVIDERS = FOLDER / "providers.csv"
_BANK = "CENAIDJA"
_UNLUCKY = {3: "9901", 5: "9902", 9: "9901"}


@dataclass(frozen=True, slots=True)
class Desk:
    """Somebody of the programme's office."""

    name: str
    contact: str
    role: Role


SUBMITTER = Desk("Ayu Kartikasari", "ayu.keuangan@bekal.example", Role.FINANCE)
APPROVER = Desk("Bagus Wicaksono", "bagus.keuangan@bekal.example", Role.FINANCE)
AUDITOR = Desk("Dewi Pramesti", "dewi.pemeriksa@bekal.example", Role.AUDITOR)
CURATOR = Desk("Citra Maharani", "citra.kurasi@bekal.example", Role.CURATOR)
DESK = Desk("Hasan Basri", "hasan.pengaduan@bekal.example", Role.DESK)
OFFICE = (SUBMITTER, APPROVER, AUDITOR, CURATOR, DESK)


@dataclass(frozen=True, slots=True)
class ProviderCard:
    """What is known of a provider besides its courses."""

    name: str
    staff_name: str
    bank_code: str
    account_number: str = field(repr=False)
    city: str = ""
    province_code: str = ""

    @property
    def contact(self) -> str:
        return f"{_plain(self.staff_name)}@lembaga.example"

    @property
    def account(self) -> BankDetails:
        """The account in the provider's name, written as banks write names."""
        ascii_name = unicodedata.normalize("NFKD", self.name).encode("ascii", "ignore").decode()
        holder = " ".join(re.sub(r"[^A-Za-z0-9 .,'&()/+:?-]", " ", ascii_name).split())[:70].strip()
        return BankDetails(self.bank_code, holder or "Lembaga pelatihan", self.account_number)


def provider_cards() -> list[ProviderCard]:
    """The providers of the demonstration's own catalogue."""
    names = ("name", "staff_name", "bank_code", "account_number", "city", "province_code")
    with _PROVIDERS.open(encoding="utf-8", newline="") as stream:
        return [ProviderCard(**{name: row[name] for name in names}) for row in csv.DictReader(stream)]


def open_office(session: Session) -> None:
    """Logins for finance, audit, curation and complaints. A second time changes nothing."""
    for desk in OFFICE:
        if identity_queries.find_user(session, desk.contact) is None:
            identity.create_user(session, name=desk.name, contact=desk.contact, roles=[desk.role])


def office_user(session: Session, desk: Desk) -> User:
    """The login behind a desk."""
    user = identity_queries.find_user(session, desk.contact)
    assert user is not None  # open_office has made it
    return user


def register_providers(session: Session) -> None:
    """Make the demonstration's own providers, where they are, before their catalogue names them."""
    for card in provider_cards():
        if provider_queries.find_by_name(session, card.name) is None:
            providers.create_provider(session, card.name, card.city, card.province_code)


def add_staff(session: Session) -> list[uuid.UUID]:
    """Give every provider that has nobody a login, who proposes a bank account; the new proposals."""
    cards = {card.name: card for card in provider_cards()}
    proposed = []
    for number, provider in enumerate(_without_staff(session), start=1):
        card = cards.get(provider.name) or _made_up(provider, number)
        user = identity.create_user(session, name=card.staff_name, contact=card.contact)
        providers.add_staff(session, provider, user)
        proposed.append(providers.propose_bank_account(session, provider, card.account, user).id)
    return proposed


def approve_accounts(session: Session, account_ids: Sequence[uuid.UUID]) -> None:
    """Approve proposals as the finance office. They are used after the scheme's waiting days."""
    approver = office_user(session, APPROVER)
    for account_id in account_ids:
        providers.approve_bank_account(session, account_id, approver)


def deposit(bank_folder: Path, name: str, amount: int, reference: str, day: date) -> None:
    """State money on its way to the treasury's account: the bank's sandbox takes the file and books it."""
    folder = bank_folder / "deposits"
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".deposit-{name}"
    draft.write_text(json.dumps({"amount": amount, "reference": reference, "date": day.isoformat()}))
    draft.replace(folder / f"deposit-{name}.json")


def _without_staff(session: Session) -> Iterator[Provider]:
    """Providers that offer something, in order of their names."""
    has_run = exists().where(Course.provider_id == Provider.id, Run.course_id == Course.id)
    wanted = or_(has_run, Provider.name.in_([card.name for card in provider_cards()]))
    for provider in session.scalars(select(Provider).where(wanted).order_by(Provider.name)).all():
        if not provider_queries.list_staff(session, provider.id):
            yield provider


def _made_up(provider: Provider, number: int) -> ProviderCard:
    """For a provider of somebody else's catalogue: a login and an account. The bank's sandbox goes by
    its last four digits: it rejects what is sent to the third one, and returns what the fifth is paid."""
    ending = _UNLUCKY.get(number, "8810")
    return ProviderCard(provider.name, f"Staf {provider.id.hex[-8:]}", _BANK, f"7{number:05d}{ending}")


def _plain(name: str) -> str:
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return ".".join(re.findall(r"[a-z0-9]+", ascii_name))
