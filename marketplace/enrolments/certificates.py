"""Certificates: issued with the result that earns them, taken back when it no longer does.

Whoever writes a result calls `follow`. Issued when the result is declared, not days later: see
docs/decisions/0025.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session, contains_eager

from marketplace import clock
from marketplace.enrolments import certificate_letters as letters
from marketplace.enrolments import locks
from marketplace.enrolments.learning_models import Certificate, RevocationCode
from marketplace.enrolments.models import UNDOUBTED, Earning, Enrolment, EnrolmentState
from marketplace.enrolments.receipts import new_number
from marketplace.errors import NotAllowed, NotFound, ReasonMissing
from marketplace.events import service as events
from marketplace.identity import audit
from marketplace.identity.models import Role, User
from marketplace.notifications import service as notifications
from marketplace.schemes import calendar

PREFIX = "SRT"
_LENGTH = 8
"""So many that a year's certificates hardly ever draw the same number, and nobody guesses one."""


def follow(session: Session, enrolments: Sequence[Enrolment]) -> list[Certificate]:
    """Make certificates agree with the results of these enrolments, whose rows are locked.

    One is issued where the result earns it, unless its earning is held or the office took one back, and
    revoked where the result has changed. Returns those that were issued; a repeat changes nothing.
    """
    by_id = {each.id: each for each in enrolments if each.completed_at is not None}
    valid = {each.enrolment_id: each for each in session.scalars(_valid(Certificate.enrolment_id.in_(by_id)))}
    for certificate in list(valid.values()):
        enrolment = by_id[certificate.enrolment_id]
        if not _is_earned(enrolment) or enrolment.percent != certificate.percent:
            _revoke(session, certificate, RevocationCode.CORRECTED)
            del valid[enrolment.id]
    due = [each for each in by_id.values() if each.id not in valid and _is_earned(each)]
    barred = _barred(session, [each.id for each in due])
    return _issue(session, [each for each in due if each.id not in barred])


def revoke_fallen(session: Session, limit: int = 200) -> int:
    """Revoke certificates whose result was corrected below what earns one; returns how many.

    A correction calls `follow` itself; this finds what any other way of correcting has left behind.
    """
    fell = Enrolment.percent.is_distinct_from(Certificate.percent)
    found = session.scalars(
        select(Certificate.enrolment_id)
        .join(Certificate.enrolment)
        .where(Certificate.revoked_at.is_(None), Certificate.judged_at.is_(None), fell)
        .limit(limit)
    ).all()
    if found:
        follow(session, locks.lock_enrolments(session, found))
    return len(found)


def revoke(session: Session, certificate_id: uuid.UUID, reason: str, actor: User) -> Certificate:
    """Take a certificate back, for a reason that everybody who checks it reads. A repeat changes nothing.

    Raises NotFound, NotAllowed for anyone but the programme office, and ReasonMissing.
    """
    if not actor.has_role(Role.FINANCE):
        raise NotAllowed("the programme office revokes certificates")
    if not reason.strip():
        raise ReasonMissing("a revocation has a reason")
    locks.lock_enrolment(session, get(session, certificate_id).enrolment_id)
    certificate = session.get_one(Certificate, certificate_id, populate_existing=True)
    if certificate.revoked_at is None:
        _revoke(session, certificate, RevocationCode.OFFICE, reason.strip(), actor)
    return certificate


def find(session: Session, number: str) -> Certificate | None:
    """The certificate of a number as people type it, or None."""
    wanted = "".join(number.split()).upper()
    return session.scalars(select(Certificate).where(Certificate.number == wanted)).first()


def get(session: Session, certificate_id: uuid.UUID) -> Certificate:
    """A certificate by its id. Raises NotFound."""
    found = session.get(Certificate, certificate_id)
    if found is None:
        raise NotFound("no such certificate")
    return found


def get_own(session: Session, certificate_id: uuid.UUID, participant_id: uuid.UUID) -> Certificate:
    """One's own certificate. Raises NotFound, for somebody else's too."""
    found = session.scalars(_of(participant_id).where(Certificate.id == certificate_id)).first()
    if found is None:
        raise NotFound("no such certificate")
    return found


def list_own(session: Session, participant_id: uuid.UUID) -> Sequence[Certificate]:
    """The valid certificates of a participant, newest first."""
    found = _of(participant_id).where(Certificate.revoked_at.is_(None))
    return session.scalars(found.order_by(Certificate.issued_at.desc(), Certificate.id.desc())).all()


def list_all_own(session: Session, participant_id: uuid.UUID) -> Sequence[Certificate]:
    """All certificates of a participant with their enrolments, newest first, revoked ones too."""
    found = _of(participant_id).options(contains_eager(Certificate.enrolment))
    return session.scalars(found.order_by(Certificate.issued_at.desc(), Certificate.id.desc())).all()


