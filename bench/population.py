"""Signed-in people with a balance, classes for them to buy, and a country's enrolments beside them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import product
from random import Random
from urllib.parse import urlencode

from flask import Flask, g
from flask import session as browser
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import generate_csrf
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from marketplace import chart, clock
from marketplace.app import create_app
from marketplace.batches import service as batches
from marketplace.catalogue import service as catalogue
from marketplace.catalogue.models import Course, Mode, Run, RunKind
from marketplace.catalogue.service import PlannedSession, RunPlan
from marketplace.config import Settings
from marketplace.db import db, transaction
from marketplace.enrolments import service as enrolments
from marketplace.enrolments.models import Enrolment
from marketplace.identity import service as identity
from marketplace.identity.models import Role
from marketplace.participants import service as participants
from marketplace.participants.models import Participant
from marketplace.participants.nik import Sex, compose
from marketplace.providers import service as providers
from marketplace.schemes import queries as schemes
from marketplace.schemes import service as scheme_service

READERS = 500
_PRICE = Decimal(50_000)
_CLASSES, _SEATS, _BOUGHT = 40, 30_000, 2
_EACH = 5
_BORN = date(1998, 4, 17)
# each of many like the one who is there: the row of the table with some of its columns changed
_HOLDERS_TABLE = """
CREATE TEMPORARY TABLE holder AS
SELECT n, gen_random_uuid() AS "user", gen_random_uuid() AS participant, gen_random_uuid() AS "grant"
FROM generate_series(1, :holders) n
"""
_LIKE = """
INSERT INTO {table} SELECT made.* FROM {table} one, holder, generate_series(1, :each) k,
    LATERAL jsonb_populate_record(one, jsonb_build_object({changes})) made WHERE one.id = :one
"""
_USER = "'id', holder.user, 'email', 'lain' || n || '@contoh.test'"
_PARTICIPANT = "'id', holder.participant, 'user_id', holder.user, 'nik_index', '\\x' || md5(n::text)"
_GRANT = "'id', holder.grant, 'participant_id', holder.participant"
_ENROLMENT = (
    "'id', gen_random_uuid(), 'participant_id', holder.participant, 'grant_id', holder.grant, 'key', k,"
    " 'receipt_number', 'BKL-' || n || '-' || k, 'state', 'completed', 'percent', 100, 'paid_percent', 100,"
    " 'completed_at', now(), 'transaction_id', gen_random_uuid(), 'settlement_id', gen_random_uuid(),"
    " 'run_id', (ARRAY(SELECT run.id FROM run JOIN course ON course.id = run.course_id"
    " WHERE course.source_id LIKE 'bench:buy:%' ORDER BY run.id))[k]"
)


@dataclass(frozen=True, slots=True)
class People:
    """What a browser sends: the cookies of the readers, and purchases that nobody has made yet."""

    cookies: list[str]
    purchases: list[tuple[str, str, str]]
    """Address, cookie and form of each."""

    accounts: list[str]
    """The readers' training balances."""

    escrow: str


def settle(settings: Settings, count: int) -> People:
    """Register them, pay them in, let each buy two classes, and write `count` enrolments of others."""
    app = create_app(settings)
    with app.app_context():
        with transaction() as session:
            readers = _register(session)
            classes = [_offer(session, number) for number in range(_CLASSES)]
        with transaction() as session:
            bought = [_buy(session, *each) for each in product(readers, classes[:_BOUGHT])]
        with transaction() as session:
            _multiply(settings.database_owner_url, session.merge(bought[0]), count)
            people = _people(app, readers, classes[_BOUGHT:])
        db.session.remove()
        db.engine.dispose()
        return people


def _register(session: Session) -> list[Participant]:
    people = [_registered(session, number) for number in range(1, READERS + 1)]
    scheme = schemes.get_scheme(session, people[0].scheme_code)
    each = scheme.training_balance + scheme.reserve_per_grant
    scheme_service.appropriate(session, scheme.code, each * READERS, "DIPA-1")
    batches.award(session, [person.id for person in people])
    batches.activate_awarded(session)
    return people


