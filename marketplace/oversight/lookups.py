"""Finding a person or a provider by what somebody on the telephone can say. Every look leaves an audit line.

A NIK is found by its blind index, whole or not at all; the line says what kind of thing was looked for and
whom it found, never what was typed.
"""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, func, literal_column, select
from sqlalchemy.orm import Session

from marketplace.encryption import vault
from marketplace.enrolments import certificates
from marketplace.enrolments import queries as enrolments
from marketplace.errors import NotFound
from marketplace.identity import audit
from marketplace.identity import queries as identity
from marketplace.identity.contacts import parse_contact
from marketplace.identity.errors import ContactInvalid
from marketplace.identity.models import User
from marketplace.oversight.models import Complaint
from marketplace.participants import queries as participants
from marketplace.participants.models import Participant
from marketplace.payouts import queries as payouts
from marketplace.providers import queries as providers
from marketplace.providers.models import Provider

SHORTEST = 3
"""Letters of a name; fewer would list the country."""

_SIMPLE: ColumnElement[Any] = literal_column("'simple'::regconfig")
_MOST_PROVIDERS = 20
_NIK = re.compile(r"[0-9]{16}")
_SEPARATORS = re.compile(r"[\s.\-]")
_PAYOUT = re.compile(r"po_([0-9a-f]{32})")
_CONTACT = re.compile(r"\+?[0-9][0-9 ()\-]{6,19}")


class Kind(StrEnum):
    """What the text was taken for."""

    NIK = "nik"
    CONTACT = "contact"
    RECEIPT = "receipt"
    PAYOUT = "payout"
    COMPLAINT = "complaint"
    CERTIFICATE = "certificate"
    NAME = "name"


_NUMBERS = {"BKL-": Kind.RECEIPT, "ADU-": Kind.COMPLAINT, f"{certificates.PREFIX}-": Kind.CERTIFICATE}
"""How each kind of number begins."""


@dataclass(frozen=True, slots=True)
class Found:
    """Who was found; `after` is where the next page of people begins. Providers are on the first one only."""

    kind: Kind
    people: Sequence[Participant] = field(default_factory=list)
    providers: Sequence[Provider] = field(default_factory=list)
    after: uuid.UUID | None = None

    @property
    def is_empty(self) -> bool:
        return not self.people and not self.providers


def search(session: Session, text: str, actor: User, after: uuid.UUID | None = None, size: int = 20) -> Found:
    """Everybody whom a text means: one by a number or a contact, some by a name."""
    kind = _kind_of(text)
    found = _by_name(session, text, after, size) if kind is Kind.NAME else _exactly(session, kind, text)
    audit.record(
        session,
        actor,
        "person.searched",
        f"user:{actor.id}",
        kind=kind,
        participants=[each.id for each in found.people],
        providers=[each.id for each in found.providers],
    )
    return found


def open_participant(session: Session, participant_id: uuid.UUID, actor: User) -> Participant:
    """A person's summary is about to be read. Raises NotFound."""
    found = participants.get_participant(session, participant_id)
    audit.record(session, actor, "participant.read", f"participant:{found.id}")
    return found


def open_provider(session: Session, provider_id: uuid.UUID, actor: User) -> Provider:
    """A provider's summary is about to be read. Raises NotFound."""
    found = providers.get_provider(session, provider_id)
    audit.record(session, actor, "provider.read", f"provider:{found.id}")
    return found


def _kind_of(text: str) -> Kind:
    if _NIK.fullmatch(_SEPARATORS.sub("", text)):
        return Kind.NIK
    if (numbered := _NUMBERS.get(text[:4].upper())) is not None:
        return numbered
    if text[:3].lower() == "po_":
        return Kind.PAYOUT
    return Kind.CONTACT if "@" in text or _CONTACT.fullmatch(text) else Kind.NAME


def _exactly(session: Session, kind: Kind, text: str) -> Found:
    if kind is Kind.NIK:
        return Found(kind, _people(session, Participant.nik_index == _index(text)))
    if kind is Kind.CONTACT:
        return _by_contact(session, text)
    if kind is Kind.RECEIPT:
        enrolment = enrolments.find_by_receipt(session, text)
        return Found(kind, [enrolment.participant] if enrolment else [])
    if kind is Kind.CERTIFICATE:
        certificate = certificates.find(session, text)
        return Found(kind, [certificate.enrolment.participant] if certificate else [])
    if kind is Kind.PAYOUT:
        return _by_payout(session, text.lower())
    complaint = session.scalars(select(Complaint).where(Complaint.number == text.upper())).first()
    if complaint is None:
        return Found(kind)
    return Found(
        kind, _some(complaint.participant), [complaint.provider] if complaint.provider is not None else []
    )


def _by_contact(session: Session, text: str) -> Found:
    try:
        user = identity.find_user_of(session, parse_contact(text))
    except ContactInvalid:
        user = None
    if user is None:
        return Found(Kind.CONTACT)
    provider = providers.find_provider_of(session, user.id)
    return Found(
        Kind.CONTACT, _some(participants.find_by_user(session, user.id)), [provider] if provider else []
    )


def _by_payout(session: Session, label: str) -> Found:
    named = _PAYOUT.fullmatch(label)
    if named is None:
        return Found(Kind.PAYOUT)
    try:
        return Found(Kind.PAYOUT, providers=[payouts.get_payout(session, uuid.UUID(named[1])).provider])
    except NotFound:
        return Found(Kind.PAYOUT)


def _by_name(session: Session, text: str, after: uuid.UUID | None, size: int) -> Found:
    """Whoever's name has words that begin so, in any order; newest first."""
    words = re.findall(r"\w+", text.lower())
    if sum(map(len, words)) < SHORTEST:
        return Found(Kind.NAME)
    query = func.to_tsquery(_SIMPLE, " & ".join(f"'{word}':*" for word in words))
    named = func.to_tsvector(_SIMPLE, Participant.full_name).bool_op("@@")(query)
    rest = named if after is None else named & (Participant.id < after)
    people = _people(session, rest, size + 1)
    first = [] if after else _providers_named(session, words)
    return Found(Kind.NAME, people[:size], first, people[size - 1].id if len(people) > size else None)


def _providers_named(session: Session, words: Sequence[str]) -> Sequence[Provider]:
    """Hundreds of providers, not millions: their names are simply looked through."""
    holds = [Provider.name.icontains(word, autoescape=True) for word in words]
    return session.scalars(
        select(Provider).where(*holds).order_by(Provider.name).limit(_MOST_PROVIDERS)
    ).all()


def _people(session: Session, wanted: ColumnElement[bool], limit: int = 1) -> Sequence[Participant]:
    found = select(Participant).where(wanted).order_by(Participant.id.desc()).limit(limit)
    return session.scalars(found).all()


def _some(participant: Participant | None) -> list[Participant]:
    return [participant] if participant is not None else []


def _index(text: str) -> bytes:
    return vault().blind_index("nik", _SEPARATORS.sub("", text))
