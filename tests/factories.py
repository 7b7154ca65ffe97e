"""Made-up people, providers, courses and runs, by the product's own functions.

Each function flushes and returns the row; the test decides when to commit. Names and numbers are
invented, and differ at every call.
"""

import itertools
import secrets
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.batches import service as batches
from marketplace.batches.models import Grant
from marketplace.catalogue import service as catalogue
from marketplace.catalogue.models import Course, Mode, Run, RunKind
from marketplace.catalogue.service import PlannedSession, RunPlan
from marketplace.identity import service as identity
from marketplace.identity.models import Role, User, UserRole
from marketplace.participants import service as participants
from marketplace.participants.models import Participant
from marketplace.participants.nik import Sex, compose
from marketplace.participants.service import Registration
from marketplace.providers import service as providers
from marketplace.providers.models import BankAccount, Provider
from marketplace.providers.service import BankDetails
from marketplace.schemes import queries as schemes
from marketplace.schemes import service as scheme_service

_numbers = itertools.count(1)
BIRTH_DATE = date(1998, 4, 17)
_SAME = (
    "full_name", "birth_date", "nik_encrypted", "nik_region", "nik_ending", "kk_encrypted", "province_code",
    "scheme_code", "registered_at",
)  # fmt: skip


def make_user(session: Session, *roles: Role, name: str = "Rina Lestari", contact: str = "") -> User:
    """A login of its own."""
    contact = contact or f"orang{next(_numbers)}@contoh.test"
    return identity.create_user(session, name=name, contact=contact, roles=roles)


def make_registration(*, birth_date: date = BIRTH_DATE, nik: str = "", kk: str = "") -> Registration:
    """Statements that agree with each other, of a person and family nobody else has."""
    number = next(_numbers)
    region = f"{310000 + number // 9999 + 1:06d}"
    nik = nik or compose(region, birth_date, Sex.FEMALE, number % 9999 + 1).digits
    return Registration("Rina Lestari", nik, kk or f"3171{number:012d}", birth_date, "31")


def make_participant(
    session: Session,
    *,
    user: User | None = None,
    scheme_code: str | None = None,
    birth_date: date = BIRTH_DATE,
) -> Participant:
    """A registered person without money."""
    user = user or make_user(session)
    return participants.register(session, user, make_registration(birth_date=birth_date), scheme_code)


def make_crowd(session: Session, count: int) -> list[Participant]:
    """So many more people like one who registered, written at once: who they are matters to nobody."""
    one = make_participant(session)
    same = {name: getattr(one, name) for name in _SAME}
    people = [
        Participant(
            user=User(
                name=one.full_name,
                email=f"orang{next(_numbers)}@contoh.test",
                locale="id",
                created_at=one.registered_at,
                roles=[UserRole(role=Role.PARTICIPANT.value)],
            ),
            nik_index=secrets.token_bytes(32),
            kk_index=secrets.token_bytes(32),
            **same,
        )
        for _ in range(count)
    ]
    session.add_all(people)
    session.flush()
    return people


def fund_scheme(session: Session, amount: Decimal = Decimal(10**11), scheme_code: str = "2023") -> None:
    """State money for grants."""
    scheme_service.appropriate(session, scheme_code, amount, f"DIPA-{next(_numbers)}")


def make_grant(session: Session, participant: Participant | None = None) -> Grant:
    """An active grant of the participant's scheme, with its money in the training balance."""
    participant = participant or make_participant(session)
    scheme = schemes.get_scheme(session, participant.scheme_code)
    fund_scheme(session, scheme.training_balance + scheme.reserve_per_grant, scheme.code)
    [grant] = batches.award(session, [participant.id])
    batches.activate_awarded(session)
    session.refresh(grant)
    return grant


def make_provider(session: Session, name: str = "") -> Provider:
    """A training provider without staff or bank account."""
    return providers.create_provider(session, name or f"Lembaga Karya {next(_numbers)}", "Sleman", "34")


def make_staff(session: Session, provider: Provider) -> User:
    """Somebody who may act for a provider."""
    user = make_user(session, name="Bayu Pratama")
    providers.add_staff(session, provider, user)
    return user


def make_bank_account(session: Session, provider: Provider, *, usable: bool = True) -> BankAccount:
    """An approved account; `usable` puts its waiting time into the past."""
    details = BankDetails("CENAIDJA", provider.name[:70], f"88{next(_numbers):08d}")
    account = providers.propose_bank_account(session, provider, details, make_user(session))
    providers.approve_bank_account(session, account.id, make_user(session, Role.FINANCE))
    if usable:
        account.usable_from = clock.now(session) - timedelta(days=1)
        session.flush()
    return account


def make_course(
    session: Session,
    provider: Provider | None = None,
    *,
    title: str = "",
    price: Decimal = Decimal(750_000),
    hours: int | None = 24,
    category: str = "Usaha dan keuangan",
    mode: Mode | None = Mode.IN_PERSON,
    description: str = "",
    rating: Decimal | None = None,
) -> Course:
    """A published course."""
    number = next(_numbers)
    course = Course(
        provider=provider or make_provider(session),
        source_id=f"contoh:{number}",
        title=title or f"Pembukuan Digital untuk Usaha Kecil {number}",
        category=category,
        mode=mode.value if mode else None,
        hours=hours,
        price=price,
        rating=rating,
        description=description,
        published_at=clock.now(session),
    )
    session.add(course)
    session.flush()
    return course


def make_run(
    session: Session,
    course: Course | None = None,
    *,
    starts_in: timedelta = timedelta(days=7),
    sessions: int = 4,
    seats: int = 20,
    place: str = "Sleman",
    needs_confirmation: bool = False,
) -> Run:
    """An open run of daily two-hour sessions, the first `starts_in` from the programme's now."""
    first = clock.now(session).replace(microsecond=0) + starts_in
    planned = [_session(number, first + timedelta(days=number - 1)) for number in range(1, sessions + 1)]
    plan = RunPlan(RunKind.SCHEDULED, planned, seats, place, needs_confirmation=needs_confirmation)
    return catalogue.schedule_run(session, course or make_course(session), plan)


def make_self_paced_run(
    session: Session, course: Course | None = None, *, units: int = 5, seats: int = 100, days: int = 30
) -> Run:
    """An open self-paced run, accessible since yesterday and for `days` more."""
    now = clock.now(session).replace(microsecond=0)
    plan = RunPlan(
        RunKind.SELF_PACED,
        [PlannedSession(f"Unit {number}") for number in range(1, units + 1)],
        seats,
        starts_at=now - timedelta(days=1),
        ends_at=now + timedelta(days=days),
    )
    return catalogue.schedule_run(session, course or make_course(session), plan)


def _session(number: int, starts_at: datetime) -> PlannedSession:
    return PlannedSession(f"Pertemuan {number}", starts_at, starts_at + timedelta(hours=2))