def _registered(session: Session, number: int) -> Participant:
    user = identity.create_user(
        session, name="Rina Lestari", contact=f"orang{number}@contoh.test", roles=(Role.PARTICIPANT,)
    )
    nik = compose("310001", _BORN, Sex.FEMALE, number).digits
    known = participants.Registration("Rina Lestari", nik, f"3171{number:012d}", _BORN, "31")
    return participants.register(session, user, known, None)


def _offer(session: Session, number: int) -> Run:
    provider = providers.create_provider(session, f"Lembaga Karya {number}", "Sleman", "34")
    course = Course(
        provider=provider,
        source_id=f"bench:buy:{number}",
        title=f"Pembukuan untuk usaha kecil {number}",
        category="Usaha dan keuangan",
        mode=Mode.IN_PERSON.value,
        hours=24,
        price=_PRICE,
        description="Pembukuan dari nota sampai laporan.",
        published_at=clock.now(session),
    )
    session.add(course)
    first = clock.now(session).replace(microsecond=0) + timedelta(days=7)
    days = [first + timedelta(days=ahead) for ahead in range(4)]
    planned = [PlannedSession("Pertemuan", day, day + timedelta(hours=2)) for day in days]
    return catalogue.schedule_run(session, course, RunPlan(RunKind.SCHEDULED, planned, _SEATS, "Sleman"))


def _buy(session: Session, reader: Participant, run: Run) -> Enrolment:
    wish = enrolments.PurchaseRequest(reader.id, run.id, uuid.uuid4().hex, run.course.version, _PRICE)
    return enrolments.purchase(session, wish)


def _multiply(owner_url: str, one: Enrolment, count: int) -> None:
    """Others with the benefit, and their enrolments, as a country has them after a while."""
    holders = max(1, count // _EACH)
    like = (
        ('"user"', one.participant.user_id, 1, _USER),
        ("participant", one.participant_id, 1, _PARTICIPANT),
        ('"grant"', one.grant_id, 1, _GRANT),
        ("enrolment", one.id, _EACH, _ENROLMENT),
    )
    engine = create_engine(owner_url)
    with engine.begin() as connection:
        connection.execute(text(_HOLDERS_TABLE), {"holders": holders})
        for table, template, each, changes in like:
            statement = text(_LIKE.format(table=table, changes=changes.replace(":", "\\:")))
            connection.execute(statement, {"one": template, "each": each})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    engine.dispose()


def _people(app: Flask, readers: Sequence[Participant], classes: Sequence[Run]) -> People:
    signed = [_sign_in(app, reader) for reader in readers]
    wishes = [
        (f"/beli/{run.id}", cookie, _form(token, run)) for run, (cookie, token) in product(classes, signed)
    ]
    Random(11).shuffle(wishes)
    return People(
        cookies=[cookie for cookie, _token in signed],
        purchases=wishes,
        accounts=[chart.benefit(reader.id) for reader in readers],
        escrow=chart.escrow(classes[0].course.provider_id),
    )


def _sign_in(app: Flask, reader: Participant) -> tuple[str, str]:
    """The cookie of a new session, and the token that its forms carry."""
    with app.test_request_context():
        browser["token"] = identity.start_session(db.session(), reader.user, "bench")
        g.pop("csrf_token", None)  # made once for a request, which to Flask is all of this
        token = generate_csrf()
        serializer = SecureCookieSessionInterface().get_signing_serializer(app)
        assert serializer is not None  # there is a key
        return str(serializer.dumps({**browser, "_permanent": True})), token


def _form(token: str, run: Run) -> str:
    shown = {"version": run.course.version, "price": run.course.price}
    return urlencode({"csrf_token": token, "key": uuid.uuid4().hex, **shown})