def find_newest_of(session: Session, enrolment_id: uuid.UUID) -> Certificate | None:
    """The valid certificate of an enrolment, else the one revoked last, or None."""
    found = select(Certificate).where(Certificate.enrolment_id == enrolment_id)
    return session.scalars(found.order_by(Certificate.revoked_at.desc().nulls_first()).limit(1)).first()


def list_revoked(session: Session) -> Sequence[Certificate]:
    """Every revoked certificate, oldest first, for the list that verifiers of badges read."""
    found = select(Certificate).where(Certificate.revoked_at.is_not(None))
    return session.scalars(found.order_by(Certificate.revoked_at, Certificate.id)).all()


def list_recent(session: Session, limit: int = 20) -> Sequence[Certificate]:
    """The newest certificates, for the programme office."""
    newest = select(Certificate).order_by(Certificate.issued_at.desc(), Certificate.id.desc())
    return session.scalars(newest.limit(limit)).all()


def _is_earned(enrolment: Enrolment) -> bool:
    has_result = enrolment.state == EnrolmentState.COMPLETED and enrolment.percent is not None
    return has_result and (enrolment.percent or 0) >= enrolment.scheme.certificate_from_percent


def _issue(session: Session, enrolments: Sequence[Enrolment]) -> list[Certificate]:
    if not enrolments:
        return []
    now = clock.now(session)
    final: dict[tuple[int, datetime], datetime] = {}
    issued = []
    for enrolment in enrolments:
        declared_at, days = _declared_at(enrolment) or now, enrolment.scheme.maturity_working_days
        if (days, declared_at) not in final:
            final[days, declared_at] = calendar.end_of_working_days(session, declared_at, days)
        issued.append(_certificate(enrolment, now, final[days, declared_at]))
    session.add_all(issued)
    session.flush()
    events.record_many(session, [_happening("certificate.issued", each) for each in issued])
    written = zip(enrolments, issued, strict=True)
    people = ((enrolment.participant.user, each) for enrolment, each in written)
    notifications.notify_many(
        session, [notifications.message_to(user, *letters.issued(each, user.locale)) for user, each in people]
    )
    return issued


def _declared_at(enrolment: Enrolment) -> datetime | None:
    """When the result that stands was declared: by the completion, or by its last correction."""
    return enrolment.corrected_at or enrolment.completed_at


def _certificate(enrolment: Enrolment, now: datetime, final_at: datetime) -> Certificate:
    run = enrolment.run
    return Certificate(
        enrolment_id=enrolment.id,
        number=new_number(clock.local_date(now), PREFIX, _LENGTH),
        holder_name=enrolment.participant.full_name,
        course_title=enrolment.course_title,
        provider_name=run.course.provider.name,
        hours=enrolment.course_hours,
        percent=enrolment.percent or 0,
        starts_on=clock.local_date(run.starts_at),
        ends_on=clock.local_date(run.ends_at),
        issued_at=now,
        final_at=final_at,
    )


def _revoke(
    session: Session,
    certificate: Certificate,
    code: RevocationCode,
    reason: str = "",
    actor: User | None = None,
) -> None:
    certificate.revoked_at = clock.now(session)
    certificate.revoked_code = code.value
    certificate.revoked_reason = reason
    certificate.revoked_by = actor.id if actor else None
    session.flush()
    user = certificate.enrolment.participant.user
    events.record_many(session, [_happening("certificate.revoked", certificate)])
    audit.record(session, actor, "certificate.revoke", f"certificate:{certificate.id}", code=code.value)
    notifications.notify(session, user, *letters.revoked(certificate, user.locale))


def _happening(what: str, certificate: Certificate) -> events.Happening:
    data: dict[str, object] = {
        "number": certificate.number,
        "enrolment_id": certificate.enrolment_id,
        "percent": certificate.percent,
        "revoked_code": certificate.revoked_code,
    }
    return events.Happening(what, certificate.id, certificate.enrolment.provider_id, data)


def _barred(session: Session, ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Those whose evidence somebody still has to look at, or whose certificate the office took back."""
    if not ids:
        return set()
    held = select(Earning.enrolment_id).where(Earning.enrolment_id.in_(ids), Earning.state.not_in(UNDOUBTED))
    taken = select(Certificate.enrolment_id).where(
        Certificate.enrolment_id.in_(ids), Certificate.revoked_code == RevocationCode.OFFICE
    )
    return set(session.scalars(held.union(taken)))


def _valid(*wanted: ColumnElement[bool]) -> Select[Certificate]:
    return select(Certificate).where(Certificate.revoked_at.is_(None), *wanted)


def _of(participant_id: uuid.UUID) -> Select[Certificate]:
    own = Enrolment.participant_id == participant_id
    return select(Certificate).join(Certificate.enrolment).where(own)
