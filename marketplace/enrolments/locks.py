"""Row locks, always in the same order: grant, run, enrolment; each kind sorted by id.

Everybody who changes money takes them so, and nobody waits in a circle. The locks are those of an
UPDATE that leaves the key alone, so that foreign keys of other purchases never wait for them.
"""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, select
from sqlalchemy.orm import Session, joinedload, lazyload
from sqlalchemy.orm.attributes import set_committed_value

from marketplace.batches.models import Grant
from marketplace.catalogue.models import Run
from marketplace.enrolments.models import SEATED, Enrolment
from marketplace.errors import NotFound
from marketplace.participants.models import Participant


def lock_grant_of(session: Session, participant_id: uuid.UUID) -> Grant | None:
    """The participant's grant, locked: their purchases follow one another."""
    return session.scalars(_GRANT_OF, {"participant": participant_id}).first()


def lock_enrolment(session: Session, enrolment_id: uuid.UUID) -> Enrolment:
    """One enrolment, with its grant and run, as they are now. Raises NotFound."""
    found = lock_enrolments(session, [enrolment_id])
    if not found:
        raise NotFound("no such enrolment", enrolment_id=enrolment_id)
    return found[0]


def lock_enrolments(session: Session, ids: Sequence[uuid.UUID]) -> list[Enrolment]:
    """These enrolments, with their grants and runs, as they are now."""
    wanted = Enrolment.id.in_(ids)
    grants = _lock_grants(session, wanted)
    of_these = Run.id.in_(select(Enrolment.run_id).where(wanted))
    runs = session.scalars(_locking(select(Run).where(of_these).order_by(Run.id), Run)).all()
    return _lock_rows(session, wanted, grants, runs)


def lock_seats(session: Session, run_id: uuid.UUID) -> Run:
    """A run alone: whoever takes, frees or keeps a seat waits for whoever does. Raises NotFound."""
    run: Run | None = session.scalars(_locking(select(Run).where(Run.id == run_id), Run)).first()
    if run is None:
        raise NotFound("no such run", run_id=run_id)
    return run


def lock_run(session: Session, run_id: uuid.UUID) -> tuple[Run, list[Enrolment]]:
    """A run with everybody who has a seat, and their grants, as they are now. Raises NotFound.

    Somebody may buy between the lock of the grants and that of the run, which ends all buying.
    Such a grant is locked late; if that ever ends in a deadlock the edge repeats the whole.
    """
    live = (Enrolment.run_id == run_id) & Enrolment.state.in_(SEATED)
    _lock_grants(session, live)
    run = session.scalars(_locking(select(Run).where(Run.id == run_id), Run)).first()
    if run is None:
        raise NotFound("no such run", run_id=run_id)
    grants = _lock_grants(session, live)
    return run, _lock_rows(session, live, grants, [run])


def _lock_grants(session: Session, wanted: ColumnElement[bool]) -> Sequence[Grant]:
    owners = select(Enrolment.grant_id).where(wanted)
    return session.scalars(_locking(_grants().where(Grant.id.in_(owners)).order_by(Grant.id), Grant)).all()


def _lock_rows(
    session: Session, wanted: ColumnElement[bool], grants: Sequence[Grant], runs: Sequence[Run]
) -> list[Enrolment]:
    """The enrolments themselves, tied to the grants and runs just read, so that none is read again."""
    rows = select(Enrolment).where(wanted).order_by(Enrolment.id)
    apart = rows.options(lazyload(Enrolment.participant), lazyload(Enrolment.run))
    enrolments = list(session.scalars(_locking(apart, Enrolment)).all())
    grant_of, run_of = {each.id: each for each in grants}, {each.id: each for each in runs}
    for enrolment in enrolments:
        grant = grant_of[enrolment.grant_id]
        set_committed_value(enrolment, "grant", grant)
        set_committed_value(enrolment, "participant", grant.participant)
        set_committed_value(enrolment, "scheme", grant.scheme)
        set_committed_value(enrolment, "run", run_of[enrolment.run_id])
    return enrolments


def _grants() -> Select[Any]:
    """Grants with the people to tell; nobody's roles are needed to move money."""
    people = joinedload(Grant.participant, innerjoin=True).joinedload(Participant.user, innerjoin=True)
    return select(Grant).options(people)


def _locking(rows: Select[Any], table: type[Any]) -> Select[Any]:
    return rows.with_for_update(of=table, key_share=True).execution_options(populate_existing=True)


_GRANT_OF = _locking(_grants().where(Grant.participant_id == bindparam("participant")), Grant)
