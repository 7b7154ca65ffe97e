"""Registration: identity, family card and age are checked; NIK and KK are kept encrypted."""

from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.encryption import vault
from marketplace.events import service as events
from marketplace.identity import audit
from marketplace.identity import service as identity
from marketplace.identity.audit import Actor
from marketplace.identity.models import Role, User
from marketplace.participants import eligibility, queries
from marketplace.participants.errors import (
    AlreadyRegistered,
    KkQuotaFull,
    NameMissing,
    NikTaken,
    ProvinceUnknown,
)
from marketplace.participants.models import Participant
from marketplace.participants.nik import PROVINCES, Nik
from marketplace.schemes import queries as schemes
from marketplace.schemes.models import Scheme

_LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class Registration:
    """What a person states. Numbers as typed; `province_code` is the two digits of where they live."""

    full_name: str
    nik: str = field(repr=False)
    kk: str = field(repr=False)
    birth_date: date = field(repr=False)
    province_code: str


@dataclass(frozen=True, slots=True, repr=False)
class _Identity:
    """The checked numbers and their blind indexes."""

    nik: Nik
    kk: str
    nik_index: bytes
    kk_index: bytes


def register(
    session: Session, user: User, registration: Registration, scheme_code: str | None = None
) -> Participant:
    """Make a participant of a user. Repeating it after a lost answer returns the first one.

    Raises a subclass of Ineligible, whose code is the reason, and SchemeNotFound.
    """
    scheme = schemes.get_scheme(session, scheme_code) if scheme_code else schemes.get_default_scheme(session)
    name = _checked_name(registration)
    checked = _check_statements(registration, scheme, clock.today(session))
    _lock(session, user, checked)
    existing = _find_existing(session, user, checked)
    if existing is not None:
        return existing
    _check_quota(session, checked, scheme)
    participant = _add(session, user, registration, checked, scheme, name)
    identity.grant_role(session, user, Role.PARTICIPANT)
    events.record(session, "participant.registered", participant.id, scheme=scheme.code)
    return participant


def block(session: Session, participant: Participant, code: str, actor: Actor) -> None:
    """Write down why somebody may not buy any more; their next purchase freezes the grant.

    Raises ValueError for a code that is not one of eligibility.BLOCKS.
    """
    if code not in eligibility.BLOCKS:
        raise ValueError(f"{code} blocks nobody")
    if participant.blocked_code != code:
        participant.blocked_code = code
        audit.record(session, actor, "participant.blocked", f"participant:{participant.id}", code=code)


def unblock(session: Session, participant: Participant, actor: Actor) -> None:
    """The reason is gone, or an objection was right. A frozen grant is thawed apart from this."""
    if participant.blocked_code is not None:
        code, participant.blocked_code = participant.blocked_code, None
        audit.record(session, actor, "participant.unblocked", f"participant:{participant.id}", code=code)


def _checked_name(registration: Registration) -> str:
    name = " ".join(registration.full_name.split())
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise NameMissing()
    if registration.province_code not in PROVINCES:
        raise ProvinceUnknown()
    return name


def _check_statements(registration: Registration, scheme: Scheme, today: date) -> _Identity:
    nik = eligibility.check_identity(registration.nik, registration.birth_date, today)
    kk = eligibility.check_family_card(registration.kk)
    eligibility.check_age(registration.birth_date, scheme, today)
    return _Identity(nik, kk, vault().blind_index("nik", nik.digits), vault().blind_index("kk", kk))


def _lock(session: Session, user: User, checked: _Identity) -> None:
    """Registrations of one login, one NIK or one family card wait for each other, in a fixed order."""
    of_user = vault().blind_index("register", user.id.hex)
    for key in sorted(
        int.from_bytes(index[:8], signed=True) for index in (of_user, checked.nik_index, checked.kk_index)
    ):
        session.execute(select(func.pg_advisory_xact_lock(key)))


def _find_existing(session: Session, user: User, checked: _Identity) -> Participant | None:
    """The same person again, or None. Raises NikTaken and AlreadyRegistered."""
    own = queries.find_by_user(session, user.id)
    if own is not None:
        if own.nik_index != checked.nik_index:
            raise AlreadyRegistered()
        return own
    if session.scalar(select(Participant.id).where(Participant.nik_index == checked.nik_index)):
        raise NikTaken()
    return None


def _check_quota(session: Session, checked: _Identity, scheme: Scheme) -> None:
    counted = select(func.count()).select_from(Participant).where(Participant.kk_index == checked.kk_index)
    if (session.scalar(counted) or 0) >= scheme.people_per_family:
        raise KkQuotaFull(allowed=scheme.people_per_family)


def _add(
    session: Session, user: User, registration: Registration, checked: _Identity, scheme: Scheme, name: str
) -> Participant:
    participant = Participant(
        user=user,
        full_name=name,
        birth_date=registration.birth_date,
        nik_encrypted=vault().encrypt(checked.nik.digits),
        nik_index=checked.nik_index,
        nik_region=checked.nik.region,
        nik_ending=checked.nik.digits[-4:],
        kk_encrypted=vault().encrypt(checked.kk),
        kk_index=checked.kk_index,
        province_code=registration.province_code,
        scheme_code=scheme.code,
        registered_at=clock.now(session),
    )
    if not user.name:
        user.name = name
    session.add(participant)
    session.flush()
    return participant
